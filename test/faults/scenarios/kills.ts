import { numberOfValidator, readClusterGenesis } from '../../cluster/cluster.ts';
import { PrimaryForecast } from '../../cluster/primary.ts';
import { PATIENCE_MS, pause, type Trial } from '../trial.ts';

/** Share of kills of the primary whose turn is next; the others take any node, running or just starting. */
const PRIMARY_SHARE = 0.3;
/** Longest pause before a kill, over what commits take. */
const PAUSE_MS_MAX = 500;
/** Share of victims that die again while they start. */
const AGAIN_SHARE = 0.35;
const AGAIN_MS_MAX = 1_500;
/** Commits that must come between two kills, so that each is one under load. */
const COMMITS_BETWEEN = 3;

/**
 * `kill -9` of `kills` nodes drawn by chance, one after the other, each started again at once. The next is not kept
 * waiting until the last is back: nodes die while they recover, and more are down at times than the ledger bears, so
 * that it has to go on from the disks.
 */
export async function killAtRandom(trial: Trial, kills: number): Promise<string> {
  const { cluster, load, numbers, prng } = trial;
  const forecast = new PrimaryForecast(readClusterGenesis(cluster));
  const back = new Map<number, Promise<void>>();
  let primaries = 0;
  let starting = 0;
  for (let done = 0; done < kills; done += 1) {
    await pause(prng.next() * PAUSE_MS_MAX);
    const isPrimary = prng.chance(PRIMARY_SHARE);
    const drawn = prng.pick(numbers);
    const primary = isPrimary ? await nextPrimary(trial, forecast) : undefined;
    const victim = primary ?? drawn;
    if (primary !== undefined) primaries += 1;
    if (back.has(victim)) starting += 1;
    await cluster.kill([victim]);
    cluster.start([victim]);
    if (prng.chance(AGAIN_SHARE) && done + 1 < kills) {
      await pause(prng.next() * AGAIN_MS_MAX);
      await cluster.kill([victim]);
      cluster.start([victim]);
      done += 1;
      starting += 1;
    }
    const ready = cluster.ready([victim]).then(
      () => {
        if (back.get(victim) === ready) back.delete(victim);
      },
      // Killed again before it was ready.
      () => undefined,
    );
    back.set(victim, ready);
    await load.more(COMMITS_BETWEEN, PATIENCE_MS);
  }
  await Promise.all(back.values());
  await cluster.ready();
  return `${kills} kills, ${primaries} of the next primary, ${starting} of nodes that were starting`;
}

/** Whose turn is next, by a node that answers. */
async function nextPrimary({ cluster }: Trial, forecast: PrimaryForecast): Promise<number | undefined> {
  for (const { client } of cluster.nodes) {
    const status = await client.status(AbortSignal.timeout(1_000)).catch(() => undefined);
    if (status?.ready === true) return numberOfValidator(cluster, await forecast.next(client));
  }
  return undefined;
}
