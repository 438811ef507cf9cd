import type { OuterIndexErrorCode } from './outer-index-error.ts';
import type { OuterPage, OuterQuery } from './query.ts';
import type { AppliedBlock, BlockRows, RecordPosition } from './rows.ts';

/** What the thread is started with. */
export interface WorkerStart {
  readonly file: string;
  /** True to delete what is in the file. */
  readonly fresh: boolean;
}

/** What is asked of the thread; answered one after another, in order. */
export type WorkerRequest =
  | { readonly kind: 'appliedHeight' }
  | { readonly kind: 'apply'; readonly blocks: readonly BlockRows[] }
  | { readonly kind: 'query'; readonly query: OuterQuery }
  | { readonly kind: 'recordPositions'; readonly recordId: Uint8Array }
  | { readonly kind: 'reset'; readonly start: AppliedBlock | null }
  | { readonly kind: 'close' };

/** What each kind of request is answered with. */
export interface WorkerAnswers {
  readonly appliedHeight: number;
  readonly apply: null;
  readonly query: OuterPage;
  readonly recordPositions: readonly RecordPosition[];
  readonly reset: null;
  readonly close: null;
}

/** A request to the thread, and the number that its answer will carry. */
export interface RequestMessage {
  readonly id: number;
  readonly request: WorkerRequest;
}

/** The answer to the request of the same id; id 0 says how opening the file went. */
export type ReplyMessage =
  | { readonly id: number; readonly kind: 'done'; readonly value: WorkerAnswers[keyof WorkerAnswers] }
  | { readonly id: number; readonly kind: 'failed'; readonly code: OuterIndexErrorCode; readonly message: string };

/** Number of the answer that says how opening the file went. */
export const OPENED_ID = 0;
/** Requests that may wait for the thread at once. */
export const REQUESTS_MAX = 256;
