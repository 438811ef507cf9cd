import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fromHex } from '../../src/codec/bytes.ts';
import { readIdentity } from '../../src/node/identity.ts';
import { dataFolder } from '../../src/storage/data-folder.ts';

const root = mkdtempSync(path.join(os.tmpdir(), 'medledger-cli-'));
test.after(() => rmSync(root, { recursive: true, force: true }));
const ENTRY = path.join(import.meta.dirname, '..', '..', 'bin', 'medledger.ts');

interface Ended {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the program as an operator does. */
function run(...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const argv = ['--disable-warning=ExperimentalWarning', ENTRY, ...args];
    execFile(process.execPath, argv, (error, out, err) => {
      resolve({ status: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

test('testnet, init and verify work one after the other', async () => {
  const out = path.join(root, 'net');
  const made = await run('testnet', '--out', out, '--nodes', '2', '--parameter', 'heartbeatMs=500', '--json');
  assert.is(made.status, 0, made.err);
  const testnet = JSON.parse(made.out) as { genesisHash: string; nodes: { folder: string; publicKey: string }[] };
  assert.is(testnet.nodes.length, 2);
  const { start } = readIdentity(dataFolder(testnet.nodes[0]!.folder));
  assert.is(start.founding.parameters.heartbeatMs, 500);

  const node = path.join(root, 'node');
  const genesisFile = path.join(out, 'keys', 'genesis.cbor');
  const init = await run('init', '--out', node, '--name', 'third', '--genesis', genesisFile);
  assert.is(init.status, 0, init.err);
  assert.equal(fromHex(init.out.trim()), readIdentity(dataFolder(node)).signer.publicKey);
  assert.match(init.err, /no validator of the genesis/);

  const verified = await run('verify', '--data', testnet.nodes[1]!.folder);
  assert.is(verified.status, 0, verified.err);
  assert.match(verified.out, /transactions {2}0/);
});

test('wrong usage has status 2 and a hint; an operating error status 1 and a remedy, without a stack', async () => {
  const misspelt = await run('verfy');
  assert.is(misspelt.status, 2);
  assert.match(misspelt.err, /Did you mean verify/);
  const parameter = await run('testnet', '--out', path.join(root, 'p'), '--parameter', 'heartbeatms=5');
  assert.is(parameter.status, 2);
  assert.match(parameter.err, /Did you mean "heartbeatMs"/);
  const noFolder = await run('verify', '--data', path.join(root, 'nowhere'));
  assert.is(noFolder.status, 1);
  assert.match(noFolder.err, /Make a node there first/);
  const noNode = await run('status', '--node', 'http://127.0.0.1:1');
  assert.is(noNode.status, 1);
  assert.match(noNode.err, /check that the node runs/);
  for (const { err } of [misspelt, parameter, noFolder, noNode]) assert.not.match(err, /\n {4}at /);
});

test('help lists every command', async () => {
  const { status, out } = await run('--help');
  assert.is(status, 0);
  for (const name of ['init', 'testnet', 'devnet', 'start', 'status', 'account', 'record', 'query', 'load', 'verify'])
    assert.match(out, new RegExp(`^ {2}${name}\\b`, 'm'));
});

test.run();
