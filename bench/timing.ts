import { type Latencies, latenciesOf } from './latency.ts';

/** One kind of operation, timed one after another. */
export interface Timing {
  readonly name: string;
  /** The name in a few letters, for plots. */
  readonly label: string;
  readonly repeats: readonly Latencies[];
}

/** Times `run` on each item by itself, the next one when the last has ended, and the whole as often as asked for. */
export async function timeEach<T>(
  [name, label]: readonly [name: string, label: string],
  items: readonly T[],
  repeats: number,
  run: (item: T) => Promise<void> | void,
): Promise<Timing> {
  const measured: Latencies[] = [];
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const durationsUs: number[] = [];
    for (const item of items) {
      const begun = performance.now();
      const running = run(item);
      // A synchronous operation is not charged with a turn of the event loop.
      if (running !== undefined) await running;
      durationsUs.push((performance.now() - begun) * 1_000);
    }
    measured.push(latenciesOf(durationsUs));
  }
  return { name, label, repeats: measured };
}
