import { type FhirBundle, parseBundle } from '../../src/cli/fhir/bundle.ts';
import { type MappedResource, mapBundle } from '../../src/cli/fhir/mapping.ts';
import { utf8 } from '../../src/codec/bytes.ts';

/** A resource of a test: type, id and whatever else. */
export type MadeUp = { readonly resourceType: string; readonly id: string; readonly [name: string]: unknown };

export const patient: MadeUp = { resourceType: 'Patient', id: 'p', address: [{ city: 'Linden' }] };

/** The text of a bundle of the given resources, each under the URN `urn:uuid:<id>`. */
export function bundleText(...resources: readonly MadeUp[]): string {
  const entry = resources.map((resource) => ({ fullUrl: `urn:uuid:${resource.id}`, resource }));
  return JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry });
}

/** The parsed bundle of a patient and the given resources. */
export function bundleOf(...resources: readonly MadeUp[]): FhirBundle {
  return parse(bundleText(patient, ...resources));
}

/** `parseBundle` of a text, under the name `x.json`. */
export function parse(text: string, name = 'x.json'): FhirBundle {
  return parseBundle(utf8(text), name);
}

/** The record of the resource with that id. */
export function recordOf(bundle: FhirBundle, id: string): MappedResource {
  const record = mapBundle(bundle).find((mapped) => mapped.id === id);
  if (record === undefined) throw new Error(`no record of ${id}`);
  return record;
}
