import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { summarise } from '../../bench/cpu-profile.ts';
import { parseMetrics, workBetween } from '../../bench/node-metrics.ts';
import { cpuShare, parseStat } from '../../bench/process-cpu.ts';

test('a stat line is read whatever the name of the thread', () => {
  const after = Array.from({ length: 40 }, (_, place) => String(place + 3));
  after[0] = 'S';
  after[11] = '250';
  after[12] = '50';
  for (const name of ['node', 'a thread', ') S 1 (', '((']) {
    const read = parseStat(`4711 (${name}) ${after.join(' ')}`);
    assert.equal(read, { name, userSeconds: 2.5, systemSeconds: 0.5 });
  }
});

test('a share of a core is time used between two readings, by thread, threads that came later included', () => {
  const reading = (userSeconds: number, systemSeconds: number, threads: Record<string, number>) => ({
    userSeconds,
    systemSeconds,
    threads: new Map(Object.entries(threads)),
    residentBytesMax: 0,
  });
  const share = cpuShare(reading(1, 0.5, { main: 1.5 }), reading(2, 1, { main: 2.5, verify: 0.5 }), 2);
  assert.equal(share, { user: 0.5, system: 0.25, threads: { main: 0.5, verify: 0.25 } });
});

const METRICS = `# HELP medledger_transactions_committed_total Transactions
# TYPE medledger_transactions_committed_total counter
medledger_transactions_committed_total 10
medledger_storage_commit_duration_seconds_bucket{le="0.01"} 2
medledger_storage_commit_duration_seconds_sum 0.5
medledger_storage_commit_duration_seconds_count 2
medledger_p2p_bytes{protocol="/x/1",direction="out"} 100
medledger_p2p_bytes{protocol="/x/1",direction="in"} 900
medledger_p2p_bytes{protocol="/y/1",direction="out"} 50
medledger_p2p_frames{class="consensus",direction="out"} 3
medledger_p2p_frames{class="block",direction="in"} 2
`;

test('metrics are read with their labels', () => {
  const reading = parseMetrics(METRICS);
  assert.is(reading.get('medledger_transactions_committed_total'), 10);
  assert.is(reading.get('medledger_p2p_bytes{protocol="/x/1",direction="in"}'), 900);
  assert.is(reading.size, 9);
});

test('what a node did is the difference of two readings', () => {
  const later = METRICS.replace('_total 10', '_total 40')
    .replace('_sum 0.5', '_sum 0.8')
    .replace('_count 2', '_count 5')
    .replace('"out"} 50', '"out"} 350')
    .replace('"out"} 3\n', '"out"} 13\n')
    .replace('"in"} 2', '"in"} 20');
  const work = workBetween(parseMetrics(METRICS), parseMetrics(later));
  assert.is(work.blocks, 3);
  assert.is(work.transactions, 30);
  assert.is(Math.round(work.commitMsPerBlock), 100);
  assert.is(work.sentBytes, 300);
  assert.is(work.sentFrames, 10);
});

test('a profile is summed by function and by part: idle time apart, native code with its caller', () => {
  const node = (id: number, functionName: string, url: string, ...children: number[]) => ({
    id,
    callFrame: { functionName, url, lineNumber: 9 },
    children,
  });
  const profile = summarise('a step', {
    nodes: [
      node(1, '(root)', '', 2, 3, 6),
      node(2, '(idle)', ''),
      node(3, 'step', 'file:///any/where/src/consensus/step.ts', 4, 5),
      node(4, 'step', 'file:///any/where/src/consensus/step.ts'),
      node(5, 'push', 'file:///any/where/node_modules/@scope/name/dist/index.js', 7),
      node(6, '(garbage collector)', ''),
      node(7, 'hash', ''),
    ],
    samples: [2, 3, 4, 5, 6, 7],
    timeDeltas: [3e6, 1e6, 1e6, 1e6, 0.5e6, 0.5e6],
  });
  assert.is(profile.seconds, 7);
  assert.is(profile.idleSeconds, 3);
  assert.equal(profile.parts, [
    ['src/consensus', 0.5],
    ['@scope/name', 0.375],
    ['(garbage collector)', 0.125],
  ]);
  assert.equal(profile.own[0], ['step src/consensus/step.ts:10', 0.5]);
  assert.ok(profile.own.some(([name]) => name === 'native code in push node_modules/@scope/name/dist/index.js:10'));
  // A function that calls itself counts once.
  assert.equal(profile.inclusive, [['step src/consensus/step.ts:10', 0.875]]);
});

test.run();
