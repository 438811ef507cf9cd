import assert from 'node:assert/strict';
import { equalBytes, toHex } from '../codec/bytes.ts';
import { decode, encode } from '../codec/cbor.ts';
import type { HeightContext } from '../consensus/input.ts';
import { signingKeyFault } from '../crypto/key-admission.ts';
import { verifySignature } from '../crypto/node/verify.ts';
import { indexRootOf } from '../index/inner/build.ts';
import type { Account } from '../ledger/account.ts';
import { decodeHeader, HEADER_VERSION } from '../ledger/block.ts';
import { type BlockCheck, type BlockOccasion, checkBlock, headerFault } from '../ledger/block-check.ts';
import {
  type BuiltBlock,
  blockContext,
  buildBlock,
  type ExecutedBlock,
  type ExecutionParts,
  type LedgerState,
  type ParentBlock,
  validatorSets,
} from '../ledger/block-execution.ts';
import { type Certificate, certificateSchema } from '../ledger/certificate.ts';
import { executeTransaction } from '../ledger/execution.ts';
import { genesisHashAt, type LedgerStart } from '../ledger/ledger-start.ts';
import { type Parameters, protocolVersionAt } from '../ledger/parameters.ts';
import { eligiblePrimaries } from '../ledger/proposer-skip.ts';
import type { Rejection } from '../ledger/rejection.ts';
import { PARAMETER_SLOTS, type Slots, slotsOf } from '../ledger/slots.ts';
import { type EvidenceEntry, FAMILIES, type RecordState, type Tenure } from '../ledger/state.ts';
import { rootHash, type StateMap } from '../ledger/state-map.ts';
import { StateOverlay } from '../ledger/state-overlay.ts';
import { attachmentHash, type DecodedTransaction } from '../ledger/transaction.ts';
import { type Validator, type ValidatorSet, validatorListSchema } from '../ledger/validator-set.ts';
import type { BlockCommit } from '../storage/block-commit.ts';
import type { Store } from '../storage/block-store.ts';
import { CommittedState } from './committed-state.ts';
import type { FetchedState } from './fetched-state.ts';
import type { KeyTenure } from './ports.ts';
import { requireKnownVersion, updateBefore } from './protocol-version.ts';
import type { SignatureCache } from './signature-cache.ts';

/** Decoded state values kept in memory, twice: some tens of megabytes. */
const STATE_VALUES_CACHED = 25_000;

/** The committed ledger of a node: its state, what can be built or checked on it, and the one way it grows. */
export class Chain {
  readonly genesisHash: Uint8Array;
  readonly #start: LedgerStart;
  readonly #store: Store;
  readonly #parts: ExecutionParts;
  #state: CommittedState;
  #parent: ParentBlock;
  #transactionsCommitted: number;

  /** Made by `openChain` alone. */
  constructor(
    store: Store,
    start: LedgerStart,
    signatures: SignatureCache,
    at: { readonly map: StateMap; readonly parent: ParentBlock; readonly transactionsCommitted: number },
    newestVersion: number,
  ) {
    this.#store = store;
    this.#start = start;
    this.genesisHash = start.genesisHash;
    this.#state = new CommittedState(store, at.map, STATE_VALUES_CACHED);
    this.#parent = at.parent;
    this.#transactionsCommitted = at.transactionsCommitted;
    this.#parts = {
      genesisHash: start.genesisHash,
      newestVersion,
      indexOf: indexRootOf,
      checks: {
        signingKeyFault,
        isSignatureValid: (preimage, publicKey, signature) => {
          if (signatures.has(preimage, publicKey, signature)) return true;
          const isValid = verifySignature(signature, preimage, publicKey);
          if (isValid) signatures.add(preimage, publicKey, signature);
          return isValid;
        },
      },
    };
  }

  /** Height that the first block of this ledger builds on: 0, or where it was restarted. */
  get startHeight(): number {
    return this.#start.parent.height;
  }

  /** The genesis hash under which the block of a height was made: up to `startHeight` that of the ledger before. */
  genesisHashAt(height: number): Uint8Array {
    return genesisHashAt(this.#start, height);
  }

  /** The last committed block; before the first of this ledger `startHeight` and the genesis hash. */
  get tip(): ParentBlock {
    return this.#parent;
  }

  /** The map after the tip: a value, which later blocks leave as it is. */
  get map(): StateMap {
    return this.#state.map;
  }

  /** The state after the tip, as execution takes it. */
  get state(): LedgerState {
    return { map: this.#state.map, reader: this.#state };
  }

  get stateRoot(): Uint8Array {
    return rootHash(this.#state.map);
  }

  /** Transactions in all committed blocks. */
  get transactionsCommitted(): number {
    return this.#transactionsCommitted;
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
    return this.#parts.newestVersion ?? HEADER_VERSION;
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

  /** Every key that is or was a validator's, by key. */
  async tenures(): Promise<readonly KeyTenure[]> {
    const found: KeyTenure[] = [];
    for await (const { key, value } of this.#store.stateOfFamily(FAMILIES.tenure.code))
      found.push({ publicKey: key.slice(1), ...decode(FAMILIES.tenure.schema, value, FAMILIES.tenure.bytesMax) });
    return found;
  }

  /** All evidence on the ledger, the newest first. */
  async evidence(): Promise<readonly EvidenceEntry[]> {
    const found: EvidenceEntry[] = [];
    for await (const { value } of this.#store.stateOfFamily(FAMILIES.evidence.code))
      found.push(decode(FAMILIES.evidence.schema, value, FAMILIES.evidence.bytesMax));
    return found.sort((a, b) => b.recordedAt - a.recordedAt || b.height - a.height);
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
    return this.#view().read(FAMILIES.recentId, txId) !== undefined;
  }

  /**
   * What consensus needs to know of the next height. Throws an OperatorError when its rules are of a version that this
   * build does not know: the node stops there.
   */
  heightContext(): HeightContext {
    const view = this.#view();
    const { current, scheduled } = validatorSets(view);
    const { parameters } = this;
    const height = this.#parent.height + 1;
    requireKnownVersion(parameters, height, this.newestVersion);
    return {
      height,
      validators: current,
      nextValidators: scheduled,
      eligible: eligiblePrimaries(view, height),
      previousHash: this.#parent.hash,
      parentTimestampMs: this.#parent.timestampMs,
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
    const timestampMs = Math.max(this.#parent.timestampMs + 1, nowMs);
    const overlay = this.#view();
    const context = blockContext(overlay, { parent: this.#parent, timestampMs }, this.genesisHash);
    return transactions.map((decoded, index) => {
      const outcome = executeTransaction(overlay, decoded, index, context, this.#parts.checks);
      return outcome.kind === 'rejected' ? outcome.rejection : undefined;
    });
  }

  /** The block of those candidates that apply, in order. */
  build(candidates: Iterable<DecodedTransaction>, proposer: number, nowMs: number): BuiltBlock {
    const timestampMs = Math.max(this.#parent.timestampMs + 1, nowMs);
    return buildBlock(this.state, { parent: this.#parent, timestampMs, proposer }, candidates, this.#parts);
  }

  /** What is wrong with a proposal before its bodies are at hand; undefined when nothing is. */
  headerFault(header: Uint8Array, txHashes: readonly Uint8Array[], occasion: BlockOccasion) {
    const { state, genesisHash, newestVersion } = this;
    return headerFault(state, this.#parent, decodeHeader(header), txHashes, occasion, genesisHash, newestVersion);
  }

  /** Judges and executes a block on the tip. */
  check(header: Uint8Array, transactions: readonly DecodedTransaction[], occasion: BlockOccasion): BlockCheck {
    return checkBlock(this.state, this.#parent, decodeHeader(header), transactions, occasion, this.#parts);
  }

  /**
   * Makes an executed block part of the chain: one synced batch, then the head moves. The single writer of the ledger;
   * for consensus and catch-up alike.
   */
  async commit(block: ExecutedBlock, certificate: Certificate, attachments: readonly Uint8Array[]): Promise<void> {
    const { header } = block;
    assert.equal(header.height, this.#parent.height + 1, 'a decided block must follow the tip');
    assert(equalBytes(header.previousHash, this.#parent.hash), 'a decided block must build on the tip');
    const { current, scheduled } = validatorSets(this.#view());
    // Those who join later prove the new set by its hash in the header; after a few more blocks no state holds the lists.
    for (const set of equalBytes(current.hash, scheduled.hash) ? [] : [current, scheduled])
      await this.#store.putValidatorList(set.hash, encode(validatorListSchema, set.validators));
    const declared = block.transactions.flatMap(({ transaction }) => transaction.attachment ?? []);
    const held = new Map(attachments.map((bytes) => [toHex(attachmentHash(bytes)), bytes]));
    const stored: BlockCommit = {
      height: header.height,
      hash: block.hash,
      header: block.encodedHeader,
      certificate: encode(certificateSchema, certificate),
      transactions: block.transactions.map(({ encoded }) => encoded),
      txIds: block.transactions.map(({ txId }) => txId),
      stateChanges: block.changes.map(({ key, value }) => ({ key, value: value ?? null })),
      recentIds: {
        added: block.transactions.map(({ txId, transaction }) => ({ txId, validUntilMs: transaction.validUntilMs })),
        removedBeforeMs: header.timestampMs,
      },
      attachments: declared.flatMap(({ hash }) => {
        const bytes = held.get(toHex(hash));
        return bytes === undefined ? [] : [{ hash, bytes }];
      }),
      wantedAttachments: declared.flatMap(({ hash }) => (held.has(toHex(hash)) ? [] : [hash])),
      disposedAttachments: [],
      indexPages: block.index.pages,
    };
    // In one turn with what the store shows, so that nobody sees one without the other.
    await this.#store.commitBlock(stored, () => {
      this.#state.advance(block.map, block.changes);
      this.#parent = { height: header.height, hash: block.hash, timestampMs: header.timestampMs };
      this.#transactionsCommitted += header.txCount;
    });
  }

  /**
   * Makes a verified state of a later block the head, without the blocks between. Turns with `commit` are the caller's
   * to keep apart. A state fetched for another tip is refused.
   */
  async adopt({ staging, record, map, timestampMs }: FetchedState): Promise<void> {
    assert.equal(record.gapFrom, this.#parent.height + 1, 'a state must be fetched for the present tip');
    await this.#store.install(staging, record, () => {
      this.#state = new CommittedState(this.#store, map, STATE_VALUES_CACHED);
      this.#parent = { ...record.tip, timestampMs };
      this.#transactionsCommitted = record.transactions;
    });
  }

  #view(): StateOverlay {
    return new StateOverlay(this.#state);
  }
}
