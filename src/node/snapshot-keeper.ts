import type { StateMap } from '../ledger/state-map.ts';
import type { StateSnapshot } from '../storage/snapshot-install.ts';
import type { SnapshotStore } from '../storage/snapshot-store.ts';

/** What snapshots are made of. */
export interface SnapshotKeeperDependencies {
  readonly snapshots: Pick<SnapshotStore, 'write'>;
  /** The state at the head, its height and the interval in force there. */
  readonly head: () => { readonly height: number; readonly map: StateMap; readonly snapshotInterval: number };
  readonly stateSnapshot: () => StateSnapshot;
  readonly onWritten: (height: number, seconds: number) => void;
  readonly onError: (height: number, error: unknown) => void;
}

/**
 * Makes a snapshot at each multiple of the interval. Its state is that of the block: the map is a value that later
 * blocks do not change, and the values are read from a view of the store taken in the turn of the commit. Commits go
 * on meanwhile; a height that comes while one is being written is passed over.
 */
export class SnapshotKeeper {
  readonly #dependencies: SnapshotKeeperDependencies;
  readonly #closing = new AbortController();
  #writing: Promise<void> | undefined;

  constructor(dependencies: SnapshotKeeperDependencies) {
    this.#dependencies = dependencies;
  }

  /** Block `height` was committed, in this turn. Of several committed at once only the last has its state here. */
  blockCommitted(height: number): void {
    if (this.#writing !== undefined || this.#closing.signal.aborted) return;
    const { height: headHeight, map, snapshotInterval } = this.#dependencies.head();
    if (height !== headHeight || height % snapshotInterval !== 0) return;
    this.#writing = this.#write(height, map, this.#dependencies.stateSnapshot()).finally(() => {
      this.#writing = undefined;
    });
  }

  /** Gives up what is being written. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the node is stopping'));
    await this.#writing;
  }

  async #write(height: number, map: StateMap, state: StateSnapshot): Promise<void> {
    const { snapshots, onWritten, onError } = this.#dependencies;
    const startMs = performance.now();
    try {
      await snapshots.write({ height, map, entries: () => state.entries() }, this.#closing.signal);
      onWritten(height, (performance.now() - startMs) / 1_000);
    } catch (error) {
      // Without a snapshot the node is as good as before: only those who join must ask another.
      if (!this.#closing.signal.aborted) onError(height, error);
    } finally {
      await state.close();
    }
  }
}
