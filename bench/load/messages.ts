import type { Collecting } from '../open-loop.ts';

/**
 * What a load consists of, each including the one before: `action` creates records without an attachment,
 * `attachment` adds encrypted search fields and six key wraps, `payload` puts an encrypted payload of about 2 KB first.
 */
export type Line = 'action' | 'attachment' | 'payload';

/** One node as the load generator needs it. */
export interface LoadNode {
  readonly url: string;
  /** Key file of the organisation that runs it. */
  readonly keyFile: string;
}

/** One measured step of open-loop load. */
export interface LoadStep {
  readonly line: Line;
  /** Planned transactions a second over all nodes. */
  readonly rate: number;
  readonly rampMs: number;
  readonly intervalMs: number;
  readonly collecting: Collecting;
  /** Names the step among those of the run, so that no two have the same plan. */
  readonly label: string;
}

/** Records that are to be put on the ledger as fast as it takes them, without measuring latency. */
export interface LoadFill {
  readonly records: number;
  readonly perRequest: number;
  readonly requestsAtOnce: number;
}

/** What the controller asks of the load generator's process, one at a time. */
export type LoadRequest =
  | {
      readonly kind: 'open';
      readonly nodes: readonly LoadNode[];
      readonly genesisHash: Uint8Array;
      readonly patientsPerNode: number;
      readonly seed: number;
    }
  | { readonly kind: 'prepare'; readonly step: LoadStep }
  | { readonly kind: 'run' }
  | { readonly kind: 'fill'; readonly fill: LoadFill };

/** What was prepared: means over all transactions of the step, in bytes. */
export interface PreparedFacts {
  readonly transactions: number;
  readonly requests: number;
  readonly actionBytes: number;
  readonly transactionBytes: number;
  readonly attachmentBytes: number;
  readonly payloadBytes: number;
}

/** What the load generator saw in one step. Times in milliseconds from the step's start. */
export interface StepReport {
  readonly plannedMs: Float64Array;
  /** NaN where no commit was seen. */
  readonly committedMs: Float64Array;
  /** How much later than planned each request left, milliseconds. */
  readonly sendLagMs: Float64Array;
  /** Transactions that did not commit, by what became of them. */
  readonly failures: Readonly<Record<string, number>>;
  /** CPU time of the load generator within the measured interval, seconds. */
  readonly clientCpuSeconds: number;
}

/** What was filled in. */
export interface FillReport {
  /** The record ids, 16 bytes each, in the order of their numbers. */
  readonly recordIds: Uint8Array;
  readonly organisation: Uint8Array;
  readonly seconds: number;
}

/** What the load generator's process answers. */
export type LoadReply =
  | { readonly kind: 'opened' }
  | { readonly kind: 'prepared'; readonly facts: PreparedFacts }
  /** The ramp is over; the measured interval begins, or has ended. */
  | { readonly kind: 'intervalBegins' }
  | { readonly kind: 'intervalEnds' }
  | { readonly kind: 'ran'; readonly report: StepReport }
  | { readonly kind: 'filled'; readonly report: FillReport }
  | { readonly kind: 'failed'; readonly message: string };
