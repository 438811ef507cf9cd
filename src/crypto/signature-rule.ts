import { compareBytes, fromHex } from '../codec/bytes.ts';

/** Lengths of an Ed25519 signature and public key in bytes. */
export const SIGNATURE_BYTES = 64;
export const PUBLIC_KEY_BYTES = 32;

/** Verifies one Ed25519 signature; synchronous, total, and without side effects. */
export type Verify = (signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array) => boolean;

/**
 * The one rule by which this ledger takes signatures, around a verifier of RFC 8032 without cofactor: exact lengths,
 * and neither commitment R nor key A of small order. `rawVerify` sees only arguments of the right lengths. Whatever is
 * not valid gives false. Sources: RFC 8032 §5.1.7; Chalkias, Garillot, Nikolaenko, "Taming the many EdDSAs" (2020).
 */
export function makeVerify(rawVerify: Verify): Verify {
  return (signature, message, publicKey) =>
    signature.length === SIGNATURE_BYTES &&
    publicKey.length === PUBLIC_KEY_BYTES &&
    !hasSmallOrder(signature) &&
    !hasSmallOrder(publicKey) &&
    rawVerify(signature, message, publicKey);
}

/**
 * The y coordinates (little endian, sign bit clear) of the eight points whose order divides 8, and the two encodings
 * of such y that are not reduced modulo p = 2²⁵⁵ − 19.
 */
const SMALL_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000', // y = 0, order 4
  '0100000000000000000000000000000000000000000000000000000000000000', // y = 1, the identity
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05', // order 8
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a', // order 8
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f', // y = −1, order 2
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f', // y = p, that is 0
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f', // y = p + 1, that is 1
].map(fromHex);

/** True when the first 32 bytes encode, canonically or not and with either sign, a point whose order divides 8. */
export function hasSmallOrder(point: Uint8Array): boolean {
  for (const y of SMALL_ORDER) {
    // The first byte differs for nearly every honest point, so the rest is seldom looked at.
    if (y[0] === point[0] && y[31] === point[31]! % 128 && compareBytes(y.subarray(0, 31), point.subarray(0, 31)) === 0)
      return true;
  }
  return false;
}
