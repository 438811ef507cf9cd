import { concatBytes, equalBytes, uintBytes } from '../codec/bytes.ts';
import { gcmOpen, gcmSeal, importAesKey, TAG_BYTES } from './aes-gcm.ts';
import { domainPrefix } from './hash.ts';
import { paddedSize, paddedSlice, unpadded } from './padding.ts';
import { keyCommitment, type RecordVersion } from './record-keys.ts';

/** Size of every ciphertext chunk but the last, which is also the size of a leaf of the payload's DAG. */
export const PAYLOAD_CHUNK_BYTES = 1024 * 1024;
/** Largest payload that can be sealed in memory; larger studies are split into several records. */
export const PAYLOAD_BYTES_MAX = 512 * 1024 * 1024;

const CHUNK_PLAINTEXT_BYTES = PAYLOAD_CHUNK_BYTES - TAG_BYTES;
const PADDED_BYTES_MAX = paddedSize(PAYLOAD_BYTES_MAX);
const CHUNKS_MAX = Math.ceil(PADDED_BYTES_MAX / CHUNK_PLAINTEXT_BYTES);

/** A payload as stored and transferred. */
export interface SealedPayload {
  /** Ciphertext chunks in order; each PAYLOAD_CHUNK_BYTES long but the last, which holds at least a tag and a byte. */
  readonly chunks: readonly Uint8Array[];
  /** Sum of the chunks' lengths: the size that stands in the transaction. */
  readonly bytes: number;
  /** See `keyCommitment`; stands in the transaction. */
  readonly keyCommitment: Uint8Array;
}

/** A payload that does not open: `commitment` = not the key of this record; `damaged` = not the ciphertext sealed. */
export class PayloadError extends Error {
  override readonly name = 'PayloadError';
  readonly reason: 'commitment' | 'damaged';

  constructor(reason: 'commitment' | 'damaged', message: string) {
    super(message);
    this.reason = reason;
  }
}

/**
 * Encrypts a payload: length prefix and Padmé padding, then AES-256-GCM per chunk with the chunk's index as nonce and
 * AAD `"medledger/v1/PAYLOAD" ‖ 0x00 ‖ recordId ‖ version u32be ‖ index u32be ‖ count u32be`, so that chunks can not
 * be dropped, reordered, or moved between records.
 *
 * `key` (see `dataKey`) must be fresh: nonces are fixed, so sealing two payloads with one key breaks both.
 */
export async function sealPayload(payload: Uint8Array, key: Uint8Array, of: RecordVersion): Promise<SealedPayload> {
  if (payload.length > PAYLOAD_BYTES_MAX)
    throw new RangeError(`a payload of ${payload.length} bytes: at most ${PAYLOAD_BYTES_MAX} can be sealed as one`);
  const aesKey = await importAesKey(key);
  const size = paddedSize(payload.length);
  const count = Math.ceil(size / CHUNK_PLAINTEXT_BYTES);
  const chunks: Uint8Array[] = [];
  for (let index = 0; index < count; index += 1) {
    const start = index * CHUNK_PLAINTEXT_BYTES;
    const plaintext = paddedSlice(payload, start, Math.min(size, start + CHUNK_PLAINTEXT_BYTES));
    chunks.push(await gcmSeal(aesKey, index, chunkAad(of, index, count), plaintext));
  }
  return { chunks, bytes: size + count * TAG_BYTES, keyCommitment: keyCommitment(key) };
}

/**
 * The payload inside `chunks`. The key is checked against the commitment of the transaction before anything is
 * decrypted. Throws a PayloadError when the key is another, or any chunk is missing, damaged, moved or malformed.
 */
export async function openPayload(
  chunks: readonly Uint8Array[],
  key: Uint8Array,
  commitment: Uint8Array,
  of: RecordVersion,
): Promise<Uint8Array> {
  if (!equalBytes(keyCommitment(key), commitment))
    throw new PayloadError('commitment', 'the key is not the one that this record version commits to');
  const damaged = (what: string) => new PayloadError('damaged', `${what}: fetch the payload from another holder`);
  const size = paddedBytesOf(chunks);
  if (size === undefined) throw damaged('the chunks do not have the sizes of a payload');
  const aesKey = await importAesKey(key);
  const padded = new Uint8Array(size);
  for (const [index, chunk] of chunks.entries()) {
    const plaintext = await gcmOpen(aesKey, index, chunkAad(of, index, chunks.length), chunk);
    if (plaintext === undefined) throw damaged(`chunk ${index} of ${chunks.length} is not authentic`);
    padded.set(plaintext, index * CHUNK_PLAINTEXT_BYTES);
  }
  const payload = unpadded(padded);
  if (payload === undefined)
    throw new PayloadError('damaged', 'the padding is malformed: the author sealed it wrongly');
  return payload;
}

/** Length of the padded plaintext inside, or undefined when the chunks' number or lengths fit no payload. */
function paddedBytesOf(chunks: readonly Uint8Array[]): number | undefined {
  const last = chunks.at(-1);
  if (last === undefined || chunks.length > CHUNKS_MAX) return undefined;
  if (last.length <= TAG_BYTES || last.length > PAYLOAD_CHUNK_BYTES) return undefined;
  if (chunks.slice(0, -1).some((chunk) => chunk.length !== PAYLOAD_CHUNK_BYTES)) return undefined;
  const size = (chunks.length - 1) * CHUNK_PLAINTEXT_BYTES + last.length - TAG_BYTES;
  return size <= PADDED_BYTES_MAX ? size : undefined;
}

function chunkAad(of: RecordVersion, index: number, count: number): Uint8Array {
  const numbers = [of.version, index, count].map((value) => uintBytes(value, 4));
  return concatBytes(domainPrefix('PAYLOAD'), of.recordId, ...numbers);
}
