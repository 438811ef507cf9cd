import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatAddress } from '../../src/crypto/address.ts';
import {
  type AccountKeyFile,
  KeyFileError,
  readAccountKey,
  readValidatorKey,
  writeAccountKey,
  writeValidatorKey,
} from '../../src/crypto/node/keystore.ts';

const test = suite<{ folder: string; path: string }>('keystore');
test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'medledger-keystore-'));
  context.path = join(context.folder, 'ada.key');
});
test.after.each(({ folder }) => rmSync(folder, { recursive: true }));

const account: AccountKeyFile = {
  name: 'ada',
  role: 'doctor',
  address: formatAddress(new Uint8Array(32).fill(9)),
  signingSeed: new Uint8Array(32).fill(1),
  sealingSecret: new Uint8Array(32).fill(2),
};
const validator = { name: 'one', signingSeed: new Uint8Array(32).fill(3) };

function refused(action: () => unknown, ...saying: string[]): void {
  assert.throws(action, (error: unknown) => {
    assert.ok(error instanceof KeyFileError, String(error));
    for (const words of saying) assert.match(error.message, words);
    return true;
  });
}

function edit(path: string, change: (fields: Record<string, unknown>) => void): void {
  const fields = JSON.parse(readFileSync(path, 'utf8'));
  change(fields);
  writeFileSync(path, JSON.stringify(fields));
}

test('keys come back as written, from a file for the owner only, with nothing left beside it', ({ folder, path }) => {
  writeAccountKey(path, account);
  writeValidatorKey(join(folder, 'validator.key'), validator);
  assert.equal(readAccountKey(path), account);
  assert.equal(readValidatorKey(join(folder, 'validator.key')), validator);
  assert.is(statSync(path).mode & 0o777, 0o600);
  assert.equal(readdirSync(folder).sort(), ['ada.key', 'validator.key']);
});

test('a file in the way is never replaced', ({ folder, path }) => {
  writeValidatorKey(path, validator);
  refused(() => writeAccountKey(path, account), 'exists and is not replaced', path);
  assert.equal(readValidatorKey(path), validator);
  assert.equal(readdirSync(folder), ['ada.key']);
});

test('a file that others may open is refused, with the remedy', ({ path }) => {
  writeAccountKey(path, account);
  for (const mode of [0o640, 0o604, 0o620, 0o644]) {
    chmodSync(path, mode);
    refused(() => readAccountKey(path), `chmod 600 ${path}`);
  }
  chmodSync(path, 0o400);
  assert.equal(readAccountKey(path), account);
});

test('a missing folder or file is named', ({ folder, path }) => {
  refused(() => writeAccountKey(join(folder, 'none', 'a.key'), account), 'folder does not exist');
  refused(() => readAccountKey(path), path, 'ENOENT', 'check the path');
});

test('a file of another type or version, or no key file at all, is refused without quoting it', ({ folder, path }) => {
  writeValidatorKey(path, validator);
  refused(() => readAccountKey(path), 'medledger-validator-key');
  edit(path, (fields) => {
    fields['version'] = 2;
  });
  refused(() => readValidatorKey(path), 'version 2');
  for (const [name, content] of [
    ['empty', ''],
    ['null', 'null'],
    ['list', '[]'],
    ['secret', 'topsecret'],
    ['large', ' '.repeat(5000)],
  ] as const) {
    const file = join(folder, name);
    writeFileSync(file, content, { mode: 0o600 });
    refused(() => readValidatorKey(file), file);
    assert.throws(
      () => readValidatorKey(file),
      (error: Error) => !error.message.includes('topsecret'),
    );
  }
  mkdirSync(join(folder, 'folder'));
  refused(() => readValidatorKey(join(folder, 'folder')), 'not a regular file');
});

test('a damaged field is found', ({ path }) => {
  writeAccountKey(path, account);
  for (const [field, value, saying] of [
    ['signingSeed', '22'.repeat(32), 'signing secret is not that of the public key'],
    ['sealingSecret', '33'.repeat(32), 'sealing secret is not that of the public key'],
    ['signingSeed', '22', 'signingSeed is missing or malformed'],
    ['signingPublicKey', undefined, 'signingPublicKey is missing'],
    ['name', '', 'name is missing or malformed'],
    ['role', 7, 'role is missing or malformed'],
    ['address', 'med1nonsense', 'address is missing or malformed'],
  ] as const) {
    const intact = readFileSync(path);
    edit(path, (fields) => {
      fields[field] = value;
    });
    refused(() => readAccountKey(path), saying);
    writeFileSync(path, intact);
  }
});

test('what could not be read back is not written', ({ folder, path }) => {
  assert.throws(() => writeAccountKey(path, { ...account, name: '' }), 'a text of 1 to 64');
  assert.throws(() => writeAccountKey(path, { ...account, address: 'ada' }), 'starts with med1');
  assert.throws(() => writeAccountKey(path, { ...account, signingSeed: new Uint8Array(31) }), '32 bytes');
  assert.throws(() => writeAccountKey(path, { ...account, sealingSecret: new Uint8Array(31) }));
  assert.equal(readdirSync(folder), []);
});

test.run();
