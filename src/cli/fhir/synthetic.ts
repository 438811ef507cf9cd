import { utf8 } from '../../codec/bytes.ts';

/** A made-up bundle as a file: its name and the bytes to parse. */
export interface SyntheticFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const PRACTITIONERS = 'urn:medledger:demo:practitioner';
const DEPARTMENTS = 'urn:medledger:demo:department';

const FAMILIES = [
  'Adler',
  'Brandt',
  'Castell',
  'Dorn',
  'Engel',
  'Falk',
  'Gerber',
  'Holm',
  'Iversen',
  'Jansen',
  'Keller',
  'Lind',
];
const GIVEN = ['Anna', 'Bela', 'Clara', 'David', 'Edith', 'Finn', 'Greta', 'Hugo', 'Ida', 'Jonas', 'Karin', 'Leo'];
const CITIES = ['Northbridge', 'Eastwater', 'Millfield', 'Stonehaven'];
const DOCTORS = ['Dr. Maren Voss', 'Dr. Tilo Hartig', 'Dr. Ruth Amsel', 'Dr. Piet Lorenz', 'Dr. Nora Quandt'];
const WARDS = ['Internal medicine', 'Cardiology', 'Pulmonology', 'General practice'];

/** An illness with the drug against it and the measurement that follows it: `[code, words]`. */
interface Illness {
  readonly snomed: readonly [string, string];
  readonly icd: string;
  readonly drug: readonly [string, string];
  readonly measured: readonly [string, string];
  readonly unit: string;
  /** Lowest and highest value, in tenths of the unit. */
  readonly tenths: readonly [number, number];
}

const ILLNESSES: readonly Illness[] = [
  {
    snomed: ['38341003', 'Hypertension'],
    icd: 'I10',
    drug: ['C09AA05', 'Ramipril'],
    measured: ['29463-7', 'Body weight'],
    unit: 'kg',
    tenths: [520, 1090],
  },
  {
    snomed: ['44054006', 'Type 2 diabetes'],
    icd: 'E11.9',
    drug: ['A10BA02', 'Metformin'],
    measured: ['4548-4', 'Hemoglobin A1c'],
    unit: '%',
    tenths: [58, 96],
  },
  {
    snomed: ['195967001', 'Asthma'],
    icd: 'J45.9',
    drug: ['R03AC02', 'Salbutamol'],
    measured: ['2708-6', 'Oxygen saturation'],
    unit: '%',
    tenths: [930, 990],
  },
];

/**
 * Made-up patients for the demo, each a FHIR R4 transaction bundle of eight resources: Patient, two Encounters,
 * Condition, two Observations, MedicationRequest, Immunization. The same `seed` (an integer above 0) and count give
 * the same bytes. Nobody in them exists; the numbers mean nothing medically.
 */
export function syntheticBundles(seed: number, patients: number): readonly SyntheticFile[] {
  const chance = chanceFrom(seed);
  return Array.from({ length: patients }, (_, index) => ({
    name: `synthetic-${String(index + 1).padStart(3, '0')}.json`,
    bytes: utf8(`${JSON.stringify(patientBundle(index, chance), null, 1)}\n`),
  }));
}

/** An integer from 0 to `below` − 1. */
type Chance = (below: number) => number;

/** Marsaglia's xorshift with 32 bits of state (Xorshift RNGs, 2003): for show, not for secrets. */
function chanceFrom(seed: number): Chance {
  let state = seed >>> 0;
  if (state === 0) throw new RangeError('the seed is an integer above 0');
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function patientBundle(index: number, chance: Chance): object {
  const illness = ILLNESSES[index % ILLNESSES.length]!;
  const doctor = practitioner(chance(DOCTORS.length));
  const patient = entry('Patient', chance, {
    name: [{ family: pick(FAMILIES, index), given: [pick(GIVEN, index * 5 + chance(GIVEN.length))] }],
    gender: chance(2) === 0 ? 'female' : 'male',
    birthDate: isoTime(Date.UTC(1935 + chance(70), chance(12), 1 + chance(28))).slice(0, 10),
    address: [{ city: pick(CITIES, chance(CITIES.length)) }],
  });
  const subject = { reference: patient.fullUrl };
  const firstVisitMs = Date.UTC(2023, chance(24), 1 + chance(28), 8 + chance(8), 15 * chance(4));
  const secondVisitMs = firstVisitMs + (60 + chance(240)) * 86_400_000;
  const visits = [firstVisitMs, secondVisitMs].map((startMs) =>
    entry('Encounter', chance, {
      status: 'finished',
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
      type: [concept('http://snomed.info/sct', '185349003', 'Encounter for check up')],
      subject,
      participant: [{ individual: doctor }],
      period: { start: isoTime(startMs), end: isoTime(startMs + 1_800_000) },
      serviceProvider: department(chance(WARDS.length)),
    }),
  );
  const [first, second] = visits.map((visit) => ({ reference: visit.fullUrl }));
  const at = { subject, encounter: second, effectiveDateTime: isoTime(secondVisitMs + 300_000) };
  return {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      patient,
      ...visits,
      entry('Condition', chance, {
        code: {
          coding: [
            coding('http://snomed.info/sct', ...illness.snomed),
            coding('http://hl7.org/fhir/sid/icd-10', illness.icd),
          ],
          text: illness.snomed[1],
        },
        subject,
        encounter: first,
        onsetDateTime: isoTime(firstVisitMs),
      }),
      entry('Observation', chance, { status: 'final', ...bloodPressure(chance), ...at }),
      entry('Observation', chance, { status: 'final', ...measurement(illness, chance), ...at }),
      entry('MedicationRequest', chance, {
        status: 'active',
        intent: 'order',
        medicationCodeableConcept: concept('http://www.whocc.no/atc', ...illness.drug),
        subject,
        encounter: first,
        authoredOn: isoTime(firstVisitMs + 900_000),
        requester: doctor,
      }),
      entry('Immunization', chance, {
        status: 'completed',
        vaccineCode: concept('http://hl7.org/fhir/sid/cvx', '140', 'Influenza, seasonal'),
        patient: subject,
        encounter: second,
        occurrenceDateTime: isoTime(secondVisitMs + 600_000),
      }),
    ],
  };
}

function entry(resourceType: string, chance: Chance, content: object) {
  const id = uuid(chance);
  return {
    fullUrl: `urn:uuid:${id}`,
    resource: { resourceType, id, ...content },
    request: { method: 'POST', url: resourceType },
  };
}

function bloodPressure(chance: Chance): object {
  const part = (code: string, words: string, value: number) => ({
    code: concept('http://loinc.org', code, words),
    valueQuantity: quantity(value, 'mm[Hg]'),
  });
  return {
    code: concept('http://loinc.org', '85354-9', 'Blood pressure'),
    component: [
      part('8480-6', 'Systolic blood pressure', 105 + chance(60)),
      part('8462-4', 'Diastolic blood pressure', 60 + chance(40)),
    ],
  };
}

function measurement({ measured, unit, tenths: [low, high] }: Illness, chance: Chance): object {
  const value = (low + chance(high - low + 1)) / 10;
  return { code: concept('http://loinc.org', ...measured), valueQuantity: quantity(value, unit) };
}

function practitioner(number: number): object {
  return { reference: `Practitioner?identifier=${PRACTITIONERS}|${number + 1}`, display: pick(DOCTORS, number) };
}

function department(number: number): object {
  return { reference: `Organization?identifier=${DEPARTMENTS}|${number + 1}`, display: pick(WARDS, number) };
}

function concept(system: string, code: string, words: string): object {
  return { coding: [coding(system, code, words)], text: words };
}

function coding(system: string, code: string, display?: string): object {
  return display === undefined ? { system, code } : { system, code, display };
}

function quantity(value: number, unit: string): object {
  return { value, unit, system: 'http://unitsofmeasure.org', code: unit };
}

function pick(list: readonly string[], index: number): string {
  return list[index % list.length]!;
}

/** A UUID of version 4 in form (RFC 9562 §5.4), from the generator above. */
function uuid(chance: Chance): string {
  const hex = Array.from({ length: 30 }, () => chance(16).toString(16)).join('');
  const variant = '89ab'[chance(4)]!;
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(12, 15)}-${variant}${hex.slice(15, 18)}-${hex.slice(18, 30)}`;
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', '+00:00');
}
