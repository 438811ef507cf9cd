import { ed25519 } from '@noble/curves/ed25519.js';
import { hasSmallOrder, PUBLIC_KEY_BYTES } from './signature-rule.ts';

/** Why a signing key is refused. */
export type SigningKeyFault = 'length' | 'encoding' | 'smallOrder' | 'torsion';

/**
 * Why an Ed25519 public key may not be admitted, or undefined when it may: 32 bytes, the canonical encoding (RFC 8032)
 * of a point on the curve, of the full prime order. Checked once, when the key enters the state; with such a key the
 * verification equations with and without cofactor differ only for an R that carries torsion. About 1 ms.
 */
export function signingKeyFault(publicKey: Uint8Array): SigningKeyFault | undefined {
  if (publicKey.length !== PUBLIC_KEY_BYTES) return 'length';
  if (hasSmallOrder(publicKey)) return 'smallOrder';
  try {
    const point = ed25519.Point.fromBytes(publicKey, false);
    return point.isTorsionFree() ? undefined : 'torsion';
  } catch {
    return 'encoding';
  }
}
