import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { scanBundles, selectResources } from '../../src/cli/fhir/scan.ts';
import { bundleText, type MadeUp, parse, patient } from './made-up.ts';

const doctor: MadeUp = { resourceType: 'Practitioner', id: 'd' };
const by = { performer: [{ reference: 'urn:uuid:d' }] };

function observation(id: string, code: string, date?: string): MadeUp {
  const effective = date === undefined ? {} : { effectiveDateTime: date };
  return { resourceType: 'Observation', id, ...by, code: { coding: [{ system: 'urn:s', code }] }, ...effective };
}

const first = parse(bundleText(patient, doctor, observation('o1', 'x', '2020-03-31T23:59:59.999Z')), 'a.json');
const second = parse(
  bundleText(
    { ...patient, id: 'q', address: [{ city: 'Ulm' }] },
    doctor,
    observation('o2', 'xy', '2020-04'),
    observation('o3', 'x'),
  ),
  'b.json',
);
const { resources, repeats } = scanBundles([second, first]);

function ids(filter: Parameters<typeof selectResources>[1]): string[] {
  return selectResources(resources, filter).map(({ id }) => id);
}

test('a repeat belongs to the first bundle by file name, whatever order they come in', () => {
  assert.equal(
    resources.map(({ id, bundle }) => `${bundle.name} ${id}`),
    ['a.json p', 'a.json d', 'a.json o1', 'b.json q', 'b.json o2', 'b.json o3'],
  );
  assert.equal(
    repeats.map(({ id, bundle }) => `${bundle.name} ${id}`),
    ['b.json d'],
  );
});

test('filters narrow, alone and together', () => {
  assert.is(ids({}).length, 6);
  assert.equal(ids({ patient: 'q' }), ['q', 'o2', 'o3']);
  assert.equal(ids({ patient: 'q', kind: 'Observation' }), ['o2', 'o3']);
  assert.equal(ids({ code: 'urn:s|x' }), ['o1', 'o3']);
  assert.equal(ids({ code: 'x', region: 'Linden' }), ['o1']);
  assert.equal(ids({ code: 'urn:other|x' }), []);
  assert.equal(ids({ author: 'Practitioner/d', kind: 'Patient' }), ['p', 'q']);
  assert.equal(ids({ department: 'none' }), []);
});

test('ranges of dates are inclusive to their precision and leave out what has no date', () => {
  assert.equal(ids({ from: '2020-03-31', to: '2020-03-31' }), ['o1']);
  assert.equal(ids({ from: '2020-04-01' }), ['o2']);
  assert.equal(ids({ to: '2020-03' }), ['o1']);
  assert.equal(ids({ from: '2020', to: '2020' }), ['o1', 'o2']);
  assert.equal(ids({ from: '2020-04-01T00:00:00.001Z' }), []);
  assert.equal(ids({ from: '2020-04-01T02:00:00+02:00', to: '2020-04-01T00:00:00Z' }), ['o2']);
  assert.throws(() => ids({ from: 'yesterday' }), /yesterday is not a date/);
});

test.run();
