import assert from 'node:assert/strict';
import { wrongClock } from '../preload.ts';
import { assertInterruption, caughtUp, PATIENCE_MS, type Trial } from '../trial.ts';

const HOUR_MS = 3_600_000;
/** Above `precisionMs` of a usual ledger, with room for this machine's own delays. */
const AHEAD_MS_MAX = 1_000;

/** One node an hour ahead, then another an hour behind: the others go on, and the ledger's time stays right. */
export async function clockAnHourOff(trial: Trial): Promise<string> {
  const { cluster, load, numbers, prng, avoided } = trial;
  const ahead = prng.pick(numbers);
  const behind = prng.pick(numbers.filter((number) => number !== ahead));
  const remarks: string[] = [];
  for (const [number, offMs, name] of [
    [ahead, HOUR_MS, 'ahead'],
    [behind, -HOUR_MS, 'behind'],
  ] as const) {
    // Clients see at once that such a node judges their transactions by another time.
    avoided.add(number);
    assert.deepEqual(await cluster.terminate([number]), [0]);
    cluster.start([number], wrongClock(offMs));
    const startMs = performance.now();
    await load.more(200, PATIENCE_MS);
    const gapMs = assertInterruption(load, startMs);
    await caughtUp(trial, number);
    const { timestampMs } = await cluster.nodes[number]!.client.status();
    assert(Math.abs(timestampMs - Date.now()) < HOUR_MS / 2, `the ledger's time is off: ${timestampMs}`);
    assert(timestampMs <= Date.now() + AHEAD_MS_MAX, 'the ledger is ahead of its time');
    remarks.push(`an hour ${name}: gap ${gapMs.toFixed(0)} ms, it follows`);
    assert.deepEqual(await cluster.terminate([number]), [0]);
    cluster.start([number]);
    await cluster.ready([number]);
    avoided.delete(number);
  }
  await load.more(60, PATIENCE_MS);
  return remarks.join('; ');
}
