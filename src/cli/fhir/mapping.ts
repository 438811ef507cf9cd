import { CODES_MAX, type RecordFields } from '../../ledger/attachment.ts';
import { OperatorError } from '../../node/operator-error.ts';
import { type BundleResource, type FhirBundle, isObject, type JsonObject } from './bundle.ts';
import { dateSpan } from './date-span.ts';
import { bundleReferences, organisationName, type References } from './references.ts';
import { resourceRow } from './resource-table.ts';
import { firstText, valuesAt } from './values.ts';

/** A resource as a record: what it holds, who answers for it, and how it is found. */
export interface MappedResource {
  readonly type: string;
  readonly id: string;
  /** The resource as it stands in the file. */
  readonly payload: Uint8Array;
  /** Identity of the practitioner who answers for it; the same text in every bundle (see `References`). */
  readonly author: string;
  readonly fields: RecordFields;
}

/** Region of a patient whose address names no city. */
const UNKNOWN_REGION = 'unknown';

/** Longest texts of the search fields, in UTF-8 bytes, as the attachment takes them. */
const NAME_BYTES_MAX = 128;
const TITLE_BYTES_MAX = 512;
const CODE_BYTES_MAX = 128;

/**
 * Every resource of a bundle as a record, in the order of the file; all belong to the bundle's patient.
 *
 * - Author: the resource's own; else the first participant of its encounter; else the practitioner whom the two
 *   former rules name most often in this bundle (on a tie, the first in order of the identities' text).
 * - Department: the name of the resource's own organisation, else of its encounter's; empty when there is none.
 * - Region: the city of the patient's first address that has one, else `unknown`.
 * - Kind, codes and date: the resource's type, and what `resource-table.ts` says of it; a date that is none of the
 *   calendar is passed over.
 *
 * Throws an OperatorError when no practitioner is named anywhere, or a resource has more codes than a record takes.
 */
export function mapBundle(bundle: FhirBundle): readonly MappedResource[] {
  const references = bundleReferences(bundle);
  const authors = bundle.resources.map((resource) => namedAuthor(resource, references));
  const commonest = commonestOf(authors);
  const region = shorten(regionOf(bundle.patient), NAME_BYTES_MAX);
  return bundle.resources.map((resource, index) => {
    const author = authors[index] ?? commonest;
    if (author === undefined)
      throw new OperatorError(`${bundle.name} names no practitioner, so its records would have no author.`);
    return {
      type: resource.type,
      id: resource.id,
      payload: resource.payload,
      author,
      fields: {
        kind: resource.type,
        codes: codesOf(resource, bundle.name),
        date: dateOf(resource),
        department: shorten(departmentOf(resource, references), NAME_BYTES_MAX),
        region,
        title: shorten(titleOf(resource), TITLE_BYTES_MAX),
      },
    };
  });
}

function namedAuthor(resource: BundleResource, references: References): string | undefined {
  return (
    ownAuthor(resource, references) ??
    encountersOf(resource, references)
      .map((encounter) => ownAuthor(encounter, references))
      .find((author) => author !== undefined)
  );
}

function ownAuthor(resource: BundleResource, references: References): string | undefined {
  return firstNamed(resource, resourceRow(resource.type).authors, references.practitioner);
}

function departmentOf(resource: BundleResource, references: References): string {
  if (resource.type === 'Organization') return organisationName(resource);
  for (const place of [resource, ...encountersOf(resource, references)]) {
    const name = firstNamed(place, resourceRow(place.type).organisations, references.organisation);
    if (name !== undefined) return name;
  }
  return '';
}

function firstNamed(
  resource: BundleResource,
  paths: readonly string[],
  name: (reference: unknown) => string | undefined,
): string | undefined {
  for (const path of paths) {
    for (const reference of valuesAt(resource.content, path)) {
      const found = name(reference);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function encountersOf(resource: BundleResource, references: References): readonly BundleResource[] {
  return resourceRow(resource.type)
    .encounters.flatMap((path) => valuesAt(resource.content, path))
    .flatMap((reference) => references.resource(reference) ?? [])
    .filter((target) => target.type === 'Encounter');
}

function commonestOf(authors: readonly (string | undefined)[]): string | undefined {
  const counts = new Map<string, number>();
  for (const author of authors) if (author !== undefined) counts.set(author, (counts.get(author) ?? 0) + 1);
  let commonest: string | undefined;
  for (const [author, count] of [...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
    if (commonest === undefined || count > counts.get(commonest)!) commonest = author;
  return commonest;
}

function regionOf(patient: BundleResource): string {
  return firstText(patient.content, ['address.city']) ?? UNKNOWN_REGION;
}

function codesOf(resource: BundleResource, bundleName: string): readonly string[] {
  const codes = new Set<string>();
  for (const path of resourceRow(resource.type).codes)
    for (const concept of valuesAt(resource.content, path))
      for (const coding of codingsOf(concept)) {
        const { system, code } = coding;
        if (typeof code !== 'string' || code === '') continue;
        codes.add(`${typeof system === 'string' ? system : ''}|${code}`.toWellFormed());
      }
  const tooLong = [...codes].find((code) => byteLength(code) > CODE_BYTES_MAX);
  if (codes.size > CODES_MAX || tooLong !== undefined)
    throw new OperatorError(
      `${bundleName}: ${resource.type}/${resource.id} has ` +
        (tooLong === undefined
          ? `${codes.size} codes; a record takes ${CODES_MAX}.`
          : `the code ${tooLong.slice(0, 60)}… of ${byteLength(tooLong)} bytes; a record takes ${CODE_BYTES_MAX}.`),
    );
  return [...codes];
}

/** The codings of a CodeableConcept, or a Coding itself. */
function codingsOf(concept: unknown): readonly { readonly system?: unknown; readonly code?: unknown }[] {
  if (!isObject(concept)) return [];
  return Object.hasOwn(concept, 'coding') ? valuesAt(concept, 'coding').filter(isObject) : [concept];
}

function dateOf(resource: BundleResource): string {
  for (const path of resourceRow(resource.type).dates)
    for (const value of valuesAt(resource.content, path))
      if (typeof value === 'string' && dateSpan(value) !== undefined) return value;
  return '';
}

/** What a reader sees in a list: an organisation's name, or the words for the first code; else the type. */
function titleOf(resource: BundleResource): string {
  const { content, type } = resource;
  if (type === 'Organization') return organisationName(resource);
  const billed = type === 'Claim' || type === 'ExplanationOfBenefit' ? ['item.productOrService'] : [];
  for (const path of [...billed, ...resourceRow(type).codes]) {
    const words = valuesAt(content, path).flatMap((concept) => (isObject(concept) ? (wordsFor(concept) ?? []) : []));
    if (words[0] !== undefined) return words[0];
  }
  return type;
}

function wordsFor(concept: JsonObject): string | undefined {
  return firstText(concept, ['text', 'coding.display', 'display']);
}

/** The text, made well-formed, cut to at most `bytesMax` UTF-8 bytes between characters. */
function shorten(source: string, bytesMax: number): string {
  const text = source.toWellFormed();
  if (byteLength(text) <= bytesMax) return text;
  const room = bytesMax - byteLength('…');
  let short = '';
  let bytes = 0;
  for (const character of text) {
    bytes += byteLength(character);
    if (bytes > room) break;
    short += character;
  }
  return `${short}…`;
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
