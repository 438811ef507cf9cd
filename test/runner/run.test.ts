import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const RUN = path.join(import.meta.dirname, '..', 'run.ts');
const HEAD = `import { test } from ${JSON.stringify(import.meta.resolve('uvu'))};\n`;
const PASS = "test('passes', () => {});\n";
const FAIL = "test('fails', () => { throw new Error('as meant'); });\n";
const END = 'test.run();\n';

interface Result {
  readonly lastLine: string;
  readonly output: string;
  readonly status: number | null;
}

/** Runs the runner over a temporary folder of the given files. `floors` defaults to 1 for every folder. */
function runOver(files: Readonly<Record<string, string>>, args: readonly string[] = [], strict = false): Result {
  const root = mkdtempSync(path.join(os.tmpdir(), 'medledger-runner-'));
  try {
    const floors: Record<string, number> = {};
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(path.join(root, path.dirname(file)), { recursive: true });
      writeFileSync(path.join(root, file), text);
      if (file.endsWith('.test.ts') && file.includes('/')) floors[file.split('/')[0]!] = 1;
    }
    if (files['floors.json'] === undefined) writeFileSync(path.join(root, 'floors.json'), JSON.stringify(floors));
    const child = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', RUN, '--root', root, ...args], {
      encoding: 'utf8',
      env: { ...process.env, MEDLEDGER_TEST_STRICT: strict ? '1' : '0' },
    });
    const written = readFileSync(path.join(root, 'floors.json'), 'utf8');
    const output = `${child.stdout}${child.stderr}\n${written}`;
    return { lastLine: child.stdout.trimEnd().split('\n').at(-1)!, output, status: child.status };
  } finally {
    rmSync(root, { recursive: true });
  }
}

function refused(result: Result, lastLine: string, reason: RegExp): void {
  assert.is(result.lastLine, lastLine, result.output);
  assert.is(result.status, 1);
  assert.match(result.output, reason);
}

test('folders of passing tests are counted together', () => {
  const files = {
    'a/x.test.ts': HEAD + PASS + PASS + END,
    'a/b/y.test.ts': HEAD + PASS + END,
    'c/z.test.ts': HEAD + PASS + END,
  };
  const result = runOver({ ...files, 'vectors/x.json': '{}', 'a/helper.ts': 'export const x = 1;' });
  assert.is(result.lastLine, '4 passed, 0 failed', result.output);
  assert.is(result.status, 0);
});

test('a failing test fails the run and its output is shown', () => {
  refused(runOver({ 'a/x.test.ts': HEAD + PASS + FAIL + END }), '1 passed, 1 failed', /as meant/);
});

test('a throwing hook, which uvu itself overlooks, fails the run', () => {
  const hook = "test.before(() => { throw new Error('hook'); });\n";
  refused(runOver({ 'a/x.test.ts': HEAD + hook + PASS + END }), '0 passed, 2 failed', /a hook threw/);
});

test('a file without .run() is refused, a commented one too', () => {
  refused(
    runOver({ 'a/x.test.ts': HEAD + PASS, 'b/y.test.ts': HEAD + PASS + END }),
    '1 passed, 2 failed',
    /a\/x.* never calls/,
  );
  refused(
    runOver({ 'a/x.test.ts': `${HEAD}${PASS}// ${END}`, 'b/y.test.ts': HEAD + PASS + END }),
    '1 passed, 2 failed',
    /never/,
  );
});

test('a test file outside a folder, and an empty one, are refused', () => {
  refused(
    runOver({ 'x.test.ts': HEAD + PASS + END, 'b/y.test.ts': HEAD + PASS + END }),
    '1 passed, 1 failed',
    /in no folder/,
  );
  refused(
    runOver({ 'a/x.test.ts': HEAD + END, 'a/y.test.ts': HEAD + PASS + END }),
    '1 passed, 1 failed',
    /x\.test\.ts holds no test/,
  );
  refused(runOver({}), '0 passed, 1 failed', /no test files/);
});

test('floors: too few tests, none committed, or a folder gone', () => {
  const files = { 'a/x.test.ts': HEAD + PASS + END };
  refused(runOver({ ...files, 'floors.json': '{"a": 2}' }), '1 passed, 1 failed', /fewer than its floor of 2/);
  refused(runOver({ ...files, 'floors.json': '{}' }), '1 passed, 1 failed', /has no floor/);
  refused(
    runOver({ ...files, 'floors.json': '{"a": 1, "b": 1}' }),
    '1 passed, 1 failed',
    /b has a floor but no test files/,
  );
  const raised = runOver({ ...files, 'floors.json': '{}' }, ['--raise-floors']);
  assert.is(raised.status, 0);
  assert.match(raised.output, /"a": 1/);
});

test('a name filter runs what matches, without floors', () => {
  const files = { 'a/x.test.ts': HEAD + PASS + END, 'b/y.test.ts': HEAD + FAIL + END, 'floors.json': '{"a": 9}' };
  assert.is(runOver(files, ['a/x']).lastLine, '1 passed, 0 failed');
  refused(runOver(files, ['nothing']), '0 passed, 1 failed', /no test file matches nothing/);
});

test('long tests run on demand only', () => {
  const files = { 'a/x.test.ts': HEAD + PASS + END, 'a/y.long.ts': HEAD + PASS + END };
  assert.is(runOver(files).lastLine, '1 passed, 0 failed');
  assert.is(runOver(files, ['--long']).lastLine, '2 passed, 0 failed');
});

test('an endless test is killed at the limit, what it started too', () => {
  const endless =
    "import { spawn } from 'node:child_process';\n" +
    "test('never', async () => { spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' }); await new Promise(() => { setInterval(() => {}, 1000); }); });\n";
  refused(runOver({ 'a/x.test.ts': HEAD + endless + END }, ['--limit-ms', '2000']), '0 passed, 1 failed', /time limit/);
});

test('a handle left open after passing tests is a failure', () => {
  const open = "test('leaves a timer', () => { setInterval(() => {}, 1000); });\n";
  refused(runOver({ 'a/x.test.ts': HEAD + open + END }), '1 passed, 1 failed', /open handle/);
});

test('a crash while loading and an exit in the middle are failures', () => {
  refused(runOver({ 'a/x.test.ts': `${HEAD}${END}throw new Error('boom');` }), '0 passed, 1 failed', /boom/);
  const exit = "test('exits', () => process.exit(0));\n";
  refused(runOver({ 'a/x.test.ts': HEAD + PASS + exit + END }), '0 passed, 1 failed', /without a summary/);
});

test('skips are counted with a reason, refused without one, and failures in strict mode', () => {
  const skip = (reason: string) => `${HEAD}${PASS}${reason}test.skip('s', () => {});\n${END}`;
  const reasoned = { 'a/x.test.ts': skip("console.log('SKIP: s: no data');\n") };
  assert.is(runOver(reasoned).lastLine, '1 passed, 0 failed, 1 skipped');
  refused(runOver(reasoned, [], true), '1 passed, 1 failed', /no data/);
  refused(runOver({ 'a/x.test.ts': skip('') }), '1 passed, 1 failed, 1 skipped', /without a reason/);
  refused(
    runOver({ 'a/x.test.ts': `${HEAD}${PASS}test.only('o', () => {});\n${END}` }),
    '1 passed, 1 failed, 1 skipped',
    /only/,
  );
});

test.run();
