import { registerCast, type Ward } from './cast.ts';
import { fillLedger } from './fill.ts';
import { HttpSender } from './http-sender.ts';
import type { LoadReply, LoadRequest } from './messages.ts';
import { type PreparedStep, prepareStep } from './prepared-step.ts';
import { runStep } from './run-step.ts';

/**
 * The load generator: a process of its own, so that its CPU time is told apart and nothing but load disturbs its
 * timing. Serves the parent over the channel of `fork` until that closes.
 */
export function serveLoad(): void {
  const sender = new HttpSender();
  const generator = new Generator(sender);
  process.on('message', (request: LoadRequest) => {
    generator
      .answer(request)
      .then(reply, (error: Error) => reply({ kind: 'failed', message: error.stack ?? error.message }));
  });
  process.on('disconnect', () => process.exit());
}

function reply(message: LoadReply): void {
  process.send?.(message);
}

class Generator {
  readonly #sender: HttpSender;
  #wards: readonly Ward[] = [];
  #genesisHash: Uint8Array = new Uint8Array(0);
  #seed = 0;
  #prepared: PreparedStep | undefined;

  constructor(sender: HttpSender) {
    this.#sender = sender;
  }

  async answer(request: LoadRequest): Promise<LoadReply> {
    switch (request.kind) {
      case 'open':
        this.#seed = request.seed;
        this.#genesisHash = request.genesisHash;
        this.#wards = await registerCast(request.nodes, request.genesisHash, request.patientsPerNode);
        return { kind: 'opened' };
      case 'prepare':
        this.#prepared = await prepareStep(this.#wards, this.#genesisHash, this.#seed, request.step);
        return { kind: 'prepared', facts: this.#prepared.facts };
      case 'run':
        return { kind: 'ran', report: await this.#run() };
      case 'fill': {
        const report = await fillLedger(this.#wards, this.#genesisHash, this.#seed, this.#sender, request.fill);
        return { kind: 'filled', report };
      }
    }
  }

  #run() {
    const prepared = this.#prepared;
    if (prepared === undefined) throw new Error('no step is prepared');
    this.#prepared = undefined;
    return runStep(prepared, this.#sender, {
      onIntervalBegins: () => reply({ kind: 'intervalBegins' }),
      onIntervalEnds: () => reply({ kind: 'intervalEnds' }),
    });
  }
}
