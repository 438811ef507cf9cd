import assert from 'node:assert/strict';
import { equalBytes } from '../codec/bytes.ts';
import { decode, encode } from '../codec/cbor.ts';
import { signingKeyFault } from '../crypto/node/key-admission.ts';
import { verifySignature } from '../crypto/node/verify.ts';
import { indexRootOf } from '../index/inner/build.ts';
import {
  type ExecutedBlock,
  type ExecutionParts,
  type LedgerState,
  type ParentBlock,
  parentOf,
} from '../ledger/block-execution.ts';
import { genesisHashAt, type LedgerStart } from '../ledger/ledger-start.ts';
import { type EvidenceEntry, FAMILIES } from '../ledger/state.ts';
import { validatorListSchema } from '../ledger/validator-set.ts';
import type { Store } from '../storage/block-store.ts';
import { CommittedState } from './committed-state.ts';
import { blockCommit, type DecidedBlock } from './decided-block.ts';
import type { DerivedState } from './derived-state.ts';
import type { FetchedState } from './fetched-state.ts';
import { Head } from './head.ts';
import type { KeyTenure } from './ports.ts';
import type { SignatureCache } from './signature-cache.ts';

/** Decoded state values kept in memory, twice: some tens of megabytes. */
const STATE_VALUES_CACHED = 25_000;

/** The committed ledger of a node, and the one way it grows. */
export class Chain extends Head {
  readonly #start: LedgerStart;
  readonly #store: Store;
  #state: CommittedState;
  #parent: ParentBlock;
  #transactionsCommitted: number;

  /** Made by `openChain` alone. */
  constructor(
    store: Store,
    start: LedgerStart,
    signatures: SignatureCache,
    at: { readonly state: DerivedState; readonly parent: ParentBlock; readonly transactionsCommitted: number },
    newestVersion: number,
  ) {
    super(executionParts(start.genesisHash, signatures, newestVersion));
    this.#store = store;
    this.#start = start;
    this.#state = new CommittedState(store, at.state, STATE_VALUES_CACHED);
    this.#parent = at.parent;
    this.#transactionsCommitted = at.transactionsCommitted;
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
  override get tip(): ParentBlock {
    return this.#parent;
  }

  override get state(): LedgerState {
    return { map: this.#state.map, reader: this.#state };
  }

  /** Transactions in all committed blocks. */
  get transactionsCommitted(): number {
    return this.#transactionsCommitted;
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

  /**
   * Makes executed blocks part of the chain, each on the one before it: one synced batch, then the head moves. The
   * single writer of the ledger; for consensus and catch-up alike.
   */
  async commit(blocks: readonly DecidedBlock[]): Promise<void> {
    for (const [place, { block }] of blocks.entries()) {
      const parent = blocks[place - 1]?.block ?? this.#parent;
      assert(equalBytes(block.header.previousHash, parent.hash), 'a decided block must build on the one before it');
      await this.#keepValidatorLists(block);
    }
    // In one turn with what the store shows, so that nobody sees one without the other.
    await this.#store.commitBlocks(blocks.map(blockCommit), () => {
      for (const { block } of blocks) {
        this.#state.advance(block.map, block.changes);
        this.#parent = parentOf(block);
        this.#transactionsCommitted += block.header.txCount;
      }
    });
  }

  /** Those who join later prove a new set by its hash in the header; after a few more blocks no state holds the lists. */
  async #keepValidatorLists({ validators, nextValidators }: ExecutedBlock): Promise<void> {
    for (const set of equalBytes(validators.hash, nextValidators.hash) ? [] : [validators, nextValidators])
      await this.#store.putValidatorList(set.hash, encode(validatorListSchema, set.validators));
  }

  /**
   * Makes a verified state of a later block the head, without the blocks between. Turns with `commit` are the caller's
   * to keep apart. A state fetched for another tip is refused.
   */
  async adopt({ staging, record, state, timestampMs }: FetchedState): Promise<void> {
    assert.equal(record.gapFrom, this.#parent.height + 1, 'a state must be fetched for the present tip');
    await this.#store.install(staging, record, () => {
      this.#state = new CommittedState(this.#store, state, STATE_VALUES_CACHED);
      this.#parent = { ...record.tip, timestampMs };
      this.#transactionsCommitted = record.transactions;
    });
  }
}

function executionParts(genesisHash: Uint8Array, signatures: SignatureCache, newestVersion: number): ExecutionParts {
  return {
    genesisHash,
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
