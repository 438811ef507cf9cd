import type { StateEntry } from './block-commit.ts';
import type { CheckedLevel } from './checked-level.ts';
import {
  decodeInstall,
  decodeRanges,
  encodeInstall,
  encodeRanges,
  encodeTip,
  encodeU64,
  GAPS_KEY,
  heightKey,
  INSTALL_KEY,
  type InstallRecord,
  PREFIX,
  prefixed,
  TIP_KEY,
} from './schema.ts';

/** Items moved in one batch. */
const MOVE_BATCH = 2_000;

/** All of the state as of one moment. */
export interface StateSnapshot {
  /** By key. */
  entries(): AsyncGenerator<StateEntry>;
  close(): Promise<void>;
}

/** A block of the chain of headers up to a snapshot. */
export interface LinkedHeader {
  readonly height: number;
  readonly hash: Uint8Array;
  /** Canonical bytes. */
  readonly header: Uint8Array;
  /** Canonical bytes; null where none was needed to prove the chain. */
  readonly certificate: Uint8Array | null;
}

/**
 * A state being fetched, beside the one in force. Nothing of it counts before `seal`; after that it counts as a whole,
 * whatever happens: `completeInstall` finishes what a crash interrupted.
 */
export class SnapshotInstall {
  readonly #level: CheckedLevel;

  constructor(level: CheckedLevel) {
    this.#level = level;
  }

  /** Forgets what an earlier attempt left. */
  async begin(): Promise<void> {
    await this.#level.clear(PREFIX.staged);
  }

  /** Takes verified entries of the state; the same again changes nothing. Error: WriteFailed. */
  async putState(entries: readonly StateEntry[]): Promise<void> {
    await this.#level.write(false, (batch) => {
      for (const { key, value } of entries) batch.put(staged(prefixed(PREFIX.state, key)), value);
    });
  }

  /** Takes verified headers, with which peers are answered later. Error: WriteFailed. */
  async putHeaders(headers: readonly LinkedHeader[]): Promise<void> {
    await this.#level.write(false, (batch) => {
      for (const { height, hash, header, certificate } of headers) {
        batch.put(staged(heightKey(PREFIX.header, height)), header);
        batch.put(staged(prefixed(PREFIX.heightByHash, hash)), encodeU64(height));
        if (certificate !== null) batch.put(staged(heightKey(PREFIX.certificate, height)), certificate);
      }
    });
  }

  /** All state entries taken so far, by key. */
  async *state(): AsyncGenerator<StateEntry> {
    for await (const { key, value } of this.#level.items(PREFIX.staged, () => 'a staged item')) {
      if (key[0] === PREFIX.state) yield { key: key.slice(1), value };
    }
  }

  /** From this synced write on the state counts; the rest may be done after a crash. Error: WriteFailed. */
  async seal(record: InstallRecord): Promise<void> {
    await this.#level.write(true, (batch) => batch.put(INSTALL_KEY, encodeInstall(record)));
  }
}

/**
 * Puts a sealed snapshot in place of the state that was there, or removes what was never sealed. Repeated after a
 * crash at any instruction it comes to the same. Called before anything of the state is read.
 */
export async function completeInstall(level: CheckedLevel): Promise<void> {
  const record = await level.value(INSTALL_KEY, 'record of an installation', decodeInstall);
  if (record !== undefined) {
    await level.clear(PREFIX.state);
    await moveStaged(level);
    const gaps = (await level.value(GAPS_KEY, 'list of gaps', decodeRanges)) ?? [];
    const gap = { from: record.gapFrom, through: record.tip.height };
    await level.write(true, (batch) => {
      batch.put(TIP_KEY, encodeTip(record));
      batch.put(GAPS_KEY, encodeRanges([...gaps, gap]));
      batch.del(INSTALL_KEY);
    });
  }
  await level.clear(PREFIX.staged);
}

async function moveStaged(level: CheckedLevel): Promise<void> {
  let items: { readonly key: Uint8Array; readonly value: Uint8Array }[] = [];
  const flush = async () => {
    const full = items;
    items = [];
    await level.write(false, (batch) => {
      for (const { key, value } of full) batch.put(key, value);
    });
  };
  for await (const item of level.items(PREFIX.staged, () => 'a staged item')) {
    items.push(item);
    if (items.length >= MOVE_BATCH) await flush();
  }
  await flush();
}

function staged(key: Uint8Array): Uint8Array {
  return prefixed(PREFIX.staged, key);
}
