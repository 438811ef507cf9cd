import { toHex } from '../codec/bytes.ts';
import type { ExecutedBlock } from '../ledger/block-execution.ts';
import type { RecordState } from '../ledger/state.ts';
import type { Store } from '../storage/block-store.ts';
import type { AttachmentKeeper } from './attachment-keeper.ts';
import { type BlockSource, type IndexedBlock, indexedBlock } from './block-rows.ts';
import type { Chain } from './chain.ts';
import type { OrganisationKey } from './record-fields.ts';

/** Blocks whose decoded transactions stay at hand. */
const RECENT_BLOCKS = 16;
/** So long the index waits for attachments that members are asked for; then it goes on without their search fields. */
const ATTACHMENT_PATIENCE_MS = 30_000;

/** What the outer index of a running node is fed from: the store, members where something is missing, and memory. */
export class IndexSource implements BlockSource {
  readonly organisationKey: OrganisationKey | undefined;
  readonly #chain: Chain;
  readonly #store: Store;
  readonly #attachments: AttachmentKeeper;
  readonly #recent = new Map<number, IndexedBlock>();

  constructor(chain: Chain, store: Store, attachments: AttachmentKeeper, organisationKey: OrganisationKey | undefined) {
    this.organisationKey = organisationKey;
    this.#chain = chain;
    this.#store = store;
    this.#attachments = attachments;
  }

  genesisHashAt(height: number): Uint8Array {
    return this.#chain.genesisHashAt(height);
  }

  /** A block was just committed: it is needed soon, and decoded already. */
  remember({ header, hash, transactions }: ExecutedBlock): void {
    this.#recent.set(header.height, { hash, timestampMs: header.timestampMs, transactions });
    this.#recent.delete(header.height - RECENT_BLOCKS);
  }

  async block(height: number): Promise<IndexedBlock> {
    const recent = this.#recent.get(height);
    return recent ?? storedIndexedBlock(this.#store, this.genesisHashAt(height), height);
  }

  record(recordId: Uint8Array): RecordState | undefined {
    return this.#chain.record(recordId);
  }

  attachments(hashes: readonly Uint8Array[]): Promise<ReadonlyMap<string, Uint8Array>> {
    return this.#attachments.get(hashes, ATTACHMENT_PATIENCE_MS);
  }
}

/** A block below the tip, decoded from the store; `genesisHash` is that of its height. */
export async function storedIndexedBlock(store: Store, genesisHash: Uint8Array, height: number): Promise<IndexedBlock> {
  const header = await store.header(height);
  const transactions = await store.bodies(height);
  if (header === undefined || transactions === undefined) throw new Error('a block below the tip is not in the store');
  return indexedBlock(genesisHash, header, transactions);
}

/** Those of these attachments that are in the store, by hash in hex. */
export async function storedAttachments(
  store: Store,
  hashes: readonly Uint8Array[],
): Promise<ReadonlyMap<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  for (const hash of hashes) {
    const bytes = await store.attachment(hash);
    if (bytes !== undefined) found.set(toHex(hash), bytes);
  }
  return found;
}
