import type { RecordFields } from '../../src/ledger/attachment.ts';
import { seededChance } from '../seeded-chance.ts';

const KINDS = ['Condition', 'Observation', 'MedicationRequest', 'Immunization', 'Procedure'];
const DEPARTMENTS = 12;
const REGIONS = 8;
const CODES = 200;
const FIRST_DAY_MS = Date.UTC(2023, 0, 1);
const DAYS = 3 * 365;
const DAY_MS = 86_400_000;

/** Search fields of made-up record `number`: the same for the same seed, evenly spread over all values. */
export function madeUpFields(seed: number, number: number): RecordFields {
  const chance = seededChance(seed, 'fields', number);
  const below = (bound: number) => Math.floor(chance() * bound);
  const code = below(CODES);
  return {
    kind: KINDS[below(KINDS.length)]!,
    codes: [
      `http://snomed.info/sct|${38_341_003 + code}`,
      `http://hl7.org/fhir/sid/icd-10|${'ABCDEFGHIJ'[code % 10]}${10 + Math.floor(code / 10)}.9`,
    ],
    date: new Date(FIRST_DAY_MS + below(DAYS) * DAY_MS + below(86_400) * 1_000).toISOString(),
    department: `Department ${below(DEPARTMENTS) + 1}`,
    region: `Region ${below(REGIONS) + 1}`,
    title: `Finding number ${code} of the made-up catalogue`,
  };
}
