import { equalBytes } from '../codec/bytes.ts';
import { decode, encode } from '../codec/cbor.ts';
import { DecodeError } from '../codec/decode-error.ts';
import { verifySignature } from '../crypto/node/verify.ts';
import { certificateFault } from '../ledger/certificate.ts';
import {
  makeValidatorSet,
  VALIDATOR_LIST_BYTES_MAX,
  type ValidatorSet,
  validatorListSchema,
} from '../ledger/validator-set.ts';
import { HEADERS_PER_REQUEST_MAX } from '../p2p/protocols.ts';
import type { LinkedHeader } from '../storage/snapshot-install.ts';
import type { HistorySource, Reading } from './history-source.ts';
import { changesNextValidators, readHeaderFrame, type ServedHeader } from './linked-header.ts';

/** A block that is trusted: one that this node executed, the genesis, or one that its operator pinned. */
export interface TrustedBlock {
  readonly height: number;
  readonly hash: Uint8Array;
}

/** From what a block further on is proven. */
export interface ProofBasis {
  readonly genesisHash: Uint8Array;
  /** This node's own tip. */
  readonly tip: TrustedBlock;
  /** Validators of the heights after the tip and after the next, from its state. */
  readonly current: ValidatorSet;
  readonly scheduled: ValidatorSet;
  /** A block above the tip that the operator pinned. */
  readonly pin: TrustedBlock | undefined;
}

/** Takes what was verified, so that others can be answered later. */
export interface Keeping {
  /** In order of height. */
  headers(headers: readonly LinkedHeader[]): Promise<void>;
  /** A canonical list under its hash. */
  validators(hash: Uint8Array, encoded: Uint8Array): Promise<void>;
}

/** What came of a proof. */
export type HeaderProof =
  /** `transactions`: those of the blocks after the tip; undefined when the proof did not pass over all of them. */
  | { readonly kind: 'proven'; readonly transactions: number | undefined }
  /** The validators changed since the tip, and no pinned block vouches for the new ones (consensus.md §9). */
  | { readonly kind: 'anchorNeeded'; readonly height: number }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * Proves the header of `offer`, which carries its certificate: linked by previousHash to a trusted block, certified by
 * the validators in force, who themselves are certified wherever they change. Headers between come from any member;
 * `keep` is given those that were verified, in order.
 */
export async function proveHeader(
  offer: ServedHeader,
  basis: ProofBasis,
  source: HistorySource,
  keep: Keeping,
): Promise<HeaderProof> {
  const sets = new KnownSets(basis, source, keep);
  const { pin } = basis;
  if (pin !== undefined && pin.height >= offer.header.height) {
    const reached = await followLinks(offer, pin, basis, source);
    if (!reached) return { kind: 'refused', reason: 'its chain does not lead to the pinned block' };
    return finish(offer, basis, sets, keep, undefined);
  }
  const walk = new HeaderWalk(basis, sets);
  let transactions = 0;
  while (walk.nextHeight < offer.header.height) {
    const fromHeight = walk.nextHeight;
    const wanted = Math.min(HEADERS_PER_REQUEST_MAX, offer.header.height - fromHeight);
    const headers = await source.ask({ kind: 'headers', fromHeight, maxHeaders: wanted }, (items) =>
      readRun(items, fromHeight, wanted, walk),
    );
    for (const served of headers) {
      const verdict = await walk.accept(served);
      if (verdict !== undefined) return verdict;
      transactions += served.header.txCount;
    }
    await keep.headers(headers.map(asLinked));
  }
  const fault = walk.linkFault(offer);
  if (fault !== undefined) return { kind: 'refused', reason: fault };
  const verdict = await walk.accept(offer);
  if (verdict !== undefined) return verdict;
  return finish(offer, basis, sets, keep, pin === undefined ? transactions + offer.header.txCount : undefined);
}

/** The certificate of the offer itself, by the set that its header names. */
async function finish(
  offer: ServedHeader,
  { genesisHash }: ProofBasis,
  sets: KnownSets,
  keep: Keeping,
  transactions: number | undefined,
): Promise<HeaderProof> {
  const fault = await certifiedFault(offer, sets, genesisHash);
  if (fault !== undefined) return { kind: 'refused', reason: fault };
  await keep.headers([asLinked(offer)]);
  return { kind: 'proven', transactions };
}

/** Follows previousHash from the offer up to the pinned block, whose hash then vouches for all of them. */
async function followLinks(
  offer: ServedHeader,
  pin: TrustedBlock,
  basis: ProofBasis,
  source: HistorySource,
): Promise<boolean> {
  let last = offer;
  while (last.header.height < pin.height) {
    const fromHeight = last.header.height + 1;
    const wanted = Math.min(HEADERS_PER_REQUEST_MAX, pin.height - last.header.height);
    const from = last;
    const run = await source.ask({ kind: 'headers', fromHeight, maxHeaders: wanted }, (items) =>
      readRun(items, fromHeight, wanted, { linkFault: (first) => linkFault(first, from, basis.genesisHash) }),
    );
    last = run.at(-1)!;
  }
  return equalBytes(last.hash, pin.hash);
}

/** Where a walk over headers stands, and what the next one must be. */
class HeaderWalk {
  readonly #basis: ProofBasis;
  readonly #sets: KnownSets;
  #previous: TrustedBlock;
  /** validatorsHash of the next header; undefined where the pinned hash alone decides. */
  #validatorsHash: Uint8Array | undefined;
  #isAtPin: boolean;

  constructor(basis: ProofBasis, sets: KnownSets) {
    this.#basis = basis;
    this.#sets = sets;
    this.#isAtPin = basis.pin !== undefined;
    this.#previous = basis.pin === undefined ? basis.tip : { ...basis.pin, height: basis.pin.height - 1 };
    this.#validatorsHash = basis.pin === undefined ? basis.current.hash : undefined;
  }

  get nextHeight(): number {
    return this.#previous.height + 1;
  }

  /** Why this can not be the next header, whoever certifies it; undefined when it can. */
  linkFault(served: ServedHeader): string | undefined {
    if (this.#isAtPin) return equalBytes(served.hash, this.#basis.pin!.hash) ? undefined : 'not the pinned block';
    const fault = linkFault(served, this.#previous, this.#basis.genesisHash);
    if (fault !== undefined) return fault;
    return equalBytes(served.header.validatorsHash, this.#validatorsHash!) ? undefined : 'validatorsHash';
  }

  /** Takes the next header; says why the proof ends here, if it does. */
  async accept(served: ServedHeader): Promise<HeaderProof | undefined> {
    const { header, hash } = served;
    // The pinned header itself needs no certificate: its hash is trusted, and so the sets that it names.
    if (changesNextValidators(header) && !this.#isAtPin) {
      const fault = await certifiedFault(served, this.#sets, this.#basis.genesisHash);
      if (fault !== undefined) return { kind: 'refused', reason: fault };
      const isOwn = equalBytes(header.nextValidatorsHash, this.#basis.scheduled.hash);
      if (!isOwn && this.#basis.pin === undefined) return { kind: 'anchorNeeded', height: header.height };
    }
    this.#isAtPin = false;
    this.#previous = { height: header.height, hash };
    this.#validatorsHash = header.nextValidatorsHash;
    return undefined;
  }
}

/** Validator sets by hash; those not in our state are asked for, and checked against the hash. */
class KnownSets {
  readonly #source: HistorySource;
  readonly #keep: Keeping;
  readonly #sets: ValidatorSet[];

  constructor({ current, scheduled }: ProofBasis, source: HistorySource, keep: Keeping) {
    this.#source = source;
    this.#keep = keep;
    this.#sets = [current, scheduled];
  }

  async get(hash: Uint8Array): Promise<ValidatorSet> {
    const known = this.#sets.find((set) => equalBytes(set.hash, hash));
    if (known !== undefined) return known;
    const set = await this.#source.ask({ kind: 'validators', hash }, ([list]) => readSet(list!, hash));
    this.#sets.push(set);
    await this.#keep.validators(set.hash, encode(validatorListSchema, set.validators));
    return set;
  }
}

async function certifiedFault(
  { header, certificate }: ServedHeader,
  sets: KnownSets,
  genesisHash: Uint8Array,
): Promise<string | undefined> {
  if (certificate === undefined) return 'certificate missing';
  const set = await sets.get(header.validatorsHash);
  const fault = certificateFault('COMMIT', certificate, set, genesisHash, verifySignature);
  return fault === undefined ? undefined : `certificate/${fault}`;
}

/** Consecutive headers of one answer that link up from where `walk` stands. */
function readRun(
  items: readonly Uint8Array[],
  fromHeight: number,
  wanted: number,
  first: { linkFault(served: ServedHeader): string | undefined },
): Reading<readonly ServedHeader[]> {
  const run: ServedHeader[] = [];
  for (const item of items.slice(0, wanted)) {
    const served = readHeaderFrame(item);
    if (served === undefined || served.header.height !== fromHeight + run.length)
      return { kind: 'fault', reason: 'headers/malformed' };
    const before = run.at(-1);
    const fault =
      before === undefined
        ? first.linkFault(served)
        : (linkFault(served, { height: before.header.height, hash: before.hash }, before.header.genesisHash) ??
          (equalBytes(served.header.validatorsHash, before.header.nextValidatorsHash) ? undefined : 'validatorsHash'));
    if (fault !== undefined) return { kind: 'fault', reason: `headers/${fault}` };
    if (changesNextValidators(served.header) && served.certificate === undefined)
      return { kind: 'fault', reason: 'headers/certificate missing' };
    run.push(served);
  }
  return { kind: 'value', value: run };
}

function linkFault(
  { header }: ServedHeader,
  previous: TrustedBlock | ServedHeader,
  genesisHash: Uint8Array,
): string | undefined {
  const height = 'header' in previous ? previous.header.height : previous.height;
  if (header.height !== height + 1) return 'height';
  if (!equalBytes(header.genesisHash, genesisHash)) return 'genesis';
  return equalBytes(header.previousHash, previous.hash) ? undefined : 'previousHash';
}

function readSet(list: Uint8Array, hash: Uint8Array): Reading<ValidatorSet> {
  try {
    const set = makeValidatorSet(decode(validatorListSchema, list, VALIDATOR_LIST_BYTES_MAX));
    return equalBytes(set.hash, hash) ? { kind: 'value', value: set } : { kind: 'fault', reason: 'validators' };
  } catch (error) {
    if (error instanceof DecodeError || error instanceof RangeError) return { kind: 'fault', reason: 'validators' };
    throw error;
  }
}

function asLinked({ header, hash, encoded, encodedCertificate }: ServedHeader): LinkedHeader {
  const certificate = encodedCertificate.length === 0 ? null : encodedCertificate;
  return { height: header.height, hash, header: encoded, certificate };
}
