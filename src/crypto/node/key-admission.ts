import sodium from 'sodium-native';
import { signingKeyFault as pureSigningKeyFault, type SigningKeyFault } from '../key-admission.ts';
import { hasSmallOrder, PUBLIC_KEY_BYTES } from '../signature-rule.ts';

/**
 * The rule of `../key-admission.ts` through libsodium, much faster for keys that are admitted; of those that
 * are not, the rule itself says why.
 */
export function signingKeyFault(publicKey: Uint8Array): SigningKeyFault | undefined {
  const isAdmitted =
    publicKey.length === PUBLIC_KEY_BYTES &&
    !hasSmallOrder(publicKey) &&
    sodium.crypto_core_ed25519_is_valid_point(publicKey);
  return isAdmitted ? undefined : pureSigningKeyFault(publicKey);
}
