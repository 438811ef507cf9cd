import assert from 'node:assert/strict';
import { signRecord } from '../../cluster/record-load.ts';
import type { LineShape } from '../network.ts';
import { PATIENCE_MS, type Trial } from '../trial.ts';

/** A bad line between continents, a worse one, and one whose round trip is close to the timeout of view 0. */
const LINES: readonly LineShape[] = [
  { delayMs: 40, jitterMs: 40, loss: 0.01, bytesPerSecond: null },
  { delayMs: 80, jitterMs: 120, loss: 0.05, bytesPerSecond: 200_000 },
  { delayMs: 300, jitterMs: 300, loss: 0.05, bytesPerSecond: null },
];
/** A transaction, its proposal and two rounds of votes follow one another: at least so many lines. */
const LINES_TO_COMMIT = 3;

/** Delay, jitter, loss and narrow lines between all nodes: commits go on, more slowly. */
export async function delayAndLoss(trial: Trial): Promise<string> {
  const { network, load, numbers } = trial;
  const remarks: string[] = [];
  for (const shape of LINES) {
    for (const from of numbers) for (const to of numbers) if (from !== to) network.shape(from, to, shape);
    const startMs = performance.now();
    await load.more(60, PATIENCE_MS);
    const spentMs = performance.now() - startMs;
    const latencyMs = await latencyOfOne(trial);
    assert(latencyMs >= LINES_TO_COMMIT * shape.delayMs, `a commit took ${latencyMs} ms: the lines were not delayed`);
    remarks.push(
      `${shape.delayMs}+${shape.jitterMs} ms, ${shape.loss * 100} %: ${(60_000 / spentMs).toFixed(0)} tx/s, one commit ${latencyMs.toFixed(0)} ms`,
    );
  }
  network.heal();
  await load.more(30, PATIENCE_MS);
  return remarks.join('; ');
}

async function latencyOfOne({ cluster, parties }: Trial): Promise<number> {
  const transaction = await signRecord(cluster.genesisHash, parties[0]!);
  const startMs = performance.now();
  const [status] = await cluster.nodes[0]!.client.submit([transaction], PATIENCE_MS);
  assert.equal(status?.status, 'Committed');
  return performance.now() - startMs;
}
