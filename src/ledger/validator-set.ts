import { compareBytes } from '../codec/bytes.ts';
import { encode } from '../codec/cbor.ts';
import { bytes, list, struct } from '../codec/schema.ts';
import { taggedHash } from '../crypto/hash.ts';

/** Largest number of validators of one ledger. */
export const VALIDATORS_MAX = 64;

/** Most bytes of an encoded list of validators. */
export const VALIDATOR_LIST_BYTES_MAX = 8192;

/** One hospital's seat in the agreement. */
export interface Validator {
  /** Ed25519 public key, 32 bytes; also the node's libp2p identity. */
  readonly publicKey: Uint8Array;
  /** Address of the organisation that runs it. */
  readonly organisation: Uint8Array;
}

/** The validators of one height, sorted by public-key bytes; a validator's index is its place here. */
export interface ValidatorSet {
  readonly validators: readonly Validator[];
  /** 32 bytes; stands in every header. */
  readonly hash: Uint8Array;
}

/** Wire form of a validator. */
const validatorSchema = struct<Validator>({ publicKey: bytes(32), organisation: bytes(32) });
/** Wire and state form of a list of validators. */
export const validatorListSchema = list(validatorSchema, VALIDATORS_MAX);

/** The set of `validators` in canonical order. Throws a RangeError when empty, too large or with a repeated key. */
export function makeValidatorSet(validators: readonly Validator[]): ValidatorSet {
  if (validators.length === 0 || validators.length > VALIDATORS_MAX)
    throw new RangeError(`a validator set has 1 to ${VALIDATORS_MAX} members, not ${validators.length}`);
  const sorted = [...validators].sort((a, b) => compareBytes(a.publicKey, b.publicKey));
  for (let i = 1; i < sorted.length; i += 1) {
    if (compareBytes(sorted[i - 1]!.publicKey, sorted[i]!.publicKey) === 0)
      throw new RangeError('two validators have the same public key');
  }
  return { validators: sorted, hash: taggedHash('VALIDATORS', encode(validatorListSchema, sorted)) };
}

/** Index of the validator with this public key, or undefined. */
export function validatorIndex(set: ValidatorSet, publicKey: Uint8Array): number | undefined {
  const index = set.validators.findIndex((validator) => compareBytes(validator.publicKey, publicKey) === 0);
  return index < 0 ? undefined : index;
}

/** f: how many of `n` validators may be faulty in any way while agreement still holds. */
export function faultyMax(n: number): number {
  return Math.floor((n - 1) / 3);
}

/**
 * q = ⌈(n+f+1)/2⌉: any two quorums share an honest validator, and q honest ones exist. Not 2f+1, which is too few
 * for n = 5 and n = 6.
 */
export function quorumSize(n: number): number {
  return Math.ceil((n + faultyMax(n) + 1) / 2);
}
