import { generateSealingKeyPair, sealingPublicKey } from '../crypto/hpke.ts';
import { nobleSigner, type Signer } from '../crypto/signer.ts';
import { accountAddress, type KeyDocument } from '../ledger/account.ts';

/** What the holder of an account keeps secret; everything else follows from it. */
export interface AccountSecrets {
  /** Ed25519 seeds of 32 bytes, in the order of the account's key document. */
  readonly signingSeeds: readonly Uint8Array[];
  /** X25519 secret, 32 bytes. */
  readonly sealingSecret: Uint8Array;
}

/** A key that signs for an account. */
export interface AccountSigner {
  /** Place of the key in the account's key document. */
  readonly keyIndex: number;
  readonly signer: Signer;
}

/** An account in the hands of its holder. */
export interface AccountIdentity {
  readonly address: Uint8Array;
  readonly keyDocument: KeyDocument;
  readonly signers: readonly AccountSigner[];
  readonly sealingSecret: Uint8Array;
}

/** Secrets of a new account with one signing key, from the platform's random generator. */
export function drawAccountSecrets(): AccountSecrets {
  return {
    signingSeeds: [crypto.getRandomValues(new Uint8Array(32))],
    sealingSecret: generateSealingKeyPair().secretKey,
  };
}

/**
 * The account of these secrets as first registered: every key of weight 1, every threshold 1, so that one key acts
 * alone. `makeSigner` may supply a faster signer than the one in plain JavaScript. Throws an Error on a secret of the
 * wrong length.
 */
export function makeAccount(
  secrets: AccountSecrets,
  makeSigner: (seed: Uint8Array) => Signer = nobleSigner,
): AccountIdentity {
  const signers = secrets.signingSeeds.map((seed, keyIndex) => ({ keyIndex, signer: makeSigner(seed) }));
  const keyDocument: KeyDocument = {
    sealingKey: sealingPublicKey(secrets.sealingSecret),
    keys: signers.map(({ signer }) => ({ algorithm: 'ed25519', publicKey: signer.publicKey, weight: 1, label: '' })),
    thresholds: { routine: 1, sensitive: 1, keys: 1 },
  };
  return { address: accountAddress(keyDocument), keyDocument, signers, sealingSecret: secrets.sealingSecret };
}
