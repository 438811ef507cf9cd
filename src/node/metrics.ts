import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { addConsensusGauges, type ConsensusMetricSources } from './consensus-metrics.ts';

/** What a node measures of itself; no name or label ever carries clinical data or an account. */
export interface Metrics {
  readonly registry: Registry;
  readonly viewChanges: Counter;
  readonly transactionsCommitted: Counter;
  readonly transactionsRejected: Counter<'code'>;
  readonly blockInterval: Histogram;
  readonly executionDuration: Histogram;
  readonly commitDuration: Histogram;
  readonly journalDuration: Histogram;
  readonly messagesDropped: Counter<'reason'>;
}

/** Readings that are taken when the metrics are asked for. */
export interface MetricSources extends ConsensusMetricSources {
  height(): number;
  view(): number;
  mempoolTransactions(): number;
  mempoolBytes(): number;
  connectedPeers(): number;
  missingValidators(): number;
  indexLagBlocks(): number;
  /** What the network dropped since the start, by reason. */
  networkDropped(): Readonly<Record<string, number>>;
  protocolBytes(): readonly { readonly protocol: string; readonly direction: 'in' | 'out'; readonly bytes: number }[];
  /** Frames of the direct channels since the start. */
  frames(): readonly { readonly frameClass: string; readonly direction: 'in' | 'out'; readonly count: number }[];
}

const DURATION_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** Every metric of the node, in a registry of its own; the unit ends each name. */
export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  const histogram = (name: string, help: string) => new Histogram({ name, help, registers, buckets: DURATION_BUCKETS });
  gauge('medledger_consensus_height', 'Height of the last committed block', sources.height);
  gauge('medledger_consensus_view', 'View of the height being decided', sources.view);
  gauge('medledger_mempool_transactions', 'Transactions waiting for a block', sources.mempoolTransactions);
  gauge('medledger_mempool_bytes', 'Bytes of waiting transactions with attachments', sources.mempoolBytes);
  gauge('medledger_p2p_peers', 'Connected members', sources.connectedPeers);
  gauge('medledger_consensus_missing_validators', 'Validators not connected', sources.missingValidators);
  gauge('medledger_index_lag_blocks', 'Committed blocks that the outer index has not seen', sources.indexLagBlocks);
  gauge('medledger_process_heap_bytes', 'JavaScript heap in use', () => process.memoryUsage().heapUsed);
  gauge('medledger_process_resident_bytes', 'Memory of the process in RAM', () => process.memoryUsage.rss());
  addConsensusGauges(registry, sources);
  new Gauge({
    name: 'medledger_p2p_bytes',
    help: 'Bytes exchanged since the start, by protocol and direction',
    labelNames: ['protocol', 'direction'],
    registers,
    collect() {
      for (const { protocol, direction, bytes } of sources.protocolBytes()) this.set({ protocol, direction }, bytes);
    },
  });
  new Gauge({
    name: 'medledger_p2p_frames',
    help: 'Frames exchanged on the direct channels since the start, by class and direction',
    labelNames: ['class', 'direction'],
    registers,
    collect() {
      for (const { frameClass, direction, count } of sources.frames())
        this.set({ class: frameClass, direction }, count);
    },
  });
  new Gauge({
    name: 'medledger_p2p_dropped',
    help: 'What the network dropped since the start, by reason',
    labelNames: ['reason'],
    registers,
    collect() {
      for (const [reason, count] of Object.entries(sources.networkDropped())) this.set({ reason }, count);
    },
  });
  return {
    registry,
    viewChanges: new Counter({
      name: 'medledger_consensus_view_changes_total',
      help: 'View changes this node asked for',
      registers,
    }),
    transactionsCommitted: new Counter({
      name: 'medledger_transactions_committed_total',
      help: 'Transactions committed since the start',
      registers,
    }),
    transactionsRejected: new Counter({
      name: 'medledger_transactions_rejected_total',
      help: 'Transactions refused, by error code',
      labelNames: ['code'],
      registers,
    }),
    blockInterval: histogram('medledger_consensus_block_interval_seconds', 'Time between commits'),
    executionDuration: histogram('medledger_execution_duration_seconds', 'Time to execute a proposed block'),
    commitDuration: histogram(
      'medledger_storage_commit_duration_seconds',
      'Time of the synced batch of a block, or of several',
    ),
    journalDuration: histogram('medledger_journal_append_duration_seconds', 'Time of a synced journal append'),
    messagesDropped: new Counter({
      name: 'medledger_consensus_messages_dropped_total',
      help: 'Consensus messages dropped, by reason',
      labelNames: ['reason'],
      registers,
    }),
  };
}
