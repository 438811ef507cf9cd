import { utf8 } from '../../codec/bytes.ts';
import { sha256 } from '../../crypto/hash.ts';

/**
 * Which of `hospitals` hospitals keeps a patient's bundle, from 0: the first four bytes of SHA-256(patient id), as a
 * big-endian number, modulo `hospitals`. So a bundle stays whole, a patient has one pseudonym, and neither the order
 * of the files nor what else is loaded moves anyone.
 */
export function hospitalOf(patientId: string, hospitals: number): number {
  const digest = sha256(utf8(patientId));
  return new DataView(digest.buffer, digest.byteOffset).getUint32(0) % hospitals;
}
