/** One reading of a node's /metrics: value by series name, labels included as they stand. */
export type MetricReading = ReadonlyMap<string, number>;

/** Reads the metrics from a node's operator interface. */
export async function readMetrics(operatorUrl: string): Promise<MetricReading> {
  const response = await fetch(`${operatorUrl}/metrics`);
  if (!response.ok) throw new Error(`${operatorUrl}/metrics answers ${response.status}`);
  return parseMetrics(await response.text());
}

/** The series of the text format of Prometheus, version 0.0.4. */
export function parseMetrics(text: string): MetricReading {
  const series = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const [, name, value] = /^([a-zA-Z_:][a-zA-Z0-9_:]*(?:\{.*\})?)\s+(\S+)/.exec(line) ?? [];
    if (name !== undefined) series.set(name, Number(value));
  }
  return series;
}

/** What a node did between two readings. */
export interface NodeWork {
  readonly blocks: number;
  readonly transactions: number;
  readonly executionMsPerBlock: number;
  readonly commitMsPerBlock: number;
  readonly journalAppendsPerBlock: number;
  readonly journalMsPerAppend: number;
  /** Bytes sent to other nodes, over all protocols. */
  readonly sentBytes: number;
  /** Messages sent to other nodes on the direct channels. */
  readonly sentFrames: number;
  readonly viewChanges: number;
  readonly messagesDropped: number;
}

/** The difference of two readings of one node. */
export function workBetween(before: MetricReading, after: MetricReading): NodeWork {
  const grown = (matches: (name: string) => boolean) => {
    let sum = 0;
    for (const [name, value] of after) if (matches(name)) sum += value - (before.get(name) ?? 0);
    return sum;
  };
  const of = (name: string) => grown((series) => series === name);
  const meanMs = (name: string) => (1_000 * of(`${name}_sum`)) / Math.max(1, of(`${name}_count`));
  const blocks = of('medledger_storage_commit_duration_seconds_count');
  return {
    blocks,
    transactions: of('medledger_transactions_committed_total'),
    executionMsPerBlock: meanMs('medledger_execution_duration_seconds'),
    commitMsPerBlock: meanMs('medledger_storage_commit_duration_seconds'),
    journalAppendsPerBlock: of('medledger_journal_append_duration_seconds_count') / Math.max(1, blocks),
    journalMsPerAppend: meanMs('medledger_journal_append_duration_seconds'),
    sentBytes: grown((name) => name.startsWith('medledger_p2p_bytes{') && name.includes('direction="out"')),
    sentFrames: grown((name) => name.startsWith('medledger_p2p_frames{') && name.includes('direction="out"')),
    viewChanges: of('medledger_consensus_view_changes_total'),
    messagesDropped: grown((name) => name.startsWith('medledger_consensus_messages_dropped_total')),
  };
}
