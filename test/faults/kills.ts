import { numberOfValidator, readClusterGenesis } from '../node/cluster.ts';
import { PrimaryForecast } from '../node/primary.ts';
import { PATIENCE_MS, pause, type Trial } from './trial.ts';

/** Shares of kills: of the primary whose turn is next, and of a second node before the first is back. */
const PRIMARY_SHARE = 0.3;
const SECOND_SHARE = 0.2;
/** A node may be killed this long after it is ready, while it starts, or at any moment between. */
const REST_MS_MAX = 400;
const STARTING_SHARE = 0.15;
const STARTING_MS_MAX = 1_500;
/** Commits that must come between, so that every kill is one under load. */
const COMMITS_BETWEEN = 3;

/** `kill -9` of nodes drawn by chance, `kills` times in all, each started again at once. */
export async function killAtRandom(trial: Trial, kills: number): Promise<string> {
  const { cluster, load, numbers, prng } = trial;
  const forecast = new PrimaryForecast(readClusterGenesis(cluster));
  let done = 0;
  let primaries = 0;
  let pairs = 0;
  while (done < kills) {
    await pause(prng.next() * REST_MS_MAX);
    const isPrimary = prng.chance(PRIMARY_SHARE);
    let first = prng.pick(numbers);
    if (isPrimary) first = numberOfValidator(cluster, await forecast.next(cluster.nodes[prng.pick(numbers)]!.client));
    const second = prng.pick(numbers.filter((number) => number !== first));
    const victims = prng.chance(SECOND_SHARE) && done + 2 <= kills ? [first, second] : [first];
    if (isPrimary) primaries += 1;
    if (victims.length === 2) pairs += 1;
    await cluster.kill(victims);
    cluster.start(victims);
    done += victims.length;
    if (prng.chance(STARTING_SHARE) && done < kills) {
      await pause(prng.next() * STARTING_MS_MAX);
      await cluster.kill([first]);
      cluster.start([first]);
      done += 1;
    }
    await cluster.ready(victims);
    await load.more(COMMITS_BETWEEN, PATIENCE_MS);
  }
  return `${done} kills, ${primaries} of the next primary, ${pairs} of two at once`;
}
