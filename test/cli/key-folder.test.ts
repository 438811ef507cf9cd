import { appendFileSync, chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type KeyFolder, openKeyFolder } from '../../src/cli/key-folder.ts';
import { formatAddress } from '../../src/crypto/address.ts';
import { accountAddress } from '../../src/ledger/account.ts';
import { createTestnet } from '../../src/node/testnet.ts';

const root = mkdtempSync(path.join(os.tmpdir(), 'medledger-keys-'));
test.after(() => rmSync(root, { recursive: true, force: true }));

async function makeKeys(name: string): Promise<string> {
  const { keysFolder } = await createTestnet({
    folder: path.join(root, name),
    nodes: 2,
    port: 7100,
    ledger: 'keys',
    parameters: {},
    createdMs: 1_790_000_000_000,
  });
  return keysFolder;
}

const homeOf = (keys: KeyFolder, place: number) => keys.organisations[place]!.identity.address;
const addressOf = (holder: { readonly identity: { readonly address: Uint8Array } }) =>
  formatAddress(holder.identity.address);

test('a person keeps one account at each organisation, across openings', async () => {
  const folder = await makeKeys('person');
  const keys = openKeyFolder(folder);
  const first = keys.ensurePerson('doctor', 'npi|1', homeOf(keys, 0));
  const elsewhere = keys.ensurePerson('doctor', 'npi|1', homeOf(keys, 1));
  const asPatient = keys.ensurePerson('patient', 'npi|1', homeOf(keys, 0));
  assert.is(new Set([first, elsewhere, asPatient].map(addressOf)).size, 3);
  const again = openKeyFolder(folder);
  assert.is(addressOf(again.ensurePerson('doctor', 'npi|1', homeOf(again, 0))), addressOf(first));
  assert.equal(first.identity.address, accountAddress(first.identity.keyDocument));
});

test('somebody is found by name or address, and a name of several is refused with their addresses', async () => {
  const keys = openKeyFolder(await makeKeys('names'));
  const [organisation] = keys.organisations;
  const patient = keys.ensurePerson('patient', 'p-1', homeOf(keys, 0));
  const doctor = keys.ensurePerson('doctor', 'd-1', homeOf(keys, 0));
  const double = keys.ensurePerson('doctor', 'd-1', homeOf(keys, 1));
  assert.is(addressOf(keys.holder('p-1')), addressOf(patient));
  assert.is(addressOf(keys.holder(addressOf(double))), addressOf(double));
  assert.equal(keys.holder(addressOf(double)).organisation, homeOf(keys, 1));
  assert.is(addressOf(keys.holder('hospital-1')), addressOf(organisation!));
  assert.is(addressOf(keys.holder(organisation!.name)), addressOf(organisation!));
  assert.is(keys.nameOf(addressOf(patient)), 'p-1');
  assert.is(keys.nameOf(addressOf(organisation!)), organisation!.name);
  assert.throws(
    () => keys.holder('d-1'),
    (error: Error) => error.message.includes(addressOf(doctor)) && error.message.includes(addressOf(double)),
  );
  assert.throws(() => keys.holder('nobody'), /no account called nobody/);
  assert.throws(() => keys.holder('../hospital-1/keys/organisation'), /no account called/);
});

test('a crash between the key file and the list loses neither key nor person', async () => {
  const folder = await makeKeys('crash');
  const keys = openKeyFolder(folder);
  const before = keys.ensurePerson('patient', 'p-1', homeOf(keys, 0));
  const list = path.join(folder, 'people.jsonl');
  const whole = readFileSync(list);
  for (let length = 0; length <= whole.length; length += 1) {
    writeFileSync(list, whole.subarray(0, length));
    const again = openKeyFolder(folder);
    assert.is(addressOf(again.ensurePerson('patient', 'p-1', homeOf(again, 0))), addressOf(before));
    assert.equal(readFileSync(list), whole);
    assert.is(readdirSync(path.join(folder, 'people')).length, 1);
  }
});

test('marks are the same in one folder and differ between folders and purposes', async () => {
  const folder = await makeKeys('marks');
  const keys = openKeyFolder(folder);
  const mark = keys.mark('resource', 'Patient/1');
  assert.equal(openKeyFolder(folder).mark('resource', 'Patient/1'), mark);
  assert.not.equal(keys.mark('person', 'Patient/1'), mark);
  assert.not.equal(openKeyFolder(await makeKeys('marks-2')).mark('resource', 'Patient/1'), mark);
});

test('what is damaged or open to others is refused with the file and the remedy', async () => {
  const folder = await makeKeys('damaged');
  const keys = openKeyFolder(folder);
  keys.ensurePerson('patient', 'p-1', homeOf(keys, 0));
  appendFileSync(path.join(folder, 'people.jsonl'), '{"role":"king"}\n');
  assert.throws(() => openKeyFolder(folder), /people\.jsonl:2 is no entry/);
  rmSync(path.join(folder, 'people.jsonl'));
  writeFileSync(path.join(folder, 'secret'), 'short');
  assert.throws(() => openKeyFolder(folder).mark('resource', 'x'), /secret is damaged: restore it/);
  assert.throws(() => openKeyFolder(path.join(root, 'none')), /name it with --keys/);
  if (process.platform === 'win32') return;
  chmodSync(path.join(folder, 'hospital-1.json'), 0o644);
  assert.throws(() => openKeyFolder(folder), /chmod 600/);
});

test.run();
