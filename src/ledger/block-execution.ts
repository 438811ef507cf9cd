import { equalBytes } from '../codec/bytes.ts';
import { merkleRoot } from '../crypto/merkle.ts';
import { blockHash, encodeHeader, HEADER_VERSION, type Header } from './block.ts';
import { type BlockContext, executeTransaction, type SignatureChecks } from './execution.ts';
import { type BlockIndex, type IndexKey, indexKeys } from './index-keys.ts';
import { type Parameters, protocolVersionAt } from './parameters.ts';
import { eligiblePrimaries, skipTableAfter, skipTableOf } from './proposer-skip.ts';
import type { Receipt } from './receipt.ts';
import { recentIdPages } from './recent-ids.ts';
import type { Rejection } from './rejection.ts';
import { PARAMETER_SLOTS, putInForce, type Slots, slotsOf, VALIDATOR_SLOTS } from './slots.ts';
import { FAMILIES, SINGLE_KEY, type StateReader } from './state.ts';
import { rootHash, type StateMap, updateMap } from './state-map.ts';
import { type DecodedChange, mapChanges, StateOverlay, type StateView } from './state-overlay.ts';
import type { DecodedTransaction } from './transaction.ts';
import { transactionCost } from './transaction-cost.ts';
import { makeValidatorSet, type ValidatorSet } from './validator-set.ts';

/** The state after some height: its values and the map that authenticates them. */
export interface LedgerState {
  readonly reader: StateReader;
  readonly map: StateMap;
}

/** What a block builds on; at height 0 the genesis. */
export interface ParentBlock {
  readonly height: number;
  readonly hash: Uint8Array;
  readonly timestampMs: number;
}

/** The part of a header that its proposer chooses. */
export interface BlockProposal {
  readonly parent: ParentBlock;
  readonly timestampMs: number;
  /** Index in the validator set of this height; one of E(height). */
  readonly proposer: number;
}

/** What execution is given besides state and block; each answers the same on every node. */
export interface ExecutionParts {
  readonly genesisHash: Uint8Array;
  readonly checks: SignatureChecks;
  /** The transaction index over these keys (index/inner). */
  indexOf(keys: readonly IndexKey[]): BlockIndex;
  /** Newest protocol version that is known; this build's unless a test knows another. */
  readonly newestVersion?: number;
}

/** A block with everything that deciding it will need: nothing is computed twice. */
export interface ExecutedBlock {
  readonly header: Header;
  readonly encodedHeader: Uint8Array;
  readonly hash: Uint8Array;
  /** Those of this height, among whom its proposer is. */
  readonly validators: ValidatorSet;
  readonly nextValidators: ValidatorSet;
  readonly transactions: readonly DecodedTransaction[];
  /** One for each transaction. */
  readonly receipts: readonly Receipt[];
  /** To the state before this block, in ascending order of key. */
  readonly changes: readonly DecodedChange[];
  /** The map after this block; its root stands in the header. */
  readonly map: StateMap;
  readonly index: BlockIndex;
}

/** The cap of a block that one more transaction would pass. */
export type BlockCap = 'transactions' | 'bodyBytes' | 'attachmentBytes' | 'executionCost';

/** What executing a given list of transactions came to; `index` is the place of the one at fault. */
export type BlockOutcome =
  | { readonly kind: 'executed'; readonly block: ExecutedBlock }
  /** The first transaction that does not apply. */
  | { readonly kind: 'rejected'; readonly index: number; readonly rejection: Rejection }
  | { readonly kind: 'full'; readonly index: number; readonly cap: BlockCap };

/** A block made of candidates, and those that do not apply to the state in their turn. */
export interface BuiltBlock {
  readonly block: ExecutedBlock;
  readonly refused: readonly { readonly decoded: DecodedTransaction; readonly rejection: Rejection }[];
}

/** Executes a whole block; every transaction has to apply in its place. The state given stays as it is. */
export function executeBlock(
  state: LedgerState,
  proposal: BlockProposal,
  transactions: readonly DecodedTransaction[],
  parts: ExecutionParts,
): BlockOutcome {
  const execution = new BlockExecution(state, proposal, parts);
  for (const [index, decoded] of transactions.entries()) {
    const outcome = execution.add(decoded);
    if (outcome.kind !== 'applied') return { ...outcome, index };
  }
  return { kind: 'executed', block: execution.finish() };
}

/**
 * The block that a primary proposes: the candidates, in their order, that apply. The first one that would pass a cap
 * ends the block; it and those after it stay for a later one.
 */
export function buildBlock(
  state: LedgerState,
  proposal: BlockProposal,
  candidates: Iterable<DecodedTransaction>,
  parts: ExecutionParts,
): BuiltBlock {
  const execution = new BlockExecution(state, proposal, parts);
  const refused: { readonly decoded: DecodedTransaction; readonly rejection: Rejection }[] = [];
  for (const decoded of candidates) {
    const outcome = execution.add(decoded);
    if (outcome.kind === 'full') break;
    if (outcome.kind === 'rejected') refused.push({ decoded, rejection: outcome.rejection });
  }
  return { block: execution.finish(), refused };
}

/** The validators of the next height and of the one after it, from the state after a block. */
export function validatorSets(view: StateView): { readonly current: ValidatorSet; readonly scheduled: ValidatorSet } {
  const { current, scheduled } = slotsOf(view, VALIDATOR_SLOTS);
  return { current: makeValidatorSet(current), scheduled: makeValidatorSet(scheduled) };
}

/** An executed block as the one that the next builds on. */
export function parentOf({ header: { height, timestampMs }, hash }: ExecutedBlock): ParentBlock {
  return { height, hash, timestampMs };
}

/** Where one would execute next: the rules in force at the height after `parent`. */
export function blockContext(
  view: StateView,
  proposal: Pick<BlockProposal, 'parent' | 'timestampMs'>,
  genesisHash: Uint8Array,
): BlockContext {
  const { current: parameters } = slotsOf(view, PARAMETER_SLOTS);
  return { genesisHash, height: proposal.parent.height + 1, timestampMs: proposal.timestampMs, parameters };
}

type AddOutcome =
  | { readonly kind: 'applied' }
  | { readonly kind: 'rejected'; readonly rejection: Rejection }
  | { readonly kind: 'full'; readonly cap: BlockCap };

/** A block as it grows. One method adds, one ends; after `finish` it is used no more. */
class BlockExecution {
  readonly #state: LedgerState;
  readonly #proposal: BlockProposal;
  readonly #parts: ExecutionParts;
  readonly #overlay: StateOverlay;
  readonly #context: BlockContext;
  /** As they stand before the block: what a transaction schedules is for two heights later. */
  readonly #sets: ReturnType<typeof validatorSets>;
  readonly #parameters: Slots<Parameters>;
  readonly #version: number;
  readonly #transactions: DecodedTransaction[] = [];
  readonly #receipts: Receipt[] = [];
  #bodyBytes = 0;
  #attachmentBytes = 0;
  #cost = 0;

  constructor(state: LedgerState, proposal: BlockProposal, parts: ExecutionParts) {
    this.#state = state;
    this.#proposal = proposal;
    this.#parts = parts;
    this.#overlay = new StateOverlay(state.reader);
    this.#context = blockContext(this.#overlay, proposal, parts.genesisHash);
    this.#sets = validatorSets(this.#overlay);
    this.#parameters = slotsOf(this.#overlay, PARAMETER_SLOTS);
    this.#version = protocolVersionAt(this.#context.parameters, this.#context.height);
    // Rules that nobody wrote down here can not be followed.
    if (this.#version > (parts.newestVersion ?? HEADER_VERSION))
      throw new RangeError(`block ${this.#context.height} is of protocol version ${this.#version}: update the node`);
    if (!eligiblePrimaries(this.#overlay, this.#context.height).includes(proposal.proposer))
      throw new RangeError(`validator ${proposal.proposer} may not propose block ${this.#context.height}`);
  }

  add(decoded: DecodedTransaction): AddOutcome {
    const { parameters } = this.#context;
    const bodyBytes = this.#bodyBytes + decoded.encoded.length;
    const attachmentBytes = this.#attachmentBytes + (decoded.transaction.attachment?.bytes ?? 0);
    const cost = this.#cost + transactionCost(decoded);
    const index = this.#transactions.length;
    if (index >= parameters.blockTransactionsMax) return { kind: 'full', cap: 'transactions' };
    if (bodyBytes > parameters.blockBodyBytesMax) return { kind: 'full', cap: 'bodyBytes' };
    if (attachmentBytes > parameters.blockAttachmentBytesMax) return { kind: 'full', cap: 'attachmentBytes' };
    if (cost > parameters.executionCostMax) return { kind: 'full', cap: 'executionCost' };

    const outcome = executeTransaction(this.#overlay, decoded, index, this.#context, this.#parts.checks);
    if (outcome.kind === 'rejected') return outcome;
    this.#transactions.push(decoded);
    this.#receipts.push(outcome.receipt);
    this.#bodyBytes = bodyBytes;
    this.#attachmentBytes = attachmentBytes;
    this.#cost = cost;
    return { kind: 'applied' };
  }

  finish(): ExecutedBlock {
    const { height, timestampMs } = this.#context;
    const { current, scheduled } = this.#sets;
    this.#closeState(current, scheduled);
    const changes = this.#overlay.changes();
    const map = updateMap(this.#state.map, mapChanges(changes));
    const index = this.#parts.indexOf(
      this.#receipts.flatMap((receipt, place) => indexKeys(place, this.#transactions[place]!.txId, receipt)),
    );
    const header: Header = {
      version: this.#version,
      genesisHash: this.#parts.genesisHash,
      height,
      previousHash: this.#proposal.parent.hash,
      timestampMs,
      proposer: this.#proposal.proposer,
      txRoot: merkleRoot(this.#transactions.map(({ txHash }) => txHash)),
      indexRoot: index.root,
      stateRoot: rootHash(map),
      validatorsHash: current.hash,
      nextValidatorsHash: scheduled.hash,
      txCount: this.#transactions.length,
      bodyBytes: this.#bodyBytes,
      executionCost: this.#cost,
    };
    const encodedHeader = encodeHeader(header);
    return {
      header,
      encodedHeader,
      hash: blockHash(encodedHeader),
      validators: current,
      nextValidators: scheduled,
      transactions: this.#transactions,
      receipts: this.#receipts,
      changes,
      map,
      index,
    };
  }

  /** What every block does to the state besides its transactions. */
  #closeState(current: ValidatorSet, scheduled: ValidatorSet): void {
    const { height, timestampMs } = this.#context;
    for (const key of this.#overlay.recentPagesExpiredBefore(timestampMs))
      this.#overlay.remove(FAMILIES.recentIds, key);
    for (const { key, page } of recentIdPages(height, this.#transactions))
      this.#overlay.write(FAMILIES.recentIds, key, page);
    // What was scheduled while h−1 was executed comes into force at h+1 (consensus.md §10).
    putInForce(this.#overlay, PARAMETER_SLOTS, this.#parameters);
    const isChanging = !equalBytes(current.hash, scheduled.hash);
    const after = skipTableAfter(this.#overlay, height, this.#proposal.proposer);
    const table = isChanging ? skipTableOf(this.#overlay, after, scheduled.validators) : after;
    const before = this.#overlay.read(FAMILIES.skip, SINGLE_KEY) ?? [];
    if (table.length > 0 || before.length > 0) this.#overlay.write(FAMILIES.skip, SINGLE_KEY, table);
    putInForce(this.#overlay, VALIDATOR_SLOTS, { current: current.validators, scheduled: scheduled.validators });
  }
}
