import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { docstringFaults, layoutFaults, wordFaults } from './house.ts';
import { readSourceFiles } from './source-files.ts';

const tree = readSourceFiles(['src', 'bin', 'web', 'test', 'bench']);

test('files of src/ have a folder and a bearable length', () => {
  assert.equal(layoutFaults(tree), []);
});

test('nothing unfinished or silenced stands in the tree', () => {
  assert.equal(wordFaults(tree), []);
});

test('every export of src/ has a docstring', () => {
  assert.equal(docstringFaults(tree), []);
});

test('a long file and a file outside the folders are found', () => {
  const line = 'const a = 1;\n';
  assert.equal(layoutFaults(new Map([['src/codec/a.ts', line.repeat(350)]])), []);
  assert.is(layoutFaults(new Map([['src/codec/a.ts', line.repeat(351)]])).length, 1);
  assert.is(layoutFaults(new Map([['src/util/a.ts', line]])).length, 1);
  assert.is(layoutFaults(new Map([['src/a.ts', line]])).length, 1);
});

test('each unwanted word is found', () => {
  const unwanted = [
    '// TO',
    'DO later',
    '\n// FIX',
    'ME',
    '\n// biome-',
    'ignore x',
    '\n// @ts-',
    'ignore',
    '\nx as ',
    'any;',
  ];
  assert.is(wordFaults(new Map([['test/a.ts', unwanted.join('')]])).length, 5);
  assert.is(wordFaults(new Map([['src/a.ts', ["open('/ro", "ot/key')"].join('')]])).length, 1);
  assert.equal(wordFaults(new Map([['src/a.ts', 'todo(); was anyone; path/work/x']])), []);
});

test('exports without a docstring are found, whatever they are', () => {
  const exports = [
    'export function f() {}',
    'export async function f() {}',
    'export class A {}',
    'export abstract class A {}',
    'export interface A {}',
    'export const a = 1;',
    "export type A = 'b' | 'c';",
  ];
  for (const code of exports) {
    assert.is(docstringFaults(new Map([['src/codec/a.ts', code]])).length, 1, code);
    assert.is(docstringFaults(new Map([['src/codec/a.ts', `// no docstring\n${code}`]])).length, 1, code);
    assert.equal(docstringFaults(new Map([['src/codec/a.ts', `/** Why. */\n${code}`]])), [], code);
    assert.equal(docstringFaults(new Map([['test/a.ts', code]])), [], code);
  }
});

test('a run of one-line constants shares the docstring above it, and only such a run', () => {
  const described = '/** Both. */\nexport const a = 1;\nexport const b = 2;\n';
  assert.equal(docstringFaults(new Map([['src/codec/a.ts', described]])), []);
  assert.is(docstringFaults(new Map([['src/codec/a.ts', `${described}\nexport const c = 3;`]])).length, 1);
  assert.is(docstringFaults(new Map([['src/codec/a.ts', `${described}export type C = 'c' | 'd';`]])).length, 1);
});

test('another name for a described thing needs no docstring', () => {
  const code = "export type { A } from './a.ts';\nexport type K = A['kind'];\nexport { b };\n";
  assert.equal(docstringFaults(new Map([['src/codec/b.ts', code]])), []);
});

test.run();
