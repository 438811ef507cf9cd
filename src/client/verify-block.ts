import { equalBytes } from '../codec/bytes.ts';
import { decode } from '../codec/cbor.ts';
import { verifySignature } from '../crypto/noble-verify.ts';
import { blockHash, decodeHeader, type Header } from '../ledger/block.ts';
import {
  CERTIFICATE_BYTES_MAX,
  certificateFault,
  certificateSchema,
  type VerifySignature,
} from '../ledger/certificate.ts';
import { readLedgerStart } from '../ledger/ledger-start.ts';
import { makeValidatorSet, type Validator, type ValidatorSet } from '../ledger/validator-set.ts';

/** A header whose commit by a quorum of the validators was checked. */
export interface VerifiedBlock {
  readonly header: Header;
  readonly hash: Uint8Array;
}

/** A block that is not proven to be committed; the message says why. */
export class BlockProofError extends Error {
  override readonly name = 'BlockProofError';
}

/** What a client trusts beforehand: the ledger, and its validators at the height in question. */
export interface TrustedLedger {
  readonly genesisHash: Uint8Array;
  readonly validators: ValidatorSet;
}

/** What is trusted from some height on. */
export interface TrustedFrom {
  readonly height: number;
  readonly trusted: TrustedLedger;
}

/**
 * The ledger of a genesis document, of a founding or of a restart. Trust comes from `expectedHash`, which the client
 * knows from its organisation, not from the node that sent the document. Throws a BlockProofError when it is another, a
 * DecodeError when malformed.
 */
export function trustedLedger(genesisDocument: Uint8Array, expectedHash: Uint8Array): TrustedLedger {
  return trustedStart(genesisDocument, expectedHash).trusted;
}

/**
 * The same with the height from which it is trusted: 1, or in a ledger that was restarted the first one after that,
 * whose validators the members signed. Where `followValidators` begins. Throws as `trustedLedger` does.
 */
export function trustedStart(genesisDocument: Uint8Array, expectedHash: Uint8Array): TrustedFrom {
  const { genesisHash, parent, validators } = readLedgerStart(genesisDocument);
  if (!equalBytes(genesisHash, expectedHash))
    throw new BlockProofError('the genesis document is not the one of this ledger');
  return { height: parent.height + 1, trusted: { genesisHash, validators: makeValidatorSet(validators) } };
}

/**
 * Checks that a quorum of the validators committed the block with this header: header → hash → certificate →
 * validator set. Needs no trust in the node that sent it. Throws a DecodeError or a BlockProofError.
 */
export function verifyBlock(
  block: { readonly header: Uint8Array; readonly certificate: Uint8Array },
  trusted: TrustedLedger,
  verify: VerifySignature = verifySignature,
): VerifiedBlock {
  const header = decodeHeader(block.header);
  const hash = blockHash(block.header);
  const certificate = decode(certificateSchema, block.certificate, CERTIFICATE_BYTES_MAX);
  if (!equalBytes(header.genesisHash, trusted.genesisHash)) throw new BlockProofError('the block is of another ledger');
  if (!equalBytes(header.validatorsHash, trusted.validators.hash))
    throw new BlockProofError('the block is of another validator set; follow its changes from the genesis');
  if (certificate.height !== header.height || !equalBytes(certificate.blockHash, hash))
    throw new BlockProofError('the certificate is for another block');
  const fault = certificateFault('COMMIT', certificate, trusted.validators, trusted.genesisHash, verify);
  if (fault !== undefined) throw new BlockProofError(`the certificate proves no commit: ${FAULTS[fault]}`);
  return { header, hash };
}

/**
 * The ledger as trusted one height after `block`, whose header announces the set of that height. `next` is whatever a
 * node says that set to be: it is believed for its hash alone. Throws a DecodeError or a BlockProofError.
 */
export function trustedAfter(
  block: { readonly header: Uint8Array; readonly certificate: Uint8Array },
  next: readonly Validator[],
  trusted: TrustedLedger,
  verify: VerifySignature = verifySignature,
): TrustedLedger {
  const { header } = verifyBlock(block, trusted, verify);
  const validators = setOf(next);
  if (!equalBytes(validators.hash, header.nextValidatorsHash))
    throw new BlockProofError(
      `the validators named for height ${header.height + 1} are not those that the block announces`,
    );
  return { genesisHash: trusted.genesisHash, validators };
}

function setOf(validators: readonly Validator[]): ValidatorSet {
  try {
    return makeValidatorSet(validators);
  } catch (cause) {
    if (cause instanceof RangeError) throw new BlockProofError(`no set of validators: ${cause.message}`, { cause });
    throw cause;
  }
}

const FAULTS = {
  signers: 'its signers are not distinct validators in order',
  quorum: 'it has fewer signatures than a quorum',
  signature: 'a signature does not verify',
} as const;
