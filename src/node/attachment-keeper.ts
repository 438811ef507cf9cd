import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { equalBytes, toHex } from '../codec/bytes.ts';
import { attachmentHash } from '../ledger/transaction.ts';
import type { Store } from '../storage/block-store.ts';
import { StorageError } from '../storage/storage-error.ts';
import { ATTACHMENTS_PER_REQUEST, askEach, type BodyRequests } from './requests-by-hash.ts';

/** How long all members together may take to answer. */
const FETCH_DEADLINE_MS = 5_000;
/** Pauses between two rounds of asking: doubled from the first to the last. */
const PAUSE_MS_MIN = 250;
const PAUSE_MS_MAX = 4_000;
/** How often the store is looked through for what is wanted, and how much of it is asked for at once. */
const SWEEP_MS = 5_000;
const SWEEP_MS_MAX = 300_000;
const SWEEP_ATTACHMENTS = 1_024;

/** Where attachments are and come from. */
export interface AttachmentKeeperDependencies {
  readonly store: Pick<Store, 'attachment' | 'putAttachments' | 'wantedAttachments'>;
  readonly requests: Pick<BodyRequests, 'connectedPeers' | 'requestAttachments'> & {
    reportMalformed(peer: Uint8Array, reason: string): void;
  };
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

/**
 * Completes the attachments of committed blocks: a block that was re-proposed, fetched by its hash or caught up may come
 * without some, and a disk may damage one. What is fetched is checked, kept, and served to others.
 */
export class AttachmentKeeper {
  readonly #dependencies: AttachmentKeeperDependencies;
  readonly #closing = new AbortController();
  #sweeping: Promise<void> | undefined;
  /** The request under way: one at a time, so that members are not asked twice nor over their limits. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(dependencies: AttachmentKeeperDependencies) {
    this.#dependencies = dependencies;
  }

  /** Begins to look for what the store says is wanted. */
  start(): void {
    this.#sweeping = this.#sweep();
  }

  /**
   * Of these attachments those that are here or that a member gives, by hash in hex. Without `patienceMs` each member
   * is asked once; else again until all are here or the time is over.
   */
  async get(hashes: readonly Uint8Array[], patienceMs = 0): Promise<ReadonlyMap<string, Uint8Array>> {
    const found = new Map<string, Uint8Array>();
    const endMs = performance.now() + patienceMs;
    for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(2 * pauseMs, PAUSE_MS_MAX)) {
      await this.#addStored(hashes, found);
      if (found.size < new Set(hashes.map(toHex)).size) await this.#inTurn(() => this.#fetch(hashes, found));
      const missing = hashes.filter((hash) => !found.has(toHex(hash)));
      if (missing.length === 0 || this.#closing.signal.aborted) return found;
      if (performance.now() + pauseMs > endMs) {
        const attachment = toHex(missing[0]!);
        this.#dependencies.log.warn({ attachment, missing: missing.length }, 'no member has attachments of the ledger');
        return found;
      }
      await this.#pause(pauseMs);
    }
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#sweeping;
    await this.#last;
  }

  async #sweep(): Promise<void> {
    const { store, requests, log } = this.#dependencies;
    for (let pauseMs = SWEEP_MS; !this.#closing.signal.aborted; ) {
      await this.#pause(pauseMs);
      if (requests.connectedPeers().length === 0) continue;
      try {
        const wanted = await store.wantedAttachments(SWEEP_ATTACHMENTS);
        const found = wanted.length === 0 ? undefined : await this.get(wanted);
        // One that an earlier block brought is here already: writing it again ends the want.
        if (found !== undefined) await this.#keep(wanted, found);
        if (found?.size) log.info({ wanted: wanted.length, found: found.size }, 'attachments completed');
        pauseMs = found?.size === 0 ? Math.min(2 * pauseMs, SWEEP_MS_MAX) : SWEEP_MS;
      } catch (error) {
        log.warn({ err: error }, 'attachments could not be completed');
      }
    }
  }

  async #addStored(hashes: readonly Uint8Array[], found: Map<string, Uint8Array>): Promise<void> {
    const { store } = this.#dependencies;
    await Promise.all(
      hashes.map(async (hash) => {
        if (found.has(toHex(hash))) return;
        const bytes = await store.attachment(hash).catch((error: unknown) => {
          // A damaged one is replaced by what a member has.
          if (error instanceof StorageError && error.code === 'ItemDamaged') return undefined;
          throw error;
        });
        if (bytes !== undefined) found.set(toHex(hash), bytes);
      }),
    );
  }

  async #fetch(hashes: readonly Uint8Array[], found: Map<string, Uint8Array>): Promise<void> {
    const { requests } = this.#dependencies;
    // An earlier turn may have brought them.
    await this.#addStored(hashes, found);
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(FETCH_DEADLINE_MS)]);
    const fetched = new Map<string, Uint8Array>();
    await askEach(requests.connectedPeers(), ATTACHMENTS_PER_REQUEST, signal, {
      missing: () => hashes.filter((hash) => !found.has(toHex(hash)) && !fetched.has(toHex(hash))),
      async ask(peer, asked) {
        const reply = await requests.requestAttachments(peer, asked, signal);
        if (!reply.every((bytes, place) => bytes === null || equalBytes(attachmentHash(bytes), asked[place]!)))
          requests.reportMalformed(peer, 'wrong bytes for the hash of an attachment');
        return reply;
      },
      take(hash, bytes) {
        if (!equalBytes(attachmentHash(bytes), hash)) return false;
        fetched.set(toHex(hash), bytes);
        return true;
      },
    });
    await this.#keep(hashes, fetched);
    for (const [name, bytes] of fetched) found.set(name, bytes);
  }

  async #keep(hashes: readonly Uint8Array[], found: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const items = hashes.flatMap((hash) => {
      const bytes = found.get(toHex(hash));
      return bytes === undefined ? [] : [{ hash, bytes }];
    });
    if (items.length > 0) await this.#dependencies.store.putAttachments(items);
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#closing.signal }).catch(() => undefined);
  }
}
