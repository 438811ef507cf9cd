import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { purityFaults } from './purity.ts';
import { readSourceFiles } from './source-files.ts';
import { withoutCommentsAndStrings } from './source-text.ts';

test('the pure parts of the tree are pure', () => {
  assert.equal(purityFaults(readSourceFiles(['src'])), []);
});

test('each impure thing is found in each pure part', () => {
  const impure = [
    'const now = Date.now();',
    'performance.now();',
    'Math.random();',
    'crypto.getRandomValues(bytes);',
    'setTimeout(f, 1);',
    'setInterval(f, 1);',
    'setImmediate(f);',
    'queueMicrotask(f);',
    'export async function f() {}',
    'await f();',
    'let p: Promise<void>;',
    `import { readFileSync } from 'node:fs';`,
    `import net from 'node:net';`,
    ['const text = `', '{Date.now()}`;'].join('$'),
  ];
  const pureFiles = [
    'src/codec/a.ts',
    'src/ledger/deep/a.ts',
    'src/consensus/a.ts',
    'src/index/inner/a.ts',
    'src/storage/groups.ts',
    'src/storage/groups/placement.ts',
    'src/crypto/hash.ts',
    'src/crypto/merkle-log.ts',
    'src/crypto/signature-rule.ts',
  ];
  for (const code of impure)
    for (const file of pureFiles) assert.is(purityFaults(new Map([[file, code]])).length, 1, `${file}: ${code}`);
});

test('shells, comments, strings and longer names are free', () => {
  const shell = 'setTimeout(f, Date.now());';
  for (const file of ['src/node/a.ts', 'src/storage/a.ts', 'src/index/outer/a.ts', 'src/crypto/sealing.ts'])
    assert.equal(purityFaults(new Map([[file, shell]])), []);
  const harmless = `// Date.now()\n/** await */ const s = 'Promise'; const t = \`async\`; const r = /Date/; updateDate(fromDate);`;
  assert.equal(purityFaults(new Map([['src/ledger/a.ts', harmless]])), []);
});

test('blanking keeps code, lines and columns', () => {
  const cases: readonly (readonly [string, string])[] = [
    ["a('x') // y", "a(' ')     "],
    ['a / b / c', 'a / b / c'],
    ['return /Date/.test(s)', 'return /    /.test(s)'],
    ["x = '\\'Date'", "x = '      '"],
    [['`a', '{{ b: `c', '{d}` }}e`'].join('$'), '`  {{ b: `  {d}` }} `'],
    ['/* a\nb */c', '    \n    c'],
    ["[/[/']Date/]", '[/        /]'],
    ['f(a) / 2; "Date"', 'f(a) / 2; "    "'],
  ];
  for (const [code, expected] of cases) assert.is(withoutCommentsAndStrings(code), expected, code);
});

test.run();
