import type { Logger } from 'pino';
import { equalBytes, fromHex, toHex } from '../codec/bytes.ts';
import type { HeightContext, Input } from '../consensus/input.ts';
import { blockHash } from '../ledger/block.ts';
import type { Certificate } from '../ledger/certificate.ts';
import type { RequestHandlers } from '../p2p/answer.ts';
import type { Store } from '../storage/block-store.ts';
import type { SnapshotStore } from '../storage/snapshot-store.ts';
import { CatchUp, type CatchUpDependencies } from './catch-up.ts';
import type { Chain } from './chain.ts';
import type { CommitGate } from './commit-gate.ts';
import type { NodeConfig } from './config.ts';
import type { TrustedBlock } from './header-proof.ts';
import { createHistoryServer } from './history-server.ts';
import { NotAvailableError } from './history-source.ts';
import type { IndexFeed } from './index-feed.ts';
import { OperatorError } from './operator-error.ts';
import { SnapshotJoin } from './snapshot-join.ts';
import { SnapshotKeeper } from './snapshot-keeper.ts';

const HOUR_MS = 3_600_000;

/** What following the ledger needs of the node. */
interface SyncDependencies {
  readonly chain: Chain;
  readonly store: Store;
  readonly snapshots: SnapshotStore;
  readonly requests: CatchUpDependencies['requests'] & {
    reportMalformed(peer: Uint8Array, reason: string): void;
  };
  readonly parts: Pick<CatchUpDependencies, 'mempool' | 'intake' | 'held' | 'commit'>;
  readonly gate: Pick<CommitGate, 'adopt'>;
  readonly feed: Pick<IndexFeed, 'close' | 'reopen'>;
  /** Tells consensus. */
  readonly deliver: (input: Input) => void;
  readonly onFatal: (error: unknown) => void;
  readonly log: Logger;
  readonly nowMs: () => number;
}

/** The parts of a node that follow the ledger where it did not take part, and help others to. */
export interface Sync {
  readonly catchUp: CatchUp;
  readonly snapshotKeeper: SnapshotKeeper;
  /** The handlers of requests, completed by those of the past. */
  answerWith(handlers: Omit<RequestHandlers, 'history'>): RequestHandlers;
}

/** Puts these parts together. Throws an OperatorError when the pinned block is not on this node's own chain. */
export async function createSync(config: NodeConfig['sync'], dependencies: SyncDependencies): Promise<Sync> {
  const { chain, store, snapshots, requests, parts, gate, feed, deliver, onFatal, log, nowMs } = dependencies;
  const onApplied = (context: HeightContext, certificate: Certificate) =>
    deliver({ kind: 'Applied', context, certificate });
  const onBadPeer = (peer: Uint8Array, reason: string) => {
    log.warn({ peer: toHex(peer), reason }, 'a peer served what is not so');
    requests.reportMalformed(peer, reason);
  };
  const anchor = config.anchor && { height: config.anchor.height, hash: fromHex(config.anchor.hash) };
  if (anchor !== undefined) await checkAnchor(store, anchor);
  const join = new SnapshotJoin({
    chain,
    store,
    requests,
    anchor,
    onBadPeer,
    log,
    async install(state, certificate) {
      // Between two states the index would look for blocks that are not here.
      await feed.close();
      const isAdopted = await gate.adopt(state);
      await feed.reopen();
      if (!isAdopted) throw new NotAvailableError('the chain moved while the state was fetched');
      onApplied(chain.heightContext(), certificate);
    },
  });
  const catchUp = new CatchUp({
    ...parts,
    chain,
    requests,
    onApplied,
    onTipShown: (peer, height) => deliver({ kind: 'TipShown', peer, height }),
    onBadPeer,
    onFatal,
    join: config.history === 'full' ? undefined : join,
    snapshotDistance: () => config.snapshotDistance ?? chain.parameters.keepRecent,
    anchor,
    wasAwayLong: nowMs() - chain.tip.timestampMs > config.awayHoursMax * HOUR_MS,
  });
  const snapshotKeeper = new SnapshotKeeper({
    snapshots,
    head: () => ({
      height: chain.tip.height,
      map: chain.map,
      snapshotInterval: chain.parameters.snapshotInterval,
    }),
    stateSnapshot: () => store.stateSnapshot(),
    onWritten: (height, seconds) => log.info({ height, seconds }, 'snapshot written'),
    onError: (height, error) => log.error({ height, err: error }, 'a snapshot could not be written'),
  });
  return {
    catchUp,
    snapshotKeeper,
    answerWith(handlers) {
      const history = createHistoryServer({
        store,
        startHeight: chain.startHeight,
        snapshots,
        knownSets() {
          const { validators, nextValidators } = chain.heightContext();
          return [validators, nextValidators];
        },
        block: (hash) => handlers.block(hash, hash),
      });
      return { ...handlers, history };
    },
  };
}

async function checkAnchor(store: Store, anchor: TrustedBlock): Promise<void> {
  const header = await store.header(anchor.height);
  if (header === undefined || equalBytes(blockHash(header), anchor.hash)) return;
  throw new OperatorError(
    `Block ${anchor.height} of this node is not the one that sync.anchor pins. Compare the hash with other members ` +
      'again. If theirs is the pinned one, this node was led onto a false history: move the folder "ledger" away.',
  );
}
