import { type BundleResource, type FhirBundle, isObject } from './bundle.ts';
import { firstText, valuesAt } from './values.ts';

/** Who or what the references of one bundle point at. */
export interface References {
  /**
   * The practitioner that a FHIR Reference names, as a text that is the same in every bundle: `system|value` of the
   * identifier (the US NPI where there is one), else `Practitioner/id`. Undefined for references to others.
   */
  practitioner(reference: unknown): string | undefined;
  /** The name of the organisation that a FHIR Reference names; undefined for references to others. */
  organisation(reference: unknown): string | undefined;
  /** The resource of the bundle that a FHIR Reference names by URN, URL, type and id, or identifier. */
  resource(reference: unknown): BundleResource | undefined;
}

const NPI = 'http://hl7.org/fhir/sid/us-npi';

/** Prepares the references of a bundle; of two resources with one name the first counts. */
export function bundleReferences(bundle: FhirBundle): References {
  const byName = new Map<string, BundleResource>();
  const remember = (name: string, resource: BundleResource) => {
    if (name !== '' && !byName.has(name)) byName.set(name, resource);
  };
  for (const resource of bundle.resources) {
    remember(resource.fullUrl, resource);
    remember(`${resource.type}/${resource.id}`, resource);
    for (const identifier of identifiersOf(resource)) remember(`${resource.type}?${identifier}`, resource);
  }
  const find = (reference: unknown) => {
    const target = readReference(reference);
    return target === undefined ? undefined : byName.get(target.name);
  };
  return {
    resource: find,
    practitioner(reference) {
      const found = find(reference);
      if (found !== undefined) return found.type === 'Practitioner' ? practitionerIdentity(found) : undefined;
      const target = readReference(reference);
      return target?.type === 'Practitioner' ? (target.identifier ?? target.name) : undefined;
    },
    organisation(reference) {
      const found = find(reference);
      if (found !== undefined) return found.type === 'Organization' ? organisationName(found) : undefined;
      const target = readReference(reference);
      if (target?.type !== 'Organization') return undefined;
      return target.display ?? target.identifier ?? target.name;
    },
  };
}

/** The text that stands for a practitioner in every bundle; see `References.practitioner`. */
function practitionerIdentity(practitioner: BundleResource): string {
  const identifiers = identifiersOf(practitioner);
  return (
    identifiers.find((identifier) => identifier.startsWith(`${NPI}|`)) ??
    identifiers[0] ??
    `Practitioner/${practitioner.id}`
  );
}

/** An organisation's name, or its id where it has none. */
export function organisationName(organisation: BundleResource): string {
  return firstText(organisation.content, ['name']) ?? `Organization/${organisation.id}`;
}

function identifiersOf(resource: BundleResource): readonly string[] {
  return valuesAt(resource.content, 'identifier').flatMap((identifier) => identifierText(identifier) ?? []);
}

function identifierText(identifier: unknown): string | undefined {
  if (!isObject(identifier) || typeof identifier['value'] !== 'string') return undefined;
  return `${typeof identifier['system'] === 'string' ? identifier['system'] : ''}|${identifier['value']}`;
}

interface ReferenceTarget {
  /** Under which the bundle's resources are remembered. */
  readonly name: string;
  readonly type: string | undefined;
  readonly identifier: string | undefined;
  readonly display: string | undefined;
}

/** Takes a Reference apart: `urn:uuid:…`, `Type/id`, a URL ending so, `Type?identifier=system|value`, or logical. */
function readReference(reference: unknown): ReferenceTarget | undefined {
  if (!isObject(reference)) return undefined;
  const text = reference['reference'];
  const display = firstText(reference, ['display']);
  if (typeof text !== 'string') {
    const identifier = identifierText(reference['identifier']);
    const type = reference['type'];
    if (identifier === undefined || typeof type !== 'string') return undefined;
    return { name: `${type}?${identifier}`, type, identifier, display };
  }
  const conditional = /^([A-Z][A-Za-z]*)\?(.*)$/.exec(text);
  if (conditional !== null) {
    const type = conditional[1]!;
    const identifier = new URLSearchParams(conditional[2]!).get('identifier') ?? undefined;
    return identifier === undefined ? undefined : { name: `${type}?${identifier}`, type, identifier, display };
  }
  const literal = /(?:^|\/)([A-Z][A-Za-z]*)\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[^/]+)?$/.exec(text);
  if (literal === null) return { name: text, type: undefined, identifier: undefined, display };
  return { name: `${literal[1]}/${literal[2]}`, type: literal[1], identifier: undefined, display };
}
