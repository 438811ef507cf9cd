import assert from 'node:assert/strict';
import { numberOfValidator, readClusterGenesis } from '../../cluster/cluster.ts';
import { PrimaryForecast } from '../../cluster/primary.ts';
import { separate } from '../network.ts';
import {
  assertInterruption,
  caughtUp,
  heightOf,
  linksRecovered,
  PATIENCE_MS,
  POLL_MS,
  pause,
  type Trial,
} from '../trial.ts';

/** How long what was under way when a line was cut may still arrive. */
const ECHO_MS = 2_000;
const CUT_MS = 6_000;
/** Long enough for TCP to wait twenty seconds and more between its attempts. */
const LONG_CUT_MS = 30_000;

/** Two halves, neither of them a quorum: nobody decides anything until they meet again. */
export async function splitInHalves(trial: Trial): Promise<string> {
  const { cluster, network, load, numbers, prng } = trial;
  const remarks: string[] = [];
  for (let round = 0; round < 2; round += 1) {
    const shuffled = [...numbers].sort(() => prng.next() - 0.5);
    const half = shuffled.slice(0, Math.floor(numbers.length / 2));
    separate(network, half, shuffled.slice(half.length));
    await pause(ECHO_MS);
    const before = await Promise.all(numbers.map((number) => heightOf(cluster, number)));
    await pause(CUT_MS);
    const after = await Promise.all(numbers.map((number) => heightOf(cluster, number)));
    assert.deepEqual(after, before, 'a height was decided without a quorum');
    const healedMs = performance.now();
    network.heal();
    await load.more(30, PATIENCE_MS);
    const firstMs = load.acknowledged.find(({ atMs }) => atMs > healedMs)!.atMs - healedMs;
    const linksMs = await linksRecovered(trial);
    for (const number of numbers) await caughtUp(trial, number);
    remarks.push(`first commit ${firstMs.toFixed(0)} ms, all lines ${linksMs.toFixed(0)} ms after`);
  }
  return `cut twice for ${(ECHO_MS + CUT_MS) / 1_000} s, no height decided; ${remarks.join(', ')}`;
}

/** The next primary alone: the others replace it and go on; it decides nothing and catches up. */
export async function isolatePrimary(trial: Trial): Promise<string> {
  const { cluster, network, load, numbers } = trial;
  const forecast = new PrimaryForecast(readClusterGenesis(cluster));
  const remarks: string[] = [];
  for (let round = 0; round < 2; round += 1) {
    const primary = numberOfValidator(cluster, await forecast.next(cluster.nodes[0]!.client));
    const cutMs = performance.now();
    separate(
      network,
      [primary],
      numbers.filter((number) => number !== primary),
    );
    await pause(ECHO_MS);
    const before = await heightOf(cluster, primary);
    await pause(CUT_MS);
    await load.more(30, PATIENCE_MS);
    assert.equal(await heightOf(cluster, primary), before, 'the isolated node decided a height alone');
    network.heal();
    const caughtUpMs = await caughtUp(trial, primary);
    const linksMs = await linksRecovered(trial);
    await load.more(30, PATIENCE_MS);
    const gapMs = assertInterruption(load, cutMs);
    remarks.push(
      `gap ${gapMs.toFixed(0)} ms, caught up in ${caughtUpMs.toFixed(0)} ms, all lines in ${linksMs.toFixed(0)} ms`,
    );
  }
  return remarks.join('; ');
}

/** One node cut off for so long that every connection has gone quiet; it must be back soon after the lines are. */
export async function isolateForLong(trial: Trial): Promise<string> {
  const { cluster, network, load, numbers, prng } = trial;
  const alone = prng.pick(numbers);
  const cutMs = performance.now();
  separate(
    network,
    [alone],
    numbers.filter((number) => number !== alone),
  );
  await pause(LONG_CUT_MS);
  const before = await heightOf(cluster, alone);
  const healedMs = performance.now();
  network.heal();
  while ((await heightOf(cluster, alone)) === before) {
    assert(performance.now() - healedMs < PATIENCE_MS, 'it reaches nobody');
    await pause(POLL_MS);
  }
  const reachedMs = performance.now() - healedMs;
  const caughtUpMs = await caughtUp(trial, alone);
  const linksMs = await linksRecovered(trial);
  const gapMs = assertInterruption(load, cutMs);
  const times = [reachedMs, caughtUpMs, linksMs].map((ms) => `${ms.toFixed(0)} ms`);
  return `gap ${gapMs.toFixed(0)} ms; ${times[0]} to the first block, ${times[1]} to all, ${times[2]} to all lines`;
}

/** Lines that work in one direction only: a node that nobody hears, one that hears nobody, and one line of many. */
export async function cutOneWay(trial: Trial): Promise<string> {
  const { cluster, network, load, numbers, prng } = trial;
  const remarks: string[] = [];
  const startMs = performance.now();
  const heal = async (what: string) => {
    network.heal();
    for (const number of numbers) await caughtUp(trial, number);
    remarks.push(`${what}: all lines ${(await linksRecovered(trial)).toFixed(0)} ms after`);
  };
  const mute = prng.pick(numbers);
  for (const other of numbers) if (other !== mute) network.block(mute, other);
  await pause(ECHO_MS + CUT_MS);
  await load.more(30, PATIENCE_MS);
  await heal('mute');

  const deaf = prng.pick(numbers);
  for (const other of numbers) if (other !== deaf) network.block(other, deaf);
  await pause(ECHO_MS);
  const before = await heightOf(cluster, deaf);
  await pause(CUT_MS);
  await load.more(30, PATIENCE_MS);
  assert.equal(await heightOf(cluster, deaf), before, 'a node that hears nobody decided a height');
  await heal('deaf');

  network.block(mute, prng.pick(numbers.filter((number) => number !== mute)));
  await load.more(120, PATIENCE_MS);
  await heal('one line');
  const gapMs = assertInterruption(load, startMs);
  return `gap ${gapMs.toFixed(0)} ms; ${remarks.join(', ')}`;
}

/** Lines cut and healed by chance, each direction for itself, faster than views follow; then all must go on. */
export async function cutAtRandom(trial: Trial): Promise<string> {
  const { network, load, numbers, prng } = trial;
  const rounds = 12;
  let cuts = 0;
  for (let round = 0; round < rounds; round += 1) {
    for (const from of numbers)
      for (const to of numbers)
        if (from !== to && prng.chance(0.3)) {
          network.block(from, to);
          cuts += 1;
        }
    await pause(500 + prng.next() * 2_000);
    network.heal();
    await pause(prng.next() * 1_000);
  }
  const healedMs = performance.now();
  await load.more(40, PATIENCE_MS);
  const firstMs = load.acknowledged.find(({ atMs }) => atMs > healedMs)!.atMs - healedMs;
  await linksRecovered(trial);
  for (const number of numbers) await caughtUp(trial, number);
  return `${cuts} lines cut in ${rounds} rounds; first commit ${firstMs.toFixed(0)} ms after`;
}
