import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { makePrng, type Prng } from '../simulation/prng.ts';
import { FaultLine, Pipe } from './fault-line.ts';
import type { LineShape } from './network.ts';

interface Target {
  readonly host: string;
  readonly port: number;
}

/** One dialled connection: what came from the node that dials, and, once the way is open, what goes to the other. */
interface Passage {
  readonly from: number;
  readonly to: number;
  readonly sockets: Socket[];
}

/**
 * TCP relays between the nodes of a cluster: a listening port for each ordered pair, so that it is known who speaks to
 * whom. A connection carries two lines, one each way; each may be blocked, delayed, throttled or lossy by itself. A
 * blocked line keeps its bytes, as TCP does with what is not acknowledged, and delivers them when it opens.
 */
export class FaultProxy {
  readonly #lines: readonly (readonly FaultLine[])[];
  readonly #targets: (Target | undefined)[];
  readonly #servers: Server[] = [];
  readonly #ports = new Map<string, number>();
  readonly #passages = new Set<Passage>();
  /** Connections dialled while their way was blocked: they wait as a SYN that nobody answers. */
  readonly #waiting = new Set<() => void>();
  readonly #prng: Prng;

  private constructor(nodes: number, seed: number) {
    this.#lines = Array.from({ length: nodes }, () => Array.from({ length: nodes }, () => new FaultLine()));
    this.#targets = Array.from({ length: nodes });
    this.#prng = makePrng(seed);
  }

  /** Starts listening on free ports of loopback; `seed` draws jitter and losses. */
  static async open(nodes: number, seed: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(nodes, seed);
    for (let from = 0; from < nodes; from += 1)
      for (let to = 0; to < nodes; to += 1) if (from !== to) await proxy.#listen(from, to);
    return proxy;
  }

  /** Where `from` has to dial to reach `to`. */
  portOf(from: number, to: number): number {
    return this.#ports.get(`${from}/${to}`)!;
  }

  /** Where node `number` itself listens. */
  setTarget(number: number, target: Target): void {
    this.#targets[number] = target;
  }

  /** Nothing of what `from` sends reaches `to` any more; what is under way waits. */
  block(from: number, to: number): void {
    this.#lines[from]![to]!.isBlocked = true;
  }

  /** Lets through again what `from` sends to `to`, beginning with what waited. */
  open(from: number, to: number): void {
    const line = this.#lines[from]![to]!;
    line.isBlocked = false;
    line.pump();
    for (const attempt of [...this.#waiting]) attempt();
  }

  shape(from: number, to: number, shape: LineShape): void {
    this.#lines[from]![to]!.shape = shape;
  }

  /** Ends every connection between two nodes as a middlebox does that forgot them: with a reset to both. */
  reset(one: number, other: number): void {
    for (const { from, to, sockets } of [...this.#passages])
      if ((from === one && to === other) || (from === other && to === one))
        for (const socket of sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.#waiting.clear();
    for (const { sockets } of [...this.#passages]) for (const socket of sockets) socket.destroy();
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  async #listen(from: number, to: number): Promise<void> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (dialler) =>
      this.#accept(from, to, dialler),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#servers.push(server);
    this.#ports.set(`${from}/${to}`, (server.address() as AddressInfo).port);
  }

  #accept(from: number, to: number, dialler: Socket): void {
    const passage: Passage = { from, to, sockets: [dialler] };
    this.#passages.add(passage);
    const attempt = () => {
      // A handshake needs both directions.
      if (this.#lines[from]![to]!.isBlocked || this.#lines[to]![from]!.isBlocked) return;
      this.#waiting.delete(attempt);
      this.#join(passage, dialler);
    };
    this.#waiting.add(attempt);
    dialler.on('error', () => undefined);
    dialler.on('close', () => {
      this.#waiting.delete(attempt);
      this.#passages.delete(passage);
    });
    attempt();
  }

  #join(passage: Passage, dialler: Socket): void {
    const { from, to, sockets } = passage;
    const target = this.#targets[to];
    if (target === undefined) {
      dialler.resetAndDestroy();
      return;
    }
    const listener = connect({ ...target, allowHalfOpen: true, noDelay: true });
    dialler.setNoDelay(true);
    sockets.push(listener);
    // Whatever goes wrong with one end is passed on to the other by the pipes.
    listener.on('error', () => undefined);
    const random = () => this.#prng.next();
    const pipes = [
      new Pipe(this.#lines[from]![to]!, dialler, listener, random),
      new Pipe(this.#lines[to]![from]!, listener, dialler, random),
    ];
    for (const socket of [dialler, listener])
      socket.on('close', () => {
        if (dialler.destroyed && listener.destroyed) for (const pipe of pipes) pipe.close();
      });
  }
}
