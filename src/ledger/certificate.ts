import { bytes, list, struct, uint } from '../codec/schema.ts';
import { quorumSize, VALIDATORS_MAX, type ValidatorSet } from './validator-set.ts';
import { VIEW_MAX, votePreimage } from './vote.ts';

/** One validator's signature in a certificate. */
export interface SignerEntry {
  readonly signer: number;
  readonly signature: Uint8Array;
}

/** Votes of one kind of a quorum for one (height, view, block hash). */
export interface Certificate {
  readonly height: number;
  readonly view: number;
  readonly blockHash: Uint8Array;
  /** Strictly increasing signer indices. */
  readonly signatures: readonly SignerEntry[];
}

/** Wire form of one signature in a certificate. */
const signerEntrySchema = struct<SignerEntry>({ signer: uint(0xff), signature: bytes(64) });

/** Wire form of a certificate. */
export const certificateSchema = struct<Certificate>({
  height: uint(),
  view: uint(VIEW_MAX),
  blockHash: bytes(32),
  signatures: list(signerEntrySchema, VALIDATORS_MAX),
});
/** Most bytes of an encoded certificate. */
export const CERTIFICATE_BYTES_MAX = 128 + VALIDATORS_MAX * 80;

/** Verifies one Ed25519 signature by the rule of the ledger; synchronous. */
export type VerifySignature = (signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array) => boolean;

/**
 * Why `certificate` does not prove a quorum of `kind` votes of `set`, or undefined when it does. A prepared
 * certificate holds exactly q signatures, a commit certificate at least q.
 */
export function certificateFault(
  kind: 'PREPARE' | 'COMMIT',
  certificate: Certificate,
  set: ValidatorSet,
  genesisHash: Uint8Array,
  verify: VerifySignature,
): 'signers' | 'quorum' | 'signature' | undefined {
  const quorum = quorumSize(set.validators.length);
  const count = certificate.signatures.length;
  if (count < quorum || (kind === 'PREPARE' && count !== quorum)) return 'quorum';
  let previous = -1;
  for (const { signer } of certificate.signatures) {
    if (signer <= previous || signer >= set.validators.length) return 'signers';
    previous = signer;
  }
  const preimage = votePreimage(kind, genesisHash, certificate);
  for (const { signer, signature } of certificate.signatures) {
    if (!verify(signature, preimage, set.validators[signer]!.publicKey)) return 'signature';
  }
  return undefined;
}
