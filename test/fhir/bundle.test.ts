import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BUNDLE_BYTES_MAX, parseBundle } from '../../src/cli/fhir/bundle.ts';
import { readBundles } from '../../src/cli/fhir/read-bundles.ts';
import { OperatorError } from '../../src/node/operator-error.ts';
import { bundleText, parse, patient } from './made-up.ts';

/** Asserts an OperatorError whose message names the file and matches. */
function refuses(act: () => unknown, message: RegExp): void {
  try {
    act();
  } catch (error) {
    assert.instance(error, OperatorError);
    assert.match((error as Error).message, message);
    assert.match((error as Error).message, /x\.json/);
    return;
  }
  assert.unreachable(`expected a refusal: ${message}`);
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

test('what is no bundle of one patient is refused with what it is', () => {
  refuses(() => parse('{"resourceType": "Bundle",'), /not JSON/);
  refuses(() => parseBundle(Uint8Array.of(0xff, 0xfe), 'x.json'), /not UTF-8/);
  refuses(() => parse('{"resourceType": "Observation"}'), /not a FHIR Bundle \(Observation\)/);
  refuses(() => parse('[]'), /not a FHIR Bundle/);
  refuses(() => parse('null'), /not a FHIR Bundle/);
  refuses(() => parse('{"resourceType": "Bundle"}'), /has no Patient/);
  refuses(() => parse('{"resourceType": "Bundle", "entry": {}}'), /entry is not a list/);
  refuses(() => parse(bundleText(patient, { ...patient, id: 'q' })), /has 2 Patients/);
});

test('an entry without resource, type or id is refused with its number', () => {
  const withEntry = (entry: unknown) =>
    JSON.stringify({ resourceType: 'Bundle', entry: [{ resource: patient }, entry] });
  refuses(() => parse(withEntry(null)), /entry 2 has no resource/);
  refuses(() => parse(withEntry({ resource: [] })), /entry 2 has no resource/);
  refuses(() => parse(withEntry({ resource: { id: 'a' } })), /entry 2: the resource has no resourceType/);
  refuses(() => parse(withEntry({ resource: { resourceType: 'Goal' } })), /entry 2 \(Goal\) has no valid id/);
  refuses(() => parse(withEntry({ resource: { resourceType: 'Goal', id: 'a/b' } })), /no valid id/);
});

test('the UUID of the entry stands in for a missing id', () => {
  const entry = [{ resource: patient }, { fullUrl: 'urn:uuid:0c1d', resource: { resourceType: 'Goal' } }];
  assert.is(parse(JSON.stringify({ resourceType: 'Bundle', entry })).resources[1]?.id, '0c1d');
});

test('a bundle over the size limit is refused before it is read', () => {
  refuses(() => parseBundle(new Uint8Array(BUNDLE_BYTES_MAX + 1), 'x.json'), /Split it/);
});

test('payloads are the bytes of the file: decimals, escapes, white space and member order stay', () => {
  const resources = [
    '{ "resourceType":"Patient" , "id":"p","x":[1.0,1.00,1E-22, -1.000000000000000000E+245] }',
    '{"id":"o","resourceType":"Observation","note":"}]{ \\" \\\\","u":"\\u00e4ä\\ud83d\\ude00","n":{"a":[{}, [] ,"]"]}}',
    '{\n  "resourceType" : "Goal",\t"id":"g", "value": 1000000000000000000000000.10\r\n}',
  ];
  const entries = resources.map(
    (resource, i) => `{"request":{"resource":0},"resource" :\n${resource} ,"fullUrl":"u${i}"}`,
  );
  for (const space of ['', ' ', '\n\t']) {
    const json = `${space}{"type":"entry","resourceType":"Bundle",${space}"entry"${space}:[${entries.join(`${space},`)}]}${space}`;
    assert.equal(
      parse(json).resources.map((resource) => text(resource.payload)),
      resources,
    );
  }
});

test('of a name given twice the last counts, in content and payload alike', () => {
  const json =
    '{"entry":[],"resourceType":"Bundle","entry":[{"resource":0,"resource":{"resourceType":"Patient","id":"b","\\u0069d":"c"}}]}';
  const [only] = parse(json).resources;
  assert.is(only?.id, 'c');
  assert.equal(JSON.parse(text(only!.payload)), only?.content);
});

test('deep nesting costs no stack', () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const json = `{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","id":"p","x":${deep}}}]}`;
  assert.ok(text(parse(json).patient.payload).includes(deep));
});

test('a byte-order mark is no part of the text', () => {
  assert.is(parse(`\ufeff${bundleText(patient)}`).patient.id, 'p');
});

test('files are read in order of their names, whatever their folders', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'medledger-fhir-'));
  try {
    const write = (name: string) => {
      writeFileSync(path.join(folder, name), bundleText(patient));
      return path.join(folder, name);
    };
    const files = [write('b.json'), write('a.json'), write('B.json')];
    assert.equal(
      readBundles(files).map((bundle) => bundle.name),
      ['B.json', 'a.json', 'b.json'],
    );
    refuses(() => readBundles([path.join(folder, 'x.json')]), /Cannot read .*ENOENT/);
    writeFileSync(path.join(folder, 'x.json'), '{');
    refuses(() => readBundles([...files, path.join(folder, 'x.json')]), /not JSON/);
    refuses(() => readBundles([path.join(folder, 'x.json'), 'elsewhere/x.json']), /have one name/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.run();
