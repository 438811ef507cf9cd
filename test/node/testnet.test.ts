import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { equalBytes, toHex } from '../../src/codec/bytes.ts';
import { decodeJournalRecord } from '../../src/consensus/journal-record.ts';
import { parseAddress } from '../../src/crypto/address.ts';
import { signingKeyFault } from '../../src/crypto/key-admission.ts';
import { readAccountKey, readValidatorKey } from '../../src/crypto/node/keystore.ts';
import { sodiumSigner } from '../../src/crypto/node/sign.ts';
import { accountAddress } from '../../src/ledger/account.ts';
import { decodeGenesis, genesisHash } from '../../src/ledger/genesis.ts';
import { genesisFault } from '../../src/ledger/genesis-check.ts';
import { readConfig } from '../../src/node/config.ts';
import { readIdentity } from '../../src/node/identity.ts';
import { drawSeed, initNode } from '../../src/node/init-node.ts';
import { decodeJournalEntry } from '../../src/node/journal-entry.ts';
import { OperatorError } from '../../src/node/operator-error.ts';
import { createTestnet, type TestnetOptions } from '../../src/node/testnet.ts';
import { readTestnet } from '../../src/node/testnet-folder.ts';
import { checkDataFolder, dataFolder } from '../../src/storage/data-folder.ts';
import { openJournal } from '../../src/storage/journal.ts';

const root = mkdtempSync(path.join(os.tmpdir(), 'medledger-testnet-'));
test.after(() => rmSync(root, { recursive: true, force: true }));

const options = (folder: string, change: Partial<TestnetOptions> = {}): TestnetOptions => ({
  folder: path.join(root, folder),
  nodes: 4,
  port: 7100,
  ledger: 'four hospitals',
  parameters: {},
  createdMs: 1_790_000_000_000,
  ...change,
});

async function messageOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    assert.instance(error, Error);
    return (error as Error).message;
  }
  throw new Error('it was to be refused');
}

function everyEntry(folder: string): string[] {
  return [folder, ...readdirSync(folder, { recursive: true }).map((name) => path.join(folder, String(name)))];
}

test('every node gets the same valid genesis, its own key in it, and a configuration that names the others', async () => {
  const testnet = await createTestnet(options('valid', { parameters: { blockTransactionsMax: 77 } }));
  assert.is(testnet.nodes.length, 4);
  const documents = new Set<string>();
  for (const [index, node] of testnet.nodes.entries()) {
    const folder = await checkDataFolder(node.folder);
    const { start, genesisDocument, signer, organisationKey } = readIdentity(folder);
    const genesis = start.founding;
    documents.add(toHex(genesisHash(genesisDocument)));
    assert.is(genesisFault(genesis, signingKeyFault), undefined);
    assert.is(genesis.ledger, 'four hospitals');
    assert.is(genesis.parameters.blockTransactionsMax, 77);
    assert.equal(signer.publicKey, node.publicKey);
    const validator = genesis.validators.find(({ publicKey }) => equalBytes(publicKey, node.publicKey));
    assert.equal(validator?.organisation, organisationKey?.address);
    assert.is(genesis.organisations[index]?.name, node.organisation);

    const config = readConfig(folder.config, {});
    assert.is(config.api.port, 7100 + index);
    assert.equal(config.p2p.listen, [`/ip4/127.0.0.1/tcp/${7200 + index}`]);
    const peers = new Map(config.p2p.peers.map(({ publicKey, addresses }) => [publicKey, addresses]));
    const others = testnet.nodes.filter((other) => other !== node);
    assert.is(peers.size, others.length);
    for (const other of others)
      assert.equal(peers.get(toHex(other.publicKey)), [`/ip4/127.0.0.1/tcp/${7200 + testnet.nodes.indexOf(other)}`]);
  }
  assert.equal([...documents], [toHex(testnet.genesisHash)]);
});

test('a new key has a journal with its birth record and nothing else', async () => {
  const { nodes } = await createTestnet(options('journal', { nodes: 1 }));
  const journal = await openJournal(dataFolder(nodes[0]!.folder).journal);
  assert.is(journal.records.length, 1);
  const entry = decodeJournalEntry(journal.records[0]!);
  assert.is(entry.kind, 'Record');
  if (entry.kind === 'Record') assert.equal(decodeJournalRecord(entry.record), { kind: 'Birth' });
  await journal.close();
});

test('the keys folder holds the key of each organisation under its address, and the genesis', async () => {
  const { keysFolder, genesisHash: expected } = await createTestnet(options('keys'));
  const encoded = new Uint8Array(readFileSync(path.join(keysFolder, 'genesis.cbor')));
  assert.equal(genesisHash(encoded), expected);
  for (const [index, { name, keyDocument }] of decodeGenesis(encoded).organisations.entries()) {
    const key = readAccountKey(path.join(keysFolder, `hospital-${index + 1}.json`));
    assert.is(key.name, name);
    assert.is(key.role, 'organisation');
    assert.equal(parseAddress(key.address), accountAddress(keyDocument));
    assert.equal(sodiumSigner(key.signingSeed).publicKey, keyDocument.keys[0]!.publicKey);
  }
});

test('nobody but the owner may enter a folder or read a file of a testnet', async () => {
  if (process.platform === 'win32') return;
  const previous = process.umask(0);
  try {
    await createTestnet(options('modes'));
  } finally {
    process.umask(previous);
  }
  for (const entry of everyEntry(path.join(root, 'modes'))) {
    const stat = statSync(entry);
    assert.is(stat.mode & 0o777, stat.isDirectory() ? 0o700 : 0o600, entry);
  }
});

test('a folder in use is refused and left as it was; an empty one is taken', async () => {
  await createTestnet(options('twice', { nodes: 1 }));
  const before = everyEntry(path.join(root, 'twice'));
  assert.match(await messageOf(createTestnet(options('twice', { nodes: 1 }))), /is not empty: it holds/);
  assert.equal(everyEntry(path.join(root, 'twice')), before);
  writeFileSync(path.join(root, 'a-file'), '');
  assert.match(await messageOf(createTestnet(options('a-file'))), /can not be made/);
});

test('a testnet is read back as it was made', async () => {
  const made = await createTestnet(options('again', { nodes: 11, port: 7300 }));
  assert.equal(readTestnet(path.join(root, 'again')), made);
  mkdirSync(path.join(root, 'no-testnet'));
  assert.throws(() => readTestnet(path.join(root, 'no-testnet')), /no node folders/);
});

test('options that do not fit are refused before anything is written', async () => {
  const cases: readonly (readonly [Partial<TestnetOptions>, RegExp])[] = [
    [{ nodes: 0 }, /choose 1 to 64/],
    [{ nodes: 65 }, /choose 1 to 64/],
    [{ port: 0 }, /choose the first API port/],
    [{ port: 65_400 }, /choose the first API port/],
    [{ ledger: ' ' }, /name of the ledger/],
    [{ ledger: 'é'.repeat(33) }, /66 bytes/],
    [{ parameters: { heartbeatMs: 1 } }, /heartbeatMs is 1; it must be/],
  ];
  for (const [change, expected] of cases) {
    const refused = createTestnet(options('refused', change));
    await refused.catch((error: unknown) => assert.instance(error, OperatorError));
    assert.match(await messageOf(refused), expected);
    assert.not(existsSync(path.join(root, 'refused')));
  }
});

test('a node made from an existing key has that key and no journal', async () => {
  const { nodes } = await createTestnet(options('source', { nodes: 1 }));
  const source = dataFolder(nodes[0]!.folder);
  const folder = path.join(root, 'moved');
  const publicKey = await initNode({
    folder,
    config: readConfig(source.config, {}),
    genesisDocument: readFileSync(source.genesis),
    key: { kind: 'existing', file: path.join(source.keys, 'validator.json') },
    organisation: undefined,
  });
  assert.equal(publicKey, nodes[0]!.publicKey);
  assert.not(existsSync(dataFolder(folder).journal));
  assert.is(readIdentity(dataFolder(folder)).organisationKey, undefined);
  assert.equal(
    readValidatorKey(path.join(folder, 'keys', 'validator.json')).signingSeed,
    readValidatorKey(path.join(source.keys, 'validator.json')).signingSeed,
  );
});

test('a key file that can not be read leaves no half-made node', async () => {
  const { nodes } = await createTestnet(options('unread', { nodes: 1 }));
  const folder = path.join(root, 'never');
  const source = dataFolder(nodes[0]!.folder);
  const refused = initNode({
    folder,
    config: readConfig(source.config, {}),
    genesisDocument: readFileSync(source.genesis),
    key: { kind: 'existing', file: path.join(root, 'no-such.json') },
    organisation: undefined,
  });
  assert.match(await messageOf(refused), /can not be read/);
  assert.not(existsSync(folder));
  assert.is(drawSeed().length, 32);
});

test.run();
