import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hospitalOf } from '../../src/cli/fhir/assignment.ts';
import { dateSpan } from '../../src/cli/fhir/date-span.ts';
import { mapBundle } from '../../src/cli/fhir/mapping.ts';
import { CODES_MAX, decodeRecordFields, encodeRecordFields } from '../../src/ledger/attachment.ts';
import { OperatorError } from '../../src/node/operator-error.ts';
import { bundleOf, bundleText, type MadeUp, parse, patient, recordOf } from './made-up.ts';

const NPI = 'http://hl7.org/fhir/sid/us-npi';
const loinc = (code: string) => ({ system: 'http://loinc.org', code });

function doctor(id: string, npi: string): MadeUp {
  return {
    resourceType: 'Practitioner',
    id,
    identifier: [
      { system: 'urn:staff', value: `staff-${id}` },
      { system: NPI, value: npi },
    ],
  };
}

const clinic: MadeUp = { resourceType: 'Organization', id: 'clinic', name: 'Heart clinic' };
const visit: MadeUp = {
  resourceType: 'Encounter',
  id: 'visit',
  participant: [{ individual: { reference: 'urn:uuid:d1' } }],
  serviceProvider: { reference: 'urn:uuid:clinic' },
  period: { start: '2020-02-03T10:00:00+02:00' },
};
const staff = [doctor('d1', '11'), doctor('d2', '22'), clinic, visit];

test('the author is the own one, else of the encounter, else the commonest of the bundle', () => {
  const bundle = bundleOf(
    ...staff,
    {
      resourceType: 'MedicationRequest',
      id: 'own',
      encounter: { reference: 'urn:uuid:visit' },
      requester: { reference: 'urn:uuid:d2' },
    },
    { resourceType: 'Observation', id: 'visited', encounter: { reference: 'Encounter/visit' } },
    {
      resourceType: 'Claim',
      id: 'billed',
      provider: { reference: 'urn:uuid:clinic' },
      item: [{ encounter: [{ reference: 'urn:uuid:visit' }] }],
    },
    { resourceType: 'DocumentReference', id: 'noted', context: { encounter: [{ reference: 'urn:uuid:visit' }] } },
    { resourceType: 'Goal', id: 'alone' },
  );
  const authors = Object.fromEntries(mapBundle(bundle).map(({ id, author }) => [id, author]));
  const [first, second] = [`${NPI}|11`, `${NPI}|22`];
  assert.equal(authors, {
    p: first,
    d1: first,
    d2: first,
    clinic: first,
    visit: first,
    own: second,
    visited: first,
    billed: first,
    noted: first,
    alone: first,
  });
});

test('on a tie the commonest practitioner is the first by identity', () => {
  const request = (id: string, by: string): MadeUp => ({
    resourceType: 'MedicationRequest',
    id,
    requester: { reference: `Practitioner?identifier=${NPI}|${by}` },
  });
  assert.is(recordOf(bundleOf(request('a', '9'), request('b', '10')), 'p').author, `${NPI}|10`);
  assert.is(recordOf(bundleOf(request('a', '9'), request('b', '10'), request('c', '9')), 'p').author, `${NPI}|9`);
});

test('a practitioner has one identity, however referred to', () => {
  const forms: readonly (readonly [object, string])[] = [
    [{ reference: 'urn:uuid:d2' }, `${NPI}|22`],
    [{ reference: 'Practitioner/d2' }, `${NPI}|22`],
    [{ reference: 'https://ehr.example/fhir/Practitioner/d2/_history/3' }, `${NPI}|22`],
    [{ reference: `Practitioner?identifier=${NPI}|22` }, `${NPI}|22`],
    [{ reference: `Practitioner?identifier=${encodeURIComponent(`${NPI}|22`)}` }, `${NPI}|22`],
    [{ reference: 'Practitioner?identifier=urn:staff|staff-d2' }, `${NPI}|22`],
    [{ type: 'Practitioner', identifier: { system: 'urn:staff', value: 'staff-d2' } }, `${NPI}|22`],
    [{ reference: `Practitioner?identifier=${NPI}|33` }, `${NPI}|33`],
    [{ reference: 'Practitioner/elsewhere' }, 'Practitioner/elsewhere'],
    // Not practitioners: the commonest takes their place.
    [{ reference: 'urn:uuid:clinic' }, `${NPI}|11`],
    [{ reference: 'Organization?identifier=urn:x|1' }, `${NPI}|11`],
    [{ reference: '#contained' }, `${NPI}|11`],
    [{ reference: 'urn:uuid:nowhere' }, `${NPI}|11`],
    [{ display: 'Dr. No' }, `${NPI}|11`],
  ];
  for (const [requester, author] of forms) {
    const bundle = bundleOf(...staff, { resourceType: 'MedicationRequest', id: 'm', requester });
    assert.is(recordOf(bundle, 'm').author, author, JSON.stringify(requester));
  }
});

test('a practitioner without identifier is known by id', () => {
  const bundle = bundleOf(
    { resourceType: 'Practitioner', id: 'd9' },
    { resourceType: 'Condition', id: 'c', recorder: { reference: 'urn:uuid:d9' } },
  );
  assert.is(recordOf(bundle, 'c').author, 'Practitioner/d9');
});

test('a bundle that names no practitioner is refused', () => {
  assert.throws(
    () => mapBundle(bundleOf(clinic)),
    (error: unknown) => error instanceof OperatorError && /x\.json names no practitioner/.test(error.message),
  );
});

test('the department is the organisation of the resource, else of its encounter', () => {
  const department = (resource: object, id = 'r') =>
    recordOf(bundleOf(...staff, { resourceType: 'Claim', id, ...resource }), id).fields.department;
  const encounter = { reference: 'urn:uuid:visit' };
  assert.is(department({ item: [{ encounter: [encounter] }] }), 'Heart clinic');
  assert.is(
    department({ provider: { reference: 'Organization?identifier=urn:x|1', display: 'Lung clinic' }, encounter }),
    'Lung clinic',
  );
  assert.is(department({ provider: { reference: 'Organization?identifier=urn:x|1' } }), 'urn:x|1');
  assert.is(department({ provider: { reference: 'urn:uuid:d1' }, encounter }), 'Heart clinic');
  assert.is(department({}), '');
  assert.is(recordOf(bundleOf(...staff), 'clinic').fields.department, 'Heart clinic');
  const long = recordOf(bundleOf(...staff, { ...clinic, id: 'long', name: 'ä'.repeat(100) }), 'long').fields.department;
  assert.is(long, `${'ä'.repeat(62)}…`);
});

test('the region is the city of the patient, of every resource', () => {
  const region = (address: unknown) =>
    mapBundle(parse(bundleText({ ...patient, address }, ...staff))).map(({ fields }) => fields.region);
  assert.equal(new Set(region([{ postalCode: '1' }, { city: 'Ulm' }, { city: 'Bonn' }])), new Set(['Ulm']));
  assert.equal(new Set(region([{ postalCode: '1' }])), new Set(['unknown']));
  assert.equal(new Set(region(undefined)), new Set(['unknown']));
});

test('codes come from the type’s places, as system|code, each once', () => {
  const codes = (resource: MadeUp) => recordOf(bundleOf(...staff, resource), resource.id).fields.codes;
  const pressure: MadeUp = {
    resourceType: 'Observation',
    id: 'o',
    category: [{ coding: [{ system: 'urn:c', code: 'vital' }] }],
    code: { coding: [loinc('85354-9'), loinc('85354-9'), { code: 'BP' }] },
    component: [{ code: { coding: [loinc('8480-6')] } }, { code: { coding: [loinc('8462-4')] } }, {}],
    valueCodeableConcept: { coding: [loinc('value')] },
  };
  const expected = [
    'http://loinc.org|85354-9',
    '|BP',
    'urn:c|vital',
    'http://loinc.org|8480-6',
    'http://loinc.org|8462-4',
  ];
  assert.equal(codes(pressure), expected);
  assert.equal(
    codes({
      resourceType: 'AllergyIntolerance',
      id: 'a',
      type: 'allergy',
      category: ['food'],
      code: { coding: [loinc('1')] },
    }),
    ['http://loinc.org|1'],
  );
  assert.equal(
    codes({
      resourceType: 'ImagingStudy',
      id: 'i',
      series: [{ modality: { system: 'DCM', code: 'US' } }, { modality: { system: 'DCM', code: 'CT' } }],
    }),
    ['DCM|US', 'DCM|CT'],
  );
  assert.equal(codes({ resourceType: 'Specimen', id: 's', type: { coding: [loinc('2')] } }), ['http://loinc.org|2']);
  assert.equal(codes({ resourceType: 'Goal', id: 'g', description: { text: 'walk' } }), []);
});

test('codes at the limit of a record are taken, beyond it refused', () => {
  const coded = (count: number, code = 'c') =>
    bundleOf(...staff, {
      resourceType: 'Condition',
      id: 'c',
      code: { coding: Array.from({ length: count }, (_, i) => loinc(code + i)) },
    });
  assert.is(recordOf(coded(CODES_MAX), 'c').fields.codes.length, CODES_MAX);
  assert.throws(() => mapBundle(coded(CODES_MAX + 1)), /Condition\/c has 33 codes; a record takes 32/);
  assert.throws(() => mapBundle(coded(1, 'c'.repeat(120))), /Condition\/c has the code .* of 138 bytes/);
});

test('dates come from the first place that holds a date of the calendar', () => {
  const date = (resource: object) =>
    recordOf(bundleOf(...staff, { resourceType: 'Observation', id: 'o', ...resource }), 'o').fields.date;
  assert.is(date({ effectiveDateTime: '2020-05', issued: '2021-01-01T00:00:00Z' }), '2020-05');
  assert.is(date({ effectivePeriod: { start: '2020-05-06' }, issued: '2021-01-01T00:00:00Z' }), '2020-05-06');
  assert.is(
    date({ effectiveDateTime: '2020-02-30', issued: '2021-01-01T00:00:00.5+05:30' }),
    '2021-01-01T00:00:00.5+05:30',
  );
  assert.is(date({ effectiveDateTime: 5 }), '');
  assert.is(recordOf(bundleOf(...staff), 'p').fields.date, '');
  assert.is(recordOf(bundleOf(...staff), 'visit').fields.date, '2020-02-03T10:00:00+02:00');
});

test('the title is the words for the first code', () => {
  const title = (resource: object) =>
    recordOf(bundleOf(...staff, { resourceType: 'Condition', id: 'c', ...resource }), 'c').fields.title;
  assert.is(title({ code: { text: 'Gout', coding: [{ code: '1', display: 'Gout (finding)' }] } }), 'Gout');
  assert.is(title({ code: { coding: [{ code: '1', display: 'Gout (finding)' }] } }), 'Gout (finding)');
  assert.is(title({}), 'Condition');
  assert.is(recordOf(bundleOf(...staff), 'p').fields.title, 'Patient');
});

test('hostile texts still make fields that a record takes', () => {
  const odd = '\ud800'.repeat(1000);
  const fields = recordOf(
    bundleOf(...staff, {
      resourceType: 'Condition',
      id: 'c',
      code: { text: odd, coding: [{ system: '\udc00', code: 'x' }] },
    }),
    'c',
  ).fields;
  assert.equal(decodeRecordFields(encodeRecordFields(fields)), fields);
});

test('date spans follow the precision, in UTC', () => {
  const span = (text: string) => {
    const found = dateSpan(text);
    return found === undefined
      ? undefined
      : [new Date(found.startMs).toISOString(), new Date(found.endMs).toISOString()];
  };
  assert.equal(span('2019'), ['2019-01-01T00:00:00.000Z', '2019-12-31T23:59:59.999Z']);
  assert.equal(span('2020-02'), ['2020-02-01T00:00:00.000Z', '2020-02-29T23:59:59.999Z']);
  assert.equal(span('2019-12-31'), ['2019-12-31T00:00:00.000Z', '2019-12-31T23:59:59.999Z']);
  assert.equal(span('2019-12-31T23:30-05:00'), ['2020-01-01T04:30:00.000Z', '2020-01-01T04:30:59.999Z']);
  assert.equal(span('2019-12-31T23:30:10Z'), ['2019-12-31T23:30:10.000Z', '2019-12-31T23:30:10.999Z']);
  assert.equal(span('2019-12-31T23:30:10.54821'), ['2019-12-31T23:30:10.548Z', '2019-12-31T23:30:10.548Z']);
  for (const wrong of [
    '',
    '19',
    '2019-13',
    '2019-02-29',
    '2019-2-3',
    '2019-01-01T25:00Z',
    '2019-01Z',
    '2019T10:00Z',
    '2019-01-01T10:00:00+5',
    'today',
  ])
    assert.is(span(wrong), undefined, wrong);
});

test('a patient’s hospital follows from the id alone', () => {
  // SHA-256("abc") begins ba7816bf (FIPS 180-4 example).
  assert.is(hospitalOf('abc', 4), 0xba7816bf % 4);
  assert.is(hospitalOf('abc', 7), 0xba7816bf % 7);
  assert.is(hospitalOf('abc', 1), 0);
});

test.run();
