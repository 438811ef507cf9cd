import { utf8 } from '../../codec/bytes.ts';
import { OperatorError } from '../../node/operator-error.ts';
import { elementSlices, type JsonSlice, memberSlices, wholeSlice } from './json-slices.ts';

/** An object of a parsed JSON text. */
export type JsonObject = { readonly [name: string]: unknown };

/** One resource of a bundle. */
export interface BundleResource {
  /** FHIR resource type, such as `Observation`. */
  readonly type: string;
  /** The resource's id, or the UUID of its entry's `fullUrl` where it has none. */
  readonly id: string;
  /** What references of the same bundle may call it; empty when the entry has none. */
  readonly fullUrl: string;
  readonly content: JsonObject;
  /** The resource exactly as it stands in the file, byte for byte: this is what a record keeps. */
  readonly payload: Uint8Array;
}

/** A checked FHIR R4 bundle with the whole record of one patient. */
export interface FhirBundle {
  /** Name of the file, for messages and for the order of bundles. */
  readonly name: string;
  readonly patient: BundleResource;
  /** All resources in the order of the file, the patient among them. */
  readonly resources: readonly BundleResource[];
}

/** Most bytes of one bundle file. */
export const BUNDLE_BYTES_MAX = 128 * 2 ** 20;

/**
 * Reads one patient's bundle. Throws an OperatorError that names the file, and the entry where there is one, for what
 * is not UTF-8, not JSON, no Bundle, or has a resource without type or id, or no or several patients.
 */
export function parseBundle(bytes: Uint8Array, name: string): FhirBundle {
  if (bytes.length > BUNDLE_BYTES_MAX)
    throw new OperatorError(`${name} has ${bytes.length} bytes; a bundle may have ${BUNDLE_BYTES_MAX}. Split it.`);
  const text = decodeText(bytes, name);
  const document = parseJson(text, name);
  if (!isObject(document) || document['resourceType'] !== 'Bundle') {
    const found = isObject(document)
      ? String(document['resourceType'] ?? 'an object without resourceType')
      : 'no object';
    throw new OperatorError(`${name} is not a FHIR Bundle (${found}); load takes bundles, each of one patient.`);
  }
  const entries = document['entry'] ?? [];
  if (!Array.isArray(entries)) throw new OperatorError(`${name}: the bundle's entry is not a list.`);
  const slices = entrySlices(text);
  const resources = entries.map((entry: unknown, index) =>
    readEntry(entry, text, slices[index]!, `${name}: entry ${index + 1}`),
  );
  return { name, patient: onlyPatient(resources, name), resources };
}

/** True for an object of a parsed JSON text, not for lists and null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function decodeText(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new OperatorError(`${name} is not UTF-8 text, so not a FHIR bundle in JSON.`);
  }
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new OperatorError(`${name} is not JSON: ${(error as Error).message}`);
  }
}

function entrySlices(text: string): readonly JsonSlice[] {
  const entry = memberSlices(text, wholeSlice(text)).get('entry');
  return entry === undefined ? [] : elementSlices(text, entry);
}

function readEntry(entry: unknown, text: string, slice: JsonSlice, place: string): BundleResource {
  const content = isObject(entry) ? entry['resource'] : undefined;
  if (!isObject(entry) || !isObject(content)) throw new OperatorError(`${place} has no resource.`);
  const type = content['resourceType'];
  if (typeof type !== 'string' || !/^[A-Z][A-Za-z]{0,63}$/.test(type))
    throw new OperatorError(`${place}: the resource has no resourceType.`);
  const fullUrl = typeof entry['fullUrl'] === 'string' ? entry['fullUrl'] : '';
  const id = content['id'] ?? /^urn:uuid:(.+)$/.exec(fullUrl)?.[1];
  // The FHIR data type "id".
  if (typeof id !== 'string' || !/^[A-Za-z0-9.-]{1,64}$/.test(id))
    throw new OperatorError(`${place} (${type}) has no valid id, by which a second load would recognise it.`);
  const { start, end } = memberSlices(text, slice).get('resource')!;
  return { type, id, fullUrl, content, payload: utf8(text.slice(start, end)) };
}

function onlyPatient(resources: readonly BundleResource[], name: string): BundleResource {
  const patients = resources.filter((resource) => resource.type === 'Patient');
  const [patient] = patients;
  if (patient === undefined || patients.length > 1) {
    const found = patients.length === 0 ? 'no Patient' : `${patients.length} Patients`;
    throw new OperatorError(`${name} has ${found}; a bundle to load holds the records of exactly one.`);
  }
  return patient;
}
