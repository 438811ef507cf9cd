import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseBundle } from '../../src/cli/fhir/bundle.ts';
import { syntheticBundles } from '../../src/cli/fhir/synthetic.ts';
import { type LoadOptions, loadBundles } from '../../src/cli/load/loader.ts';
import { toHex } from '../../src/codec/bytes.ts';
import { holdFolder } from '../../src/node/folder-hold.ts';
import { OperatorError } from '../../src/node/operator-error.ts';
import { createTestnet } from '../../src/node/testnet.ts';
import { type Fate, InstantNode } from './instant-node.ts';

const PATIENTS = 4;
const RESOURCES = PATIENTS * 8;
const bundles = syntheticBundles(7, PATIENTS).map(({ name, bytes }) => parseBundle(bytes, name));
const root = mkdtempSync(path.join(os.tmpdir(), 'medledger-load-'));
test.after(() => rmSync(root, { recursive: true, force: true }));
const silent = { stage: () => undefined, advance: () => undefined };

const source = await createTestnet({
  folder: path.join(root, 'testnet'),
  nodes: 3,
  port: 7100,
  ledger: 'load',
  parameters: {},
  createdMs: Date.now() - 1_000,
});
const genesis = new Uint8Array(readFileSync(path.join(source.keysFolder, 'genesis.cbor')));
let folders = 0;

/** A fresh key folder of the same ledger, and a node of it. */
async function setUp(): Promise<{
  readonly node: InstantNode;
  readonly keysFolder: string;
  readonly load: (change?: Partial<LoadOptions>) => ReturnType<typeof loadBundles>;
}> {
  folders += 1;
  const keysFolder = path.join(root, `keys-${folders}`);
  cpSync(source.keysFolder, keysFolder, { recursive: true });
  const node = new InstantNode(genesis);
  const url = await node.listen();
  const options = { bundles, nodeUrls: [url], keysFolder, patienceMs: 20_000, readingSeconds: 0 };
  return { node, keysFolder, load: (change = {}) => loadBundles({ ...options, ...change }, silent) };
}

async function failure(work: Promise<unknown>): Promise<Error> {
  try {
    await work;
  } catch (error) {
    assert.instance(error, Error);
    return error as Error;
  }
  throw new Error('it was to fail');
}

function count(node: InstantNode, kind: string): number {
  return node.committed.filter(({ action }) => action.kind === kind).length;
}

test('every resource becomes one record, and loading again adds nothing', async () => {
  const { node, load } = await setUp();
  const first = await load();
  assert.is(first.read, RESOURCES);
  assert.is(first.added, RESOURCES);
  assert.is(first.failed, 0);
  assert.is(count(node, 'record.create'), RESOURCES);
  assert.is(node.payloads.size, RESOURCES);
  const before = node.committed.length;
  const second = await load();
  assert.is(second.added, 0);
  assert.is(second.alreadyThere, RESOURCES);
  assert.is(node.committed.length, before);
  await node.close();
});

test('a patient has one pseudonym at one hospital; a doctor one at each', async () => {
  const { node, load } = await setUp();
  const report = await load();
  const creates = node.committed.flatMap(({ action }) => (action.kind === 'record.create' ? [action] : []));
  const patients = Map.groupBy(creates, ({ patient }) => toHex(patient));
  assert.is(patients.size, PATIENTS);
  for (const records of patients.values()) {
    assert.is(records.length, 8);
    assert.is(new Set(records.map(({ organisation }) => toHex(organisation))).size, 1);
  }
  const people = report.hospitals.reduce((sum, { patients: p, doctors }) => sum + p + doctors, 0);
  assert.is(count(node, 'account.register'), people);
  assert.is(
    report.hospitals.reduce((sum, { patients: p }) => sum + p, 0),
    PATIENTS,
  );
  await node.close();
});

test('a resource that a later bundle repeats is counted and not added twice', async () => {
  const { node, load } = await setUp();
  const [first] = bundles;
  const report = await load({ bundles: [first!, { ...first!, name: 'zz-again.json' }] });
  assert.is(report.read, 16);
  assert.is(report.repeats, 8);
  assert.is(report.added, 8);
  assert.is(count(node, 'record.create'), 8);
  await node.close();
});

test('wherever a load is cut off, the next one finishes it and adds nothing twice', async () => {
  for (const fate of ['cut', 'loseAnswer'] as const) {
    for (const after of [3, 12, 34]) {
      const { node, load } = await setUp();
      let requests = 0;
      const failing: InstantNode['fate'] = () => {
        requests += 1;
        return requests > after ? (fate satisfies Fate) : 'serve';
      };
      node.fate = failing;
      const error = await failure(load({ patienceMs: 150 }));
      assert.instance(error, OperatorError);
      assert.match(error.message, /did not get on/);
      node.fate = () => 'serve';
      const report = await load();
      assert.is(report.failed, 0, `${fate} after ${after}`);
      assert.is(report.alreadyThere + report.added, RESOURCES);
      assert.is(count(node, 'record.create'), RESOURCES, `${fate} after ${after}`);
      await node.close();
    }
  }
});

test('a node that fails now and then loses nothing', async () => {
  const { node, load } = await setUp();
  let requests = 0;
  node.fate = (method) => {
    requests += 1;
    if (requests % 5 === 0) return 'cut';
    return method === 'POST' && requests % 2 === 0 ? 'loseAnswer' : 'serve';
  };
  const report = await load();
  assert.is(report.added, RESOURCES);
  assert.is(count(node, 'record.create'), RESOURCES);
  await node.close();
});

test('what expired uncommitted is signed anew, and no account is registered again', async () => {
  const { node, load } = await setUp();
  let isSlow = false;
  node.fate = (method, where) => {
    if (method === 'PUT') isSlow = true;
    return isSlow && where === '/v1/transactions' ? 'neverApply' : 'serve';
  };
  // Patience that a busy machine does not use up before. The clock loses an hour after the accounts: the first records can still be applied later, the others never.
  await failure(load({ patienceMs: 2_000, nowMs: () => Date.now() - (isSlow ? 3_600_000 : 0) }));
  const accounts = count(node, 'account.register');
  assert.is(count(node, 'record.create'), 0);
  node.fate = () => 'serve';
  const report = await load();
  assert.equal(report.failures, []);
  assert.is(count(node, 'record.create'), RESOURCES);
  assert.is(count(node, 'account.register'), accounts);
  await node.close();
});

test('records of a load that was cut off are finished even when its files are not given again', async () => {
  const { node, load } = await setUp();
  node.fate = (method, where) =>
    method === 'POST' && where === '/v1/transactions' && count(node, 'account.register') > 0 ? 'neverApply' : 'serve';
  await failure(load({ patienceMs: 2_000, bundles: bundles.slice(0, 1) }));
  node.fate = () => 'serve';
  const report = await load({ bundles: bundles.slice(1) });
  assert.is(report.resumed, 8);
  assert.is(report.added, RESOURCES - 8);
  assert.is(count(node, 'record.create'), RESOURCES);
  await node.close();
});

test('what a load writes is for its owner alone, and no file name tells who somebody is', async () => {
  const { node, keysFolder, load } = await setUp();
  await load();
  await node.close();
  const entries = readdirSync(keysFolder, { recursive: true }).map(String);
  for (const name of ['load.log', 'secret', 'people.jsonl', 'people']) assert.ok(entries.includes(name), name);
  const known = bundles.flatMap(({ patient, resources }) => [patient.id, ...resources.map(({ id }) => id)]);
  for (const entry of entries) {
    assert.not(
      known.some((id) => entry.includes(id)),
      entry,
    );
    const stat = statSync(path.join(keysFolder, entry));
    if (process.platform !== 'win32') assert.is(stat.mode & 0o777, stat.isDirectory() ? 0o700 : 0o600, entry);
  }
});

test('a second load in the same key folder at the same time is refused', async () => {
  const { node, keysFolder, load } = await setUp();
  const hold = holdFolder(keysFolder, 'A load');
  assert.match((await failure(load())).message, /another process uses it/);
  hold.release();
  assert.is((await load()).added, RESOURCES);
  await node.close();
});

test('a node of another ledger, and a hospital without its key, are refused', async () => {
  const { node, keysFolder, load } = await setUp();
  const other = await createTestnet({
    folder: path.join(root, 'other'),
    nodes: 1,
    port: 7100,
    ledger: 'other',
    parameters: {},
    createdMs: Date.now(),
  });
  const stranger = new InstantNode(new Uint8Array(readFileSync(path.join(other.keysFolder, 'genesis.cbor'))));
  const url = await stranger.listen();
  assert.match((await failure(load({ nodeUrls: [url] }))).message, /is a node of the ledger/);
  for (const name of ['hospital-1', 'hospital-2', 'hospital-3']) rmSync(path.join(keysFolder, `${name}.json`));
  assert.match((await failure(load())).message, /has no key file of the organisation/);
  await node.close();
  await stranger.close();
});

test("with its own node named, a hospital's records go there", async () => {
  const { keysFolder, node: unused } = await setUp();
  await unused.close();
  const nodes = [0, 1, 2].map((place) => new InstantNode(genesis, place));
  const nodeUrls = await Promise.all(nodes.map((node) => node.listen()));
  const options = { bundles, nodeUrls, keysFolder, patienceMs: 20_000, readingSeconds: 0 };
  const report = await loadBundles(options, silent);
  for (const [place, node] of nodes.entries()) {
    assert.is(count(node, 'record.create'), report.hospitals[place]!.added);
    await node.close();
  }
});

test.run();
