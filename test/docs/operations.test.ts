// docs/OPERATIONS.md against the code: every setting, variable, metric, code and command of the build is in it.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { parseConfig } from '../../src/node/config.ts';
import { createMetrics } from '../../src/node/metrics.ts';
import { SCENARIOS } from '../faults/scenarios.ts';
import { longLines, tableOf, textOf } from './document.ts';

const OPERATIONS = textOf('docs/OPERATIONS.md');
const LEAST_CONFIG = "[node]\nname = 'n'\n[p2p]\nlisten = ['/ip4/127.0.0.1/tcp/1']\n[api]\nport = 1\n";

/** First cells of a table, sorted. */
function namesOf(header: string): readonly string[] {
  return tableOf(OPERATIONS, header)
    .flatMap(([name]) => name!.split(', '))
    .toSorted();
}

/** Every match of the first group of a pattern in a source file, sorted. */
function foundIn(file: string, pattern: RegExp): readonly string[] {
  return [...textOf(file).matchAll(pattern)].map((match) => match[1]!).sort();
}

test('every setting has its default in the table', () => {
  const rows = tableOf(OPERATIONS, '| setting | default | meaning |');
  const listed = new Map(rows.map(([name, value]) => [name!, value!]));
  const config = parseConfig(LEAST_CONFIG, 'test', {});
  for (const [section, settings] of Object.entries(config))
    for (const [key, value] of Object.entries(settings)) {
      const name = `${section}.${key}`;
      const shown = listed.get(name);
      assert.ok(shown !== undefined, `${name} is not in the table`);
      if (shown !== 'none') assert.is(shown, JSON.stringify(value), name);
    }
  const required = rows.filter(([name, value]) => value === 'none' && !name!.startsWith('p2p.peers.'));
  for (const [name] of required) {
    const [, key] = name!.split('.');
    const without = LEAST_CONFIG.replace(new RegExp(`^${key} = .*\n`, 'm'), '');
    assert.throws(() => parseConfig(without, 'test', {}), `${name} is not required`);
  }
});

test('settings, also optional ones and those of peers, are known by these names', () => {
  const rows = tableOf(OPERATIONS, '| setting | default | meaning |');
  const source = textOf('src/node/config.ts');
  for (const [name] of rows) assert.match(source, new RegExp(`\\b${name!.split('.').at(-1)}\\b`), name);
});

test('the environment variables are those of the code', () => {
  const used = foundIn('src/node/config.ts', /^ {2}(MEDLEDGER_[A-Z_]+):/gm);
  assert.ok(used.length > 0);
  assert.equal(namesOf('| variable | setting |'), used);
});

test('the metrics are those of the code', () => {
  const none = () => 0;
  const { registry } = createMetrics({
    height: () => 0,
    view: () => 0,
    networkDropped: () => ({}),
    mempoolTransactions: none,
    mempoolBytes: none,
    connectedPeers: none,
    missingValidators: none,
    consensus: () => {
      throw new Error('no reading was asked for');
    },
    evidenceEntries: async () => 0,
    indexLagBlocks: none,
    protocolBytes: () => [],
    frames: () => [],
  });
  const names = registry.getMetricsAsArray().map(({ name }) => name);
  assert.equal(namesOf('| metric | meaning |'), names.toSorted());
});

test('the scenarios of the fault tests are those of the code', () => {
  const words = tableOf(OPERATIONS, '| word | what |').flatMap(([names]) => names!.match(/[a-z][a-z-]*/g)!);
  for (const name of Object.keys(SCENARIOS)) assert.ok(name === 'all' || words.includes(name), name);
});

test('the exit codes are those of the code', () => {
  const rows = tableOf(OPERATIONS, '| status | name | meaning |');
  assert.equal(
    rows.map(([status, name]) => [name, Number(status)]),
    Object.entries(EXIT),
  );
});

test('the commands are those of the code, each with an example', () => {
  const commands = foundIn('src/cli/main.ts', /^ {2}([a-z]+): async/gm);
  assert.equal(namesOf('| command | what for |'), commands);
  for (const command of commands) assert.match(OPERATIONS, new RegExp(`^ {4}medledger ${command} `, 'm'), command);
});

test('the codes of storage errors and of reports are those of the code', () => {
  assert.equal(namesOf('| code | what to do |'), foundIn('src/storage/storage-error.ts', /^ {2}\| '([A-Za-z]+)'/gm));
  const reports = textOf('src/consensus/effect.ts').split('export type ReportCode =')[1]!.split(';')[0]!;
  const codes = [...reports.matchAll(/'([A-Za-z]+)'/g)].map((match) => match[1]!);
  assert.equal(namesOf('| code | level | meaning |'), codes.sort());
});

test('the reasons for not being ready are those of the code', () => {
  const rows = tableOf(OPERATIONS, '| reason | meaning and remedy |').map(([reason]) => reason);
  const pushed = foundIn('src/node/node-status.ts', /faults\.push\([`'](.+?)[`']\)/g);
  const plain = pushed.map((text) => text.replace(/\$\{reachable\}/, 'X').replace(/\$\{quorum\}/, 'Y'));
  assert.equal(rows.toSorted(), plain.toSorted());
});

test('what explains a stall has its remedy in the table, in the words of the code', () => {
  const source = textOf('src/node/stall-explanation.ts');
  const rows = tableOf(OPERATIONS, '| sentence | what to do |');
  const sentences = rows.map(([sentence]) => sentence!).join('\n');
  for (const [sentence] of rows)
    for (const piece of sentence!.split(/…|\b[AVXYZ]\b|[:;,]|\(another code\)/).map((text) => text.trim()))
      assert.ok(source.includes(piece), `${piece} is in no sentence`);
  const refusals = foundIn('src/node/stall-explanation.ts', /^ {2}[a-zA-Z]+: '(.+)',$/gm);
  assert.is(refusals.length, 4);
  for (const text of refusals) assert.match(sentences, new RegExp(text.split(/ of | to /)[0]!), text);
});

test('no line of the documents is longer than 120 characters', () => {
  for (const name of ['OPERATIONS', 'SECURITY']) assert.equal(longLines(textOf(`docs/${name}.md`)), [], name);
});

test.run();
