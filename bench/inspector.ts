import type { Profile } from './cpu-profile.ts';

interface InspectorReply {
  readonly id?: number;
  readonly result?: { readonly profile?: Profile };
  readonly error?: { readonly message: string };
}

const SAMPLING_US = 500;
const REACHABLE_MS = 10_000;

/** Profiles the main thread of a running process, and collects its garbage, through its inspector. */
export class InspectedProcess {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (reply: InspectorReply) => void>();
  #nextId = 1;

  /** Made by `connect` alone. */
  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const reply = JSON.parse(String(data)) as InspectorReply;
      if (reply.id === undefined) return;
      this.#waiting.get(reply.id)?.(reply);
      this.#waiting.delete(reply.id);
    });
  }

  /** Connects to the process that was started with `--inspect=127.0.0.1:port`. */
  static async connect(port: number): Promise<InspectedProcess> {
    const response = await fetch(`http://127.0.0.1:${port}/json/list`, { signal: AbortSignal.timeout(REACHABLE_MS) });
    const [target] = (await response.json()) as readonly { readonly webSocketDebuggerUrl: string }[];
    if (target === undefined) throw new Error(`nothing can be inspected at port ${port}`);
    const socket = new WebSocket(target.webSocketDebuggerUrl);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', () => reject(new Error(`the inspector at port ${port} does not answer`)));
    });
    const inspected = new InspectedProcess(socket);
    await inspected.#call('Profiler.enable');
    await inspected.#call('Profiler.setSamplingInterval', { interval: SAMPLING_US });
    return inspected;
  }

  async startProfile(): Promise<void> {
    await this.#call('Profiler.start');
  }

  /** What the main thread did since `startProfile`. */
  async stopProfile(): Promise<Profile> {
    const { profile } = await this.#call('Profiler.stop');
    if (profile === undefined) throw new Error('the inspector gave no profile');
    return profile;
  }

  /** Frees what nothing refers to, so that the heap in use is the part that lives. */
  async collectGarbage(): Promise<void> {
    await this.#call('HeapProfiler.collectGarbage');
  }

  close(): void {
    this.#socket.close();
  }

  async #call(method: string, params: object = {}): Promise<NonNullable<InspectorReply['result']>> {
    const id = this.#nextId;
    this.#nextId += 1;
    const replied = new Promise<InspectorReply>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params }));
    const { result, error } = await replied;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  }
}
