import assert from 'node:assert/strict';
import { toHex } from '../codec/bytes.ts';
import { type AttachmentItem, readAttachment, wantedAttachments, writeAttachments } from './attachment-items.ts';
import { bodyAt, decodeBodies } from './block-bodies.ts';
import { type BlockCommit, recordAfter, type StateEntry, writeBlock, writeState } from './block-commit.ts';
import { CheckedLevel, type LevelSnapshot } from './checked-level.ts';
import { RequestNonces } from './request-nonces.ts';
import {
  decodeLocation,
  decodeU64,
  encodeTip,
  type HeightRange,
  heightKey,
  type InstallRecord,
  type Location,
  PREFIX,
  prefixed,
  TIP_KEY,
  type Tip,
  type TipRecord,
} from './schema.ts';
import { completeInstall, SnapshotInstall, type StateSnapshot } from './snapshot-install.ts';
import { readStoredLedger, type StoredLedger } from './stored-ledger.ts';
import type { WriteBatch } from './write-batch.ts';

/** What may be set when a store is opened. */
export interface StoreOptions {
  readonly genesisHash: Uint8Array;
  /** Where a ledger that was restarted begins: there the tip's hash is the genesis hash, not that of its block. */
  readonly restartedFrom?: Tip;
}

/**
 * Opens the ledger store in `folder`, creating an empty one where none is. Errors: FolderLocked, StoreUnreadable,
 * FormatUnsupported, OtherLedger, ItemDamaged. That the state is the certified one is not checked here: whoever
 * rebuilds the tree from `allState` compares its root with the tip's header.
 */
export async function openStore(folder: string, options: StoreOptions): Promise<Store> {
  const level = await CheckedLevel.open(folder, options.genesisHash);
  try {
    await completeInstall(level);
    const store = new Store(level, options);
    await store.load();
    return store;
  } catch (error) {
    await level.close();
    throw error;
  }
}

/**
 * The ledger on disk: a block with all it changed, or several, go in as one synced batch, so that after a crash at any
 * instruction the store stands exactly after some block. One writer; readers see a block's changes together, once
 * its commit has resolved. Byte arrays handed out are shared: they must not be changed. Any read may throw
 * ItemDamaged, which names the item and the remedy; nothing is repaired silently.
 */
export class Store {
  readonly #level: CheckedLevel;
  readonly #options: StoreOptions;
  readonly #nonces: RequestNonces;
  /** As it stands on disk; undefined in an empty store. */
  #record: TipRecord | undefined;
  /** Heights whose blocks were passed over by installing a snapshot, ascending. */
  #gaps: readonly HeightRange[] = [];
  /** The store before the blocks being written: state is read from here until the batch is synced. */
  #before: LevelSnapshot | undefined;
  #commit: Promise<unknown> | undefined;

  /** Made by `openStore` alone. */
  constructor(level: CheckedLevel, options: StoreOptions) {
    this.#level = level;
    this.#options = options;
    this.#nonces = new RequestNonces(level);
  }

  /** Reads what is kept in memory. Called once, by `openStore`. */
  async load(): Promise<void> {
    this.#take(await readStoredLedger(this.#level, this.#options.restartedFrom));
    await this.#nonces.load();
  }

  /** The last block committed; height 0 and the genesis hash after `commitGenesis`; undefined in an empty store. */
  tip(): Tip | undefined {
    return this.#record?.tip;
  }

  /** The lowest height from which on every block up to the tip is here whole; 1 when none was ever passed over. */
  get historyFrom(): number {
    return (this.#gaps.at(-1)?.through ?? 0) + 1;
  }

  /** True for a height up to the tip whose transactions are not here, because a snapshot was installed past it. */
  isInGap(height: number): boolean {
    return this.#gaps.some(({ from, through }) => from <= height && height <= through);
  }

  /** Transactions in all blocks committed. */
  transactionsCommitted(): number {
    return this.#record?.transactions ?? 0;
  }

  /** Writes the state of genesis into an empty store, in one synced batch. Error: WriteFailed. */
  async commitGenesis(state: readonly StateEntry[]): Promise<void> {
    assert(this.#record === undefined, 'the store is not empty');
    const tip = { height: 0, hash: this.#options.genesisHash };
    const record = { tip, transactions: 0 };
    await this.#commitAlone(
      (batch) => {
        writeState(batch, state);
        batch.put(TIP_KEY, encodeTip(record));
      },
      () => {
        this.#record = record;
      },
    );
  }

  /**
   * Writes decided blocks that follow the tip, with all they changed, in one batch; resolves once they are on disk. No
   * other commit may be under way. `onApplied` is called in the turn in which readers begin to see the blocks. Error:
   * WriteFailed, after which the process must stop.
   */
  async commitBlocks(commits: readonly BlockCommit[], onApplied: () => void = () => undefined): Promise<void> {
    assert(this.#record !== undefined, 'genesis is not committed');
    const record = recordAfter(this.#record, commits);
    await this.#commitAlone(
      (batch) => {
        for (const commit of commits) writeBlock(batch, commit);
        batch.put(TIP_KEY, encodeTip(record));
      },
      () => {
        this.#record = record;
        onApplied();
      },
    );
  }

  /** Prepares to take a whole state in place of this one; nothing changes before `install`. One at a time. */
  async beginInstall(): Promise<SnapshotInstall> {
    const staging = new SnapshotInstall(this.#level);
    await staging.begin();
    return staging;
  }

  /**
   * Puts what was staged in place of the state and makes `record.tip` the tip, above the present one. A crash leaves
   * the old state or, completed at the next opening, the new one. All is read as before until `onApplied` is called.
   * Error: WriteFailed, after which the process must stop.
   */
  async install(staging: SnapshotInstall, record: InstallRecord, onApplied: () => void): Promise<void> {
    assert(record.tip.height > this.#tipHeight(), 'a snapshot must lie above the tip');
    const install = async () => {
      await staging.seal(record);
      await completeInstall(this.#level);
      return readStoredLedger(this.#level, this.#options.restartedFrom);
    };
    await this.#replaceAlone(install, (ledger) => {
      this.#take(ledger);
      onApplied();
    });
  }

  /** The state as it is now, for reading while later blocks change it; must be closed. */
  stateSnapshot(): StateSnapshot {
    const snapshot = this.#level.snapshot();
    return {
      entries: () => this.#level.items(PREFIX.state, nameState, undefined, snapshot),
      close: () => snapshot.close(),
    };
  }

  /** The canonical validator list with this hash, where a block put such a set in force; or undefined. */
  validatorList(hash: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#level.value(prefixed(PREFIX.validators, hash), `validators ${toHex(hash)}`, (bytes) => bytes);
  }

  /** Keeps a validator list under its hash; it is durable with the next block. Error: WriteFailed. */
  async putValidatorList(hash: Uint8Array, encoded: Uint8Array): Promise<void> {
    await this.#level.write(false, (batch) => batch.put(prefixed(PREFIX.validators, hash), encoded));
  }

  /** Canonical header bytes, or undefined outside 1 … tip. In a gap some are kept, and some are not. */
  header(height: number): Promise<Uint8Array | undefined> {
    return this.#blockItem(PREFIX.header, height, 'header');
  }

  /** Canonical commit-certificate bytes, or undefined outside 1 … tip. */
  certificate(height: number): Promise<Uint8Array | undefined> {
    return this.#blockItem(PREFIX.certificate, height, 'certificate');
  }

  /** The transaction-index pages of a block, or undefined outside 1 … tip. */
  indexPages(height: number): Promise<Uint8Array | undefined> {
    return this.#blockItem(PREFIX.indexPages, height, 'index pages');
  }

  /** The full encodings of a block's transactions, or undefined outside 1 … tip. */
  async bodies(height: number): Promise<readonly Uint8Array[] | undefined> {
    const value = await this.#bodies(height);
    if (value === undefined) return undefined;
    const transactions = decodeBodies(heightKey(PREFIX.bodies, height), value);
    if (transactions === 'damaged') throw this.#level.damaged(`transactions of block ${height}`);
    return transactions;
  }

  /** The full encoding of one transaction, or undefined when there is none at this place. */
  async transaction(height: number, index: number): Promise<Uint8Array | undefined> {
    const value = await this.#bodies(height);
    if (value === undefined) return undefined;
    const transaction = bodyAt(heightKey(PREFIX.bodies, height), value, index);
    if (transaction === 'damaged') throw this.#level.damaged(`transaction ${index} of block ${height}`);
    return transaction === 'absent' ? undefined : transaction;
  }

  /** Height of the committed block with this hash, or undefined. */
  async heightOfHash(hash: Uint8Array): Promise<number | undefined> {
    const key = prefixed(PREFIX.heightByHash, hash);
    const height = await this.#level.value(key, `height of block ${toHex(hash)}`, decodeU64);
    return height === undefined || height > this.#tipHeight() ? undefined : height;
  }

  /** Where a committed transaction stands, or undefined. */
  async locate(txId: Uint8Array): Promise<Location | undefined> {
    const key = prefixed(PREFIX.location, txId);
    const location = await this.#level.value(key, `location of transaction ${toHex(txId)}`, decodeLocation);
    return location === undefined || location.height > this.#tipHeight() ? undefined : location;
  }

  /** The state value of a key at the tip, or undefined. Synchronous: execution reads through this. */
  stateValue(stateKey: Uint8Array): Uint8Array | undefined {
    const key = prefixed(PREFIX.state, stateKey);
    return this.#level.valueSync(key, () => nameState(stateKey), this.#before);
  }

  /** All of the state by key, as it stands when the reading begins: for the rebuild of the tree at start. */
  allState(): AsyncGenerator<StateEntry> {
    return this.#level.items(PREFIX.state, nameState);
  }

  /** The state of one family (state.ts) by key, as it stands when the reading begins. */
  async *stateOfFamily(family: number): AsyncGenerator<StateEntry> {
    const from = prefixed(PREFIX.state, Uint8Array.of(family));
    for await (const entry of this.#level.items(PREFIX.state, nameState, from)) {
      if (entry.key[0] !== family) return;
      yield entry;
    }
  }

  /** blind[32] ‖ bytes of an attachment, verified against its hash, or undefined. */
  attachment(hash: Uint8Array): Promise<Uint8Array | undefined> {
    return readAttachment(this.#level, hash);
  }

  /** Stores attachments of committed blocks that were fetched later, or again. Errors: HashMismatch, WriteFailed. */
  putAttachments(attachments: readonly AttachmentItem[]): Promise<void> {
    return writeAttachments(this.#level, attachments);
  }

  /** Hashes of at most `limit` attachments that committed blocks name and that were not at hand. */
  wantedAttachments(limit: number): Promise<readonly Uint8Array[]> {
    return wantedAttachments(this.#level, limit);
  }

  /**
   * Remembers a request nonce (at most 128 bytes of UTF-8) until `expiresMs`; false when it was seen before or has
   * expired. Written but not synced: it outlives the process at once, and a power failure from the next block on.
   * Errors: NonceTableFull, WriteFailed.
   */
  useNonce(nonce: string, expiresMs: number, nowMs: number): Promise<boolean> {
    return this.#nonces.use(nonce, expiresMs, nowMs);
  }

  /** Waits for the commit under way and closes the store. */
  async close(): Promise<void> {
    await this.#commit?.catch(() => undefined);
    await this.#level.close();
  }

  /** One synced batch that changes state. */
  #commitAlone(fill: (batch: WriteBatch) => void, applied: () => void): Promise<void> {
    return this.#replaceAlone(() => this.#level.write(true, fill), applied);
  }

  /**
   * A change of the state on disk, alone. Until it has resolved readers see all as before; then `applied` changes what
   * is in memory in one turn.
   */
  async #replaceAlone<T>(change: () => Promise<T>, applied: (result: T) => void): Promise<void> {
    assert(this.#commit === undefined, 'another commit is under way');
    const before = this.#level.snapshot();
    this.#before = before;
    try {
      const changing = change();
      this.#commit = changing;
      applied(await changing);
    } finally {
      this.#commit = undefined;
      this.#before = undefined;
      await before.close();
    }
  }

  #take({ record, gaps }: StoredLedger): void {
    this.#record = record;
    this.#gaps = gaps;
  }

  #tipHeight(): number {
    return this.#record?.tip.height ?? 0;
  }

  async #blockItem(prefix: number, height: number, what: string): Promise<Uint8Array | undefined> {
    if (!this.#hasBlock(height)) return undefined;
    const item = `${what} of block ${height}`;
    const payload = await this.#level.value(heightKey(prefix, height), item, (bytes) => bytes);
    if (payload === undefined && !this.isInGap(height)) throw this.#level.damaged(item);
    return payload;
  }

  async #bodies(height: number): Promise<Uint8Array | undefined> {
    if (!this.#hasBlock(height) || this.isInGap(height)) return undefined;
    const item = `transactions of block ${height}`;
    const value = await this.#level.stored(heightKey(PREFIX.bodies, height), item);
    if (value === undefined) throw this.#level.damaged(item);
    return value;
  }

  #hasBlock(height: number): boolean {
    return Number.isSafeInteger(height) && height >= 1 && height <= this.#tipHeight();
  }
}

const nameState = (stateKey: Uint8Array) => `state value ${toHex(stateKey)}`;
