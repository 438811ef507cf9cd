import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { FillReport, LoadFill, LoadReply, LoadRequest, LoadStep, PreparedFacts, StepReport } from './messages.ts';

/** First argument with which the entry point runs as the load generator. */
export const LOAD_GENERATOR = 'load-generator';

/** Told at the edges of the measured interval. */
export interface IntervalEdges {
  onBegins(): void;
  onEnds(): void;
}

/** The load generator's process, from outside: one request at a time. */
export class LoadClient {
  readonly #child: ChildProcess;
  readonly #exited: Promise<never>;

  /** Starts the process; `entry` is the script that serves when its first argument is LOAD_GENERATOR. */
  constructor(entry: string) {
    this.#child = fork(entry, [LOAD_GENERATOR], {
      serialization: 'advanced',
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    this.#exited = once(this.#child, 'exit').then(([code, signal]) => {
      throw new Error(`the load generator ended by itself (${signal ?? code})`);
    });
    // Awaited only while a request is under way.
    this.#exited.catch(() => undefined);
  }

  async open(request: Omit<Extract<LoadRequest, { kind: 'open' }>, 'kind'>): Promise<void> {
    await this.#ask({ kind: 'open', ...request }, 'opened');
  }

  async prepare(step: LoadStep): Promise<PreparedFacts> {
    return (await this.#ask({ kind: 'prepare', step }, 'prepared')).facts;
  }

  /** Runs the prepared step. */
  async run(edges: IntervalEdges): Promise<StepReport> {
    const onMessage = ({ kind }: LoadReply) => {
      if (kind === 'intervalBegins') edges.onBegins();
      if (kind === 'intervalEnds') edges.onEnds();
    };
    this.#child.on('message', onMessage);
    try {
      return (await this.#ask({ kind: 'run' }, 'ran')).report;
    } finally {
      this.#child.off('message', onMessage);
    }
  }

  async fill(fill: LoadFill): Promise<FillReport> {
    return (await this.#ask({ kind: 'fill', fill }, 'filled')).report;
  }

  /** Ends the process. */
  close(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  #ask<K extends LoadReply['kind']>(request: LoadRequest, kind: K): Promise<Extract<LoadReply, { kind: K }>> {
    const answered = new Promise<Extract<LoadReply, { kind: K }>>((resolve, reject) => {
      const onMessage = (message: LoadReply) => {
        if (message.kind === 'intervalBegins' || message.kind === 'intervalEnds') return;
        this.#child.off('message', onMessage);
        if (message.kind === kind) resolve(message as Extract<LoadReply, { kind: K }>);
        else reject(new Error(message.kind === 'failed' ? message.message : `an answer of the kind ${message.kind}`));
      };
      this.#child.on('message', onMessage);
    });
    this.#child.send(request);
    return Promise.race([answered, this.#exited]);
  }
}
