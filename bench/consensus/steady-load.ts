import { latenciesOf } from '../latency.ts';
import { registerCast, type Ward } from '../load/cast.ts';
import { HttpSender, type ReadyRequest } from '../load/http-sender.ts';
import { makeUpRecord } from '../load/made-up-record.ts';
import type { LoadNode } from '../load/messages.ts';
import { submissionRequest } from '../load/prepared-step.ts';
import { madeUpFields } from '../load/record-fields.ts';
import { type ClientState, clientStateOf } from '../measure-step.ts';
import { type Chance, seededChance } from '../seeded-chance.ts';
import type { TrackedTransaction } from './first-commit.ts';

/** What a steady load cost the client. */
export interface SteadyClient {
  readonly cores: number;
  readonly lagP99Ms: number;
  readonly state: ClientState;
}

interface Tracked {
  readonly plannedMs: number;
  committedMs: number;
}

const PATIENTS = 20;
const POLL_MS = 20;

/**
 * Records at a low rate for as long as wanted, each a request of its own, sent to the nodes in turn. Open loop: arrivals
 * of a Poisson process, kept whatever the answers. It runs in the process of the benchmark, so that its times and those
 * of what the benchmark does to the nodes are on one clock.
 */
export class SteadyLoad {
  readonly #wards: readonly Ward[];
  readonly #genesisHash: Uint8Array;
  readonly #seed: number;
  readonly #rate: number;
  readonly #chance: Chance;
  readonly #sender = new HttpSender();
  readonly #avoided = new Set<number>();
  readonly #sent: Tracked[] = [];
  readonly #lagsMs: number[] = [];
  readonly #startedMs = performance.now();
  readonly #cpu = process.cpuUsage();
  readonly #loop: Promise<void>;
  #failed = 0;
  #unanswered = 0;
  #isStopping = false;

  private constructor(wards: readonly Ward[], genesisHash: Uint8Array, seed: number, rate: number) {
    this.#wards = wards;
    this.#genesisHash = genesisHash;
    this.#seed = seed;
    this.#rate = rate;
    this.#chance = seededChance(seed, 'steady');
    this.#loop = this.#run();
  }

  /** Registers accounts with each of the nodes and begins, at `rate` transactions a second over all nodes. */
  static async start(
    nodes: readonly LoadNode[],
    genesisHash: Uint8Array,
    seed: number,
    rate: number,
  ): Promise<SteadyLoad> {
    return new SteadyLoad(await registerCast(nodes, genesisHash, PATIENTS), genesisHash, seed, rate);
  }

  /** Every transaction planned so far. */
  get transactions(): readonly TrackedTransaction[] {
    return this.#sent;
  }

  /** Transactions that were answered with anything but a commit. */
  get failed(): number {
    return this.#failed;
  }

  /** From now on nothing is sent to the node with this number, a client having turned away from it. */
  avoid(number: number): void {
    this.#avoided.add(number);
  }

  use(number: number): void {
    this.#avoided.delete(number);
  }

  /** What the client used since the start: the benchmark's own work included. */
  client(): SteadyClient {
    const { user, system } = process.cpuUsage(this.#cpu);
    const cores = (user + system) / 1_000 / (performance.now() - this.#startedMs);
    const lag = latenciesOf(this.#lagsMs.map((lagMs) => Math.max(0, lagMs) * 1_000));
    return { cores, lagP99Ms: lag.p99, state: clientStateOf(cores, lag) };
  }

  /** Plans nothing more, and waits so long for what is not answered yet. */
  async stop(patienceMs: number): Promise<void> {
    this.#isStopping = true;
    await this.#loop;
    const end = performance.now() + patienceMs;
    while (this.#unanswered > 0 && performance.now() < end)
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    this.#sender.close();
  }

  async #run(): Promise<void> {
    let plannedMs = performance.now();
    for (let number = 0; !this.#isStopping; number += 1) {
      plannedMs += (-Math.log(1 - this.#chance()) * 1_000) / this.#rate;
      const ward = this.#wards[number % this.#wards.length]!;
      const fields = madeUpFields(this.#seed, number);
      const record = await makeUpRecord(ward, this.#genesisHash, 'action', number, fields);
      const waitMs = plannedMs - performance.now();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      this.#lagsMs.push(performance.now() - plannedMs);
      this.#send(plannedMs, submissionRequest(this.#urlOf(number), this.#genesisHash, [record]));
    }
  }

  #send(plannedMs: number, request: ReadyRequest): void {
    const tracked: Tracked = { plannedMs, committedMs: Number.NaN };
    this.#sent.push(tracked);
    this.#unanswered += 1;
    const fail = () => {
      this.#failed += 1;
    };
    this.#sender
      .send(request)
      .then(({ status, text, atMs }) => {
        if (status === 200 && text.includes('"Committed"')) tracked.committedMs = atMs;
        else fail();
      }, fail)
      .finally(() => {
        this.#unanswered -= 1;
      });
  }

  /** The node whose turn it is among those that are used: any takes transactions of any organisation. */
  #urlOf(number: number): string {
    const used = this.#wards.filter((_, place) => !this.#avoided.has(place));
    return used[number % used.length]!.url;
  }
}
