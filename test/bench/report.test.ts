import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compareResults } from '../../bench/compare.ts';
import { readOptions } from '../../bench/options.ts';
import { plotSvg } from '../../bench/report/plot.ts';
import { sectionText } from '../../bench/report/report.ts';
import { type BenchResult, readResult, writeResult } from '../../bench/results.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'medledger-bench-report-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

const plot = {
  title: 'Latency & <throughput>',
  xLabel: 'x',
  yLabel: 'y',
  isLogarithmic: true,
  series: [{ name: 'p50', points: [[100, 3] as const, [1_000, 30] as const, [2_000, 0] as const] }],
};
const section = {
  title: 'A "section"',
  notes: ['it says <so>'],
  tables: [{ title: 'Table', columns: ['what', 'ms'], rows: [['one', 1.234] as const, ['two', 123.4] as const] }],
  plots: [plot],
};
const result = (change: Partial<BenchResult> = {}): BenchResult => ({
  format: 1,
  bench: 'ingest',
  startedAt: '2026-01-02T03:04:05.678Z',
  finishedAt: '2026-01-02T03:14:05.678Z',
  seed: 1,
  options: {},
  environment: {
    commit: 'abc',
    isModified: false,
    node: 'v24.21.0',
    platform: 'Linux',
    cpu: 'a CPU',
    cores: 2,
    memoryBytes: 1,
    loadAverage: 0,
    fileSystem: '0xef53',
    syncMs: 1,
    verifyMicroseconds: 60,
  },
  measurements: [{ name: 'p50', unit: 'ms', better: 'lower', values: [10, 11, 12] }],
  raw: null,
  ...change,
});

test('the page holds everything and loads nothing', () => {
  const written = writeResult(folder, result(), [section]);
  const page = readFileSync(path.join(written, 'index.html'), 'utf8');
  assert.not.match(page, /<script|<link|src=|href=|https?:|url\(/);
  assert.match(page, '<svg');
  assert.match(page, 'it says &lt;so&gt;');
  assert.match(page, '1.23');
});

test('a result that was written is read again, by its folder or its file', () => {
  const written = writeResult(folder, result(), [section]);
  assert.equal(readResult(written), result());
  assert.equal(readResult(path.join(written, 'results.json')), result());
});

test('a plot draws every finite point, on a logarithmic axis only positive ones', () => {
  const svg = plotSvg(plot);
  assert.is(svg.match(/<circle/g)?.length, 2);
  assert.not.match(svg, 'NaN');
  assert.not.match(plotSvg({ ...plot, series: [] }), 'NaN');
  assert.not.match(plotSvg({ ...plot, isLogarithmic: false, series: [] }), 'NaN');
});

test('numbers in a text table stand in columns', () => {
  const lines = sectionText(section).split('\n');
  assert.ok(lines.includes('one   1.23'));
  assert.ok(lines.includes('two    123'));
});

test('a comparison names the change and what only one run has', () => {
  const measurements = [
    { name: 'p50', unit: 'ms', better: 'lower', values: [20, 21, 22] } as const,
    { name: 'new', unit: 'ms', better: 'lower', values: [1] } as const,
  ];
  const compared = compareResults(result(), result({ measurements }));
  assert.equal(compared.tables[0]?.rows, [['p50', 'ms', 11, 21, '+90.9 %', 'worse']]);
  assert.ok(compared.notes.includes('Only in B: new.'));
});

test('options that can not be read are answered with the fault', () => {
  const faultOf = (...args: string[]) => {
    const request = readOptions(args);
    return request.kind === 'help' ? request.fault : undefined;
  };
  assert.match(faultOf('ingest', '--rates', '100,50') ?? '', 'rising');
  assert.match(faultOf('ingest', '--lines', 'letters') ?? '', 'letters');
  assert.match(faultOf('ingest', '--repeats', 'many') ?? '', 'many');
  assert.match(faultOf('ingset') ?? '', 'ingset');
  assert.match(faultOf('ingest', '--quik') ?? '', 'quik');
  assert.match(faultOf('compare', 'a') ?? '', 'two');
  assert.is(readOptions(['ingest', '--quick']).kind, 'ingest');
  assert.is(readOptions(['compare', 'a', 'b']).kind, 'compare');
});

test.run();
