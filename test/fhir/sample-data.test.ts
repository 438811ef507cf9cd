import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hospitalOf } from '../../src/cli/fhir/assignment.ts';
import { readBundles } from '../../src/cli/fhir/read-bundles.ts';
import { type BundleScan, type ScannedResource, scanBundles, selectResources } from '../../src/cli/fhir/scan.ts';
import { encodeRecordFields } from '../../src/ledger/attachment.ts';
import { missingSampleData, sampleData, testUnless } from '../skip.ts';
import { parse } from './made-up.ts';

const missing = missingSampleData('fhir');
const folder = path.join(sampleData, 'fhir', 'synthea');
const files = missing === null ? readdirSync(folder).map((name) => path.join(folder, name)) : [];

let cached: BundleScan | undefined;
function sample(): BundleScan {
  cached ??= scanBundles(readBundles(files));
  return cached;
}

function count(resources: readonly ScannedResource[], key: (resource: ScannedResource) => string) {
  const counts: Record<string, number> = {};
  for (const resource of resources) counts[key(resource)] = (counts[key(resource)] ?? 0) + 1;
  return counts;
}

function one(type: string, id: string): ScannedResource {
  const [found, ...others] = sample().resources.filter((resource) => resource.type === type && resource.id === id);
  assert.ok(found !== undefined && others.length === 0);
  return found!;
}

testUnless(missing, 'all 7,587 resources are accounted for: 7,557 distinct, 30 repeats', () => {
  const { resources, repeats } = sample();
  assert.is(resources.length, 7557);
  assert.is(repeats.length, 30);
  assert.equal(
    count(repeats, ({ type }) => type),
    { Organization: 15, Practitioner: 15 },
  );
  assert.equal(
    count([...resources, ...repeats], ({ type }) => type),
    {
      AllergyIntolerance: 32,
      CarePlan: 84,
      Claim: 935,
      Condition: 235,
      DiagnosticReport: 352,
      DocumentReference: 189,
      Encounter: 782,
      ExplanationOfBenefit: 782,
      Goal: 33,
      ImagingStudy: 14,
      Immunization: 645,
      MedicationRequest: 153,
      Observation: 2974,
      Organization: 53,
      Patient: 42,
      Practitioner: 53,
      Procedure: 223,
      Provenance: 6,
    },
  );
});

testUnless(missing, 'every repeat stands in an earlier bundle', () => {
  const { resources, repeats } = sample();
  for (const repeat of repeats) {
    const kept = resources.find(({ type, id }) => type === repeat.type && id === repeat.id);
    assert.ok(kept !== undefined && kept.bundle.name < repeat.bundle.name);
  }
});

testUnless(missing, 'every resource has an author, a kind, a region and fields that a record takes', () => {
  for (const { type, author, fields } of sample().resources) {
    assert.match(author, /^http:\/\/hl7\.org\/fhir\/sid\/us-npi\|\d+$/);
    assert.is(fields.kind, type);
    assert.is.not(fields.region, 'unknown');
    assert.ok(encodeRecordFields(fields).length < 1500);
  }
});

testUnless(missing, 'only people, places and goals have no date', () => {
  const undated = sample().resources.filter(({ fields }) => fields.date === '');
  assert.equal(
    count(undated, ({ type }) => type),
    { Goal: 33, Organization: 38, Patient: 42, Practitioner: 38 },
  );
});

testUnless(missing, 'the bundles fall to all four hospitals, as written down', () => {
  const bundles = [...new Set(sample().resources.map(({ bundle }) => bundle))];
  assert.is(
    bundles.map(({ patient }) => hospitalOf(patient.id, 4)).join(''),
    '023000200022331122330100202313000110223113',
  );
});

testUnless(missing, 'payloads are the text of the file: its own resources in order, numbers as written', () => {
  for (const file of ['base-01.json', 'uscore-01.json']) {
    const text = readFileSync(path.join(folder, file), 'utf8');
    let position = 0;
    for (const { id, payload } of sample().resources.filter((resource) => resource.bundle.name === file)) {
      const piece = new TextDecoder().decode(payload);
      const found = text.indexOf(piece, position);
      assert.ok(found >= position && /"resource":\s*$/.test(text.slice(position, found)), id);
      position = found + piece.length;
    }
  }
  const decimals = readFileSync(path.join(sampleData, 'fhir', 'hl7-examples', 'observation-decimal.json'), 'utf8');
  const bundle = parse(
    `{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","id":"p"}},{"resource":${decimals}}]}`,
  );
  assert.is(new TextDecoder().decode(bundle.resources[1]!.payload), decimals.trim());
});

testUnless(missing, 'a self-contained observation, by hand', () => {
  const { author, bundle, fields } = one('Observation', '83b05955-4586-4e4d-b4b7-e5c8c6058779');
  assert.is(bundle.patient.id, '829bb06a-42b9-433d-a8f6-560727c63da9');
  assert.is(author, 'http://hl7.org/fhir/sid/us-npi|250');
  assert.equal(fields, {
    kind: 'Observation',
    codes: ['http://loinc.org|8302-2', 'http://terminology.hl7.org/CodeSystem/observation-category|vital-signs'],
    date: '2000-12-24T03:11:33+00:00',
    department: 'NOBLE HOSPITAL',
    region: 'Westfield',
    title: 'Body Height',
  });
});

testUnless(missing, 'a claim with conditional references, by hand', () => {
  const { author, fields } = one('Claim', 'c7db9d07-86bf-95e2-67ff-379a0be27139');
  assert.is(author, 'http://hl7.org/fhir/sid/us-npi|9999955949');
  assert.equal(fields, {
    kind: 'Claim',
    codes: ['http://terminology.hl7.org/CodeSystem/claim-type|institutional'],
    date: '1991-07-08T01:54:26+00:00',
    department: 'PCP103937',
    region: 'Woburn',
    title: 'Well child visit (procedure)',
  });
});

testUnless(missing, 'an encounter without participant goes to the commonest practitioner of its bundle', () => {
  // base-04.json: seven encounters with NPI 600, two with NPI 80.
  const { author, bundle } = one('Encounter', '6c097ee1-0a84-455e-97cd-e475badef99b');
  assert.is(bundle.name, 'base-04.json');
  assert.is(author, 'http://hl7.org/fhir/sid/us-npi|600');
});

testUnless(missing, 'queries count what another program counted in the files', () => {
  const { resources } = sample();
  const counted = (filter: Parameters<typeof selectResources>[1]) => selectResources(resources, filter).length;
  const patient = '9df87ee4-4ade-45c5-8601-910e8ff9db99';
  assert.is(counted({ patient, kind: 'Observation' }), 110);
  assert.is(counted({ patient, kind: 'Observation', from: '2005-01-01', to: '2010-12-31' }), 58);
  assert.is(counted({ patient, kind: 'Observation', from: '2005-06-26', to: '2005-06-26' }), 6);
  assert.is(counted({ patient, kind: 'Observation', from: '2005-06-26T18:38:59Z', to: '2005-12-31' }), 0);
  assert.is(counted({ kind: 'Observation', from: '2015-01-01', to: '2015-12-31' }), 189);
  assert.is(counted({ code: 'http://loinc.org|8302-2' }), 234);
  assert.is(counted({ code: 'http://loinc.org|8480-6' }), 234);
  assert.is(counted({ kind: 'Immunization', code: 'http://hl7.org/fhir/sid/cvx|140' }), 344);
  assert.is(counted({ kind: 'Condition', code: 'http://snomed.info/sct|44054006' }), 2);
  assert.is(counted({ region: 'Boston' }), 408);
});

test.run();
