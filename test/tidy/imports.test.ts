import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { findImports, importCircles, importFaults } from './import-table.ts';
import { readSourceFiles } from './source-files.ts';

const tree = readSourceFiles(['src', 'bin', 'web']);

/** The faults of one file with one import. */
function faultsOf(file: string, code: string): number {
  return importFaults(new Map([[file, code]])).length;
}

test('every import of the tree is in the table', () => {
  assert.ok(findImports(tree).length > 0);
  assert.equal(importFaults(tree), []);
});

test('the tree has no import circles', () => {
  assert.equal(importCircles(tree), []);
});

test('imports against the direction are found, in every form', () => {
  const forms = [
    `import { x } from '../node/x.ts';`,
    `import type { X } from '../node/x.ts';`,
    `import {\n  x,\n  type Y,\n} from '../node/x.ts';`,
    `import * as x from "../node/x.ts";`,
    `import '../node/x.ts';`,
    `export { x } from '../node/x.ts';`,
    `export * from '../node/x.ts';`,
    `const x = await import('../node/x.ts');`,
    `type X = import('../node/x.ts').X;`,
    `new Worker(new URL('../node/x.ts', import.meta.url));`,
  ];
  for (const form of forms) assert.is(faultsOf('src/storage/a.ts', form), 1, form);
});

test('commented imports and words in strings are no imports', () => {
  assert.is(faultsOf('src/codec/a.ts', `// import { x } from '../node/x.ts';\n/* import '../node/x.ts' */`), 0);
  assert.is(faultsOf('src/codec/a.ts', `const help = 'import this';\nconst y = 'from here';`), 0);
});

test('each row of the table forbids and allows as the design says', () => {
  const refused: readonly (readonly [string, string])[] = [
    ['src/codec/a.ts', '../crypto/hash.ts'],
    ['src/crypto/a.ts', './node/keystore.ts'],
    ['src/crypto/a.ts', 'node:crypto'],
    ['src/ledger/a.ts', '../crypto/node/sha256.ts'],
    ['src/ledger/a.ts', '../consensus/step.ts'],
    ['src/ledger/a.ts', '#sha256'],
    ['src/consensus/a.ts', '../storage/schema.ts'],
    ['src/consensus/a.ts', '../crypto/node/sha256.ts'],
    ['src/index/outer/a.ts', '../../storage/schema.ts'],
    ['src/index/inner/a.ts', '../outer/query.ts'],
    ['src/storage/a.ts', '../p2p/protocols.ts'],
    ['src/p2p/a.ts', '../consensus/messages.ts'],
    ['src/node/a.ts', '../api/routes.ts'],
    ['src/api/a.ts', '../node/node.ts'],
    ['src/api/a.ts', '../crypto/hash.ts'],
    ['src/api/contract.ts', '../node/ports.ts'],
    ['src/client/a.ts', '../index/outer/query.ts'],
    ['src/client/a.ts', '../api/server.ts'],
    ['src/client/a.ts', '../crypto/node/keystore.ts'],
    ['src/client/a.ts', 'node:fs'],
    ['src/cli/a.ts', '../storage/schema.ts'],
    ['src/cli/a.ts', '../../test/skip.ts'],
    ['bin/a.ts', '../src/node/node.ts'],
    ['web/a.ts', '../src/ledger/block.ts'],
    ['src/elsewhere/a.ts', '../codec/bytes.ts'],
  ];
  for (const [file, specifier] of refused)
    assert.is(faultsOf(file, `import '${specifier}';`), 1, `${file} ${specifier}`);
  const allowed: readonly (readonly [string, string])[] = [
    ['src/crypto/hash.ts', '#sha256'],
    ['src/crypto/node/a.ts', '../hash.ts'],
    ['src/ledger/a.ts', '../crypto/hash.ts'],
    ['src/index/outer/a.ts', '../inner/proof.ts'],
    ['src/node/a.ts', '../consensus/step.ts'],
    ['src/api/a.ts', '../node/ports.ts'],
    ['src/client/a.ts', '../api/contract/records.ts'],
    ['src/client/a.ts', '../index/inner/proof.ts'],
    ['src/cli/a.ts', '../crypto/node/keystore.ts'],
    ['src/cli/a.ts', 'node:fs'],
    ['bin/a.ts', '../src/cli/main.ts'],
  ];
  for (const [file, specifier] of allowed)
    assert.is(faultsOf(file, `import '${specifier}';`), 0, `${file} ${specifier}`);
});

test('a circle through a type-only import is found and named once', () => {
  const files = new Map([
    ['src/codec/b.ts', `import { c } from './c.ts';`],
    ['src/codec/c.ts', `import type { A } from './a.ts';`],
    ['src/codec/a.ts', `import { b } from './b.ts';`],
    ['src/codec/d.ts', `import { b } from './b.ts';`],
  ]);
  assert.equal(importCircles(files), ['src/codec/a.ts → src/codec/b.ts → src/codec/c.ts → src/codec/a.ts']);
});

test.run();
