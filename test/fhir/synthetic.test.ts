import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hospitalOf } from '../../src/cli/fhir/assignment.ts';
import { parseBundle } from '../../src/cli/fhir/bundle.ts';
import { scanBundles } from '../../src/cli/fhir/scan.ts';
import { syntheticBundles } from '../../src/cli/fhir/synthetic.ts';

function scan(seed: number, patients: number) {
  return scanBundles(syntheticBundles(seed, patients).map(({ name, bytes }) => parseBundle(bytes, name)));
}

test('the same seed gives the same bytes, another seed others', () => {
  assert.equal(syntheticBundles(4, 3), syntheticBundles(4, 3));
  assert.not.equal(syntheticBundles(4, 3), syntheticBundles(5, 3));
  assert.throws(() => syntheticBundles(0, 1), /seed/);
});

test('every patient is a whole bundle of eight resources, none shared', () => {
  const { resources, repeats } = scan(4, 12);
  assert.is(resources.length, 96);
  assert.is(repeats.length, 0);
  assert.is(new Set(resources.map(({ bundle }) => bundle.patient.id)).size, 12);
  for (const { author, fields } of resources) {
    assert.match(author, /^urn:medledger:demo:practitioner\|\d$/);
    assert.ok(fields.kind === 'Patient' || (fields.date !== '' && fields.codes.length > 0 && fields.department !== ''));
    assert.is.not(fields.region, 'unknown');
  }
});

test('seed 4 gives each of four hospitals a patient', () => {
  const hospitals = new Set(scan(4, 12).resources.map(({ bundle }) => hospitalOf(bundle.patient.id, 4)));
  assert.is(hospitals.size, 4);
});

test.run();
