import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** First argument with which the entry point runs as the flooder. */
export const FLOODER = 'flooder';

/** What the flooder is to do. */
export interface FloodOrder {
  /** Data folder of the validator in whose name it floods, which must not run. */
  readonly folder: string;
  readonly seed: number;
  /** Frames a second to each peer. */
  readonly framesPerSecond: number;
  readonly lengthMs: number;
  /** Other validators that run. */
  readonly peers: number;
}

/** What it did. */
export interface FloodReport {
  /** Consensus frames, to each peer. */
  readonly frames: number;
  readonly transactions: number;
  /** Frames of no meaning, each of which ended the connection. */
  readonly garbage: number;
  /** Share of the time in which it was connected to all, and in which it waited for a peer to take what it had sent. */
  readonly connectedShare: number;
  readonly heldBackShare: number;
  readonly seconds: number;
}

/** What the flooder's process answers. */
export type FloodReply =
  | { readonly kind: 'flooded'; readonly report: FloodReport }
  | { readonly kind: 'failed'; readonly message: string };

/** The flooder, a process of its own as a hostile node is; `entry` is the script that serves when called with FLOODER. */
export class FloodProcess {
  readonly #child: ChildProcess;
  readonly #reply: Promise<FloodReply>;

  constructor(entry: string, order: FloodOrder) {
    this.#child = fork(entry, [FLOODER], { execArgv: ['--disable-warning=ExperimentalWarning'] });
    const ended = once(this.#child, 'exit').then(
      ([code, signal]): FloodReply => ({ kind: 'failed', message: `it ended by itself (${signal ?? code})` }),
    );
    const answered = once(this.#child, 'message').then(([message]) => message as FloodReply);
    this.#reply = Promise.race([answered, ended]);
    this.#child.send(order);
  }

  /** Ends the flood; returns what it was. */
  async stop(): Promise<FloodReport> {
    if (this.#child.connected) this.#child.send('stop');
    const reply = await this.#reply;
    if (this.#child.connected) this.#child.disconnect();
    if (reply.kind === 'failed') throw new Error(`the flooder failed: ${reply.message}`);
    return reply.report;
  }
}
