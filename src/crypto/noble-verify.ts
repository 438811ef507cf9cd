import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes, equalBytes } from '../codec/bytes.ts';
import { makeVerify, type Verify } from './signature-rule.ts';

/**
 * The signature rule in plain JavaScript, for browsers: recomputes R′ = S·B − h·A and compares bytes with R, since
 * noble's own `verify` multiplies by the cofactor and so takes signatures that the nodes refuse.
 */
export const verifySignature: Verify = makeVerify((signature, message, publicKey) => {
  const { Point } = ed25519;
  const commitment = signature.subarray(0, 32);
  const s = littleEndian(signature.subarray(32));
  if (s >= Point.Fn.ORDER) return false;
  try {
    const key = Point.fromBytes(publicKey, false);
    const h = Point.Fn.create(littleEndian(sha512(concatBytes(commitment, publicKey, message))));
    return equalBytes(Point.BASE.multiplyUnsafe(s).subtract(key.multiplyUnsafe(h)).toBytes(), commitment);
  } catch {
    return false; // the key is no canonical point
  }
});

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i -= 1) value = value * 256n + BigInt(bytes[i]!);
  return value;
}
