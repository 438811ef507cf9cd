import type { HeightContext } from '../consensus/input.ts';
import type { Account } from '../ledger/account.ts';
import { decodeHeader, HEADER_VERSION } from '../ledger/block.ts';
import { type BlockCheck, type BlockOccasion, checkBlock, headerFault } from '../ledger/block-check.ts';
import {
  type BuiltBlock,
  blockContext,
  buildBlock,
  type ExecutionParts,
  type LedgerState,
  type ParentBlock,
  validatorSets,
} from '../ledger/block-execution.ts';
import { executeTransaction } from '../ledger/execution.ts';
import { type Parameters, protocolVersionAt } from '../ledger/parameters.ts';
import { eligiblePrimaries } from '../ledger/proposer-skip.ts';
import type { Rejection } from '../ledger/rejection.ts';
import { PARAMETER_SLOTS, type Slots, slotsOf } from '../ledger/slots.ts';
import { FAMILIES, type RecordState, type Tenure } from '../ledger/state.ts';
import { rootHash, type StateMap } from '../ledger/state-map.ts';
import { StateOverlay } from '../ledger/state-overlay.ts';
import type { DecodedTransaction } from '../ledger/transaction.ts';
import type { Validator, ValidatorSet } from '../ledger/validator-set.ts';
import { requireKnownVersion, updateBefore } from './protocol-version.ts';

/** The ledger as it stands after some block: what holds there, and what can be built or checked on it. */
export abstract class Head {
  /** What executing a block is given besides this head. */
  readonly parts: ExecutionParts;

  constructor(parts: ExecutionParts) {
    this.parts = parts;
  }

  /** The block that the next one builds on. */
  abstract get tip(): ParentBlock;

  /** The state after it, as execution takes it. */
  abstract get state(): LedgerState;

  get genesisHash(): Uint8Array {
    return this.parts.genesisHash;
  }

  /** The map after the tip: a value, which later blocks leave as it is. */
  get map(): StateMap {
    return this.state.map;
  }

  get stateRoot(): Uint8Array {
    return rootHash(this.state.map);
  }

  /** Those of the next height. */
  get parameters(): Parameters {
    return this.parameterSlots.current;
  }

  /** Those of the next height and of the one after it. */
  get parameterSlots(): Slots<Parameters> {
    return slotsOf(this.#view(), PARAMETER_SLOTS);
  }

  /** Newest protocol version that this node knows. */
  get newestVersion(): number {
    return this.parts.newestVersion ?? HEADER_VERSION;
  }

  /** First height whose blocks this build can not make or judge; null where every version announced is known. */
  get updateBefore(): number | null {
    return updateBefore(this.parameterSlots, this.newestVersion);
  }

  /** The validators of the next height. */
  get validators(): ValidatorSet {
    return validatorSets(this.#view()).current;
  }

  /** Who is a validator at the next height or the one after it. */
  get members(): readonly Validator[] {
    const { current, scheduled } = validatorSets(this.#view());
    return [...current.validators, ...scheduled.validators];
  }

  /** What the ledger remembers of a validator key. */
  tenure(publicKey: Uint8Array): Tenure | undefined {
    return this.#view().read(FAMILIES.tenure, publicKey);
  }

  /** The name under which an organisation was admitted. */
  organisationName(address: Uint8Array): string | undefined {
    return this.#view().read(FAMILIES.organisation, address)?.name;
  }

  account(address: Uint8Array): Account | undefined {
    return this.#view().read(FAMILIES.account, address);
  }

  /** A look-up of accounts as they stand now, for many at once: each is read and decoded once. */
  accountsAtHead(): (address: Uint8Array) => Account | undefined {
    const view = this.#view();
    return (address) => view.read(FAMILIES.account, address);
  }

  record(recordId: Uint8Array): RecordState | undefined {
    return this.#view().read(FAMILIES.record, recordId);
  }

  /** Whether the transaction was applied and is still remembered against replay. */
  isRecent(txId: Uint8Array): boolean {
    return this.state.reader.isRecent(txId);
  }

  /**
   * What consensus needs to know of the next height. Throws an OperatorError when its rules are of a version that this
   * build does not know: the node stops there.
   */
  heightContext(): HeightContext {
    const view = this.#view();
    const { current, scheduled } = validatorSets(view);
    const { parameters } = this;
    const height = this.tip.height + 1;
    requireKnownVersion(parameters, height, this.newestVersion);
    return {
      height,
      validators: current,
      nextValidators: scheduled,
      eligible: eligiblePrimaries(view, height),
      previousHash: this.tip.hash,
      parentTimestampMs: this.tip.timestampMs,
      parameters: {
        version: protocolVersionAt(parameters, height),
        baseTimeoutMs: parameters.viewTimeoutMs,
        timeoutMaxMs: parameters.viewTimeoutMaxMs,
        heartbeatMs: parameters.heartbeatMs,
      },
    };
  }

  /** Why each transaction would not apply at the head after those before it; undefined where it would. */
  rejectionsAtHead(transactions: readonly DecodedTransaction[], nowMs: number): readonly (Rejection | undefined)[] {
    const timestampMs = Math.max(this.tip.timestampMs + 1, nowMs);
    const overlay = this.#view();
    const context = blockContext(overlay, { parent: this.tip, timestampMs }, this.genesisHash);
    return transactions.map((decoded, index) => {
      const outcome = executeTransaction(overlay, decoded, index, context, this.parts.checks);
      return outcome.kind === 'rejected' ? outcome.rejection : undefined;
    });
  }

  /** The block of those candidates that apply, in order. */
  build(candidates: Iterable<DecodedTransaction>, proposer: number, nowMs: number): BuiltBlock {
    const timestampMs = Math.max(this.tip.timestampMs + 1, nowMs);
    return buildBlock(this.state, { parent: this.tip, timestampMs, proposer }, candidates, this.parts);
  }

  /** What is wrong with a proposal before its bodies are at hand; undefined when nothing is. */
  headerFault(header: Uint8Array, txHashes: readonly Uint8Array[], occasion: BlockOccasion) {
    const { state, genesisHash, newestVersion } = this;
    return headerFault(state, this.tip, decodeHeader(header), txHashes, occasion, genesisHash, newestVersion);
  }

  /** Judges and executes a block on the tip. */
  check(header: Uint8Array, transactions: readonly DecodedTransaction[], occasion: BlockOccasion): BlockCheck {
    return checkBlock(this.state, this.tip, decodeHeader(header), transactions, occasion, this.parts);
  }

  #view(): StateOverlay {
    return new StateOverlay(this.state.reader);
  }
}
