import type { RecordPageView } from '../../src/api/contract/schemas.ts';
import type { ScannedResource } from '../../src/cli/fhir/scan.ts';

type Fields = NonNullable<RecordPageView['records'][number]['fields']>;

/** All of a record that a search shows, as one text: the same for a hit and for the resource that it came from. */
export function textOf(patient: string, fields: Fields | ScannedResource['fields']): string {
  const { kind, codes, date, department, region, title } = fields;
  return JSON.stringify([patient, kind, codes, date, department, region, title]);
}
