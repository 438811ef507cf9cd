// The command that shows and changes parameters, on a node that commits at once.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, readLedger } from '../../src/cli/connect.ts';
import { createTestnet } from '../../src/node/testnet.ts';
import { medledger } from '../cluster/medledger.ts';
import { InstantNode } from './instant-node.ts';

const root = mkdtempSync(path.join(os.tmpdir(), 'medledger-parameters-'));
const { keysFolder } = await createTestnet({
  folder: path.join(root, 'testnet'),
  nodes: 3,
  port: 7100,
  ledger: 'parameters',
  parameters: { heartbeatMs: 5_000 },
  createdMs: Date.now() - 1_000,
});
const node = new InstantNode(new Uint8Array(readFileSync(path.join(keysFolder, 'genesis.cbor'))));
const url = await node.listen();
test.after(async () => {
  await node.close();
  rmSync(root, { recursive: true, force: true });
});

const keys = (...numbers: readonly number[]) =>
  numbers.map((number) => path.join(keysFolder, `hospital-${number}.json`));
const set = (signers: readonly number[], ...values: readonly string[]) =>
  medledger(['parameters', 'set', ...values, '--node', url, '--sign', ...keys(...signers)]);

test('a change says what becomes of what, and show tells current and scheduled apart', async () => {
  const before = await medledger(['parameters', 'show', '--node', url]);
  assert.match(before.stdout, 'protocol version 1, this node knows 1');
  assert.not.match(before.stdout, 'from 2');
  const { status, stdout, stderr } = await set([1, 2], 'heartbeatMs=9000', 'maxValidityMs=120000');
  assert.is(status, 0, stderr);
  assert.match(stderr, 'heartbeatMs: 5000 to 9000');
  assert.match(stderr, 'maxValidityMs: 600000 to 120000');
  assert.match(stdout, 'committed in block 1, in force from height 3');
  const shown = await medledger(['parameters', 'show', '--node', url]);
  assert.match(shown.stdout, /parameter +height 2 +from 3\n/);
  assert.match(shown.stdout, /heartbeatMs +5000 +9000\n/);
  assert.match((await set([1, 2], 'keepRecent=100')).stderr, 'in flight: try again from height 3 on');
});

test('clients go by the shorter validity from the moment at which it is scheduled', async () => {
  const ledger = await readLedger(url, undefined);
  assert.is(ledger.maxValidityMs, 120_000);
  assert.is(ledger.genesis.parameters.maxValidityMs, 600_000);
  assert.is((await connect(url, ledger, null).parameters()).current.maxValidityMs, 600_000);
});

test.run();
