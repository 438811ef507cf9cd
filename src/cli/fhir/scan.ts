import type { FhirBundle } from './bundle.ts';
import { dateSpan } from './date-span.ts';
import { type MappedResource, mapBundle } from './mapping.ts';

/** A resource with the bundle it belongs to. */
export interface ScannedResource extends MappedResource {
  readonly bundle: FhirBundle;
}

/** All resources of some bundles, each once. */
export interface BundleScan {
  /** In order of the bundles' names, then of the files. */
  readonly resources: readonly ScannedResource[];
  /** Resources whose type and id an earlier one had: each belongs to the first bundle by name, and is loaded once. */
  readonly repeats: readonly ScannedResource[];
}

/** Conditions that all must hold; what is left out does not restrict. */
export interface ScanFilter {
  /** Id of the Patient resource. */
  readonly patient?: string;
  readonly author?: string;
  readonly kind?: string;
  /** `system|code`, or a bare code, which matches in any system. */
  readonly code?: string;
  readonly department?: string;
  readonly region?: string;
  /** First and last date, inclusive to their precision; a resource stands at the first instant of its own date. */
  readonly from?: string;
  readonly to?: string;
}

/** Maps the bundles in order of their names (by code unit) and sets repeats aside. */
export function scanBundles(bundles: readonly FhirBundle[]): BundleScan {
  const resources: ScannedResource[] = [];
  const repeats: ScannedResource[] = [];
  const seen = new Set<string>();
  for (const bundle of [...bundles].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    for (const mapped of mapBundle(bundle)) {
      const identity = `${mapped.type}/${mapped.id}`;
      (seen.has(identity) ? repeats : resources).push({ ...mapped, bundle });
      seen.add(identity);
    }
  }
  return { resources, repeats };
}

/**
 * The resources that a query must find, by looking at each: slow, plain, and without an index, so that answers of the
 * indexes can be held against it. Throws a RangeError for a `from` or `to` that is no date.
 */
export function selectResources(resources: readonly ScannedResource[], filter: ScanFilter): readonly ScannedResource[] {
  const from = filter.from === undefined ? undefined : spanOf(filter.from).startMs;
  const to = filter.to === undefined ? undefined : spanOf(filter.to).endMs;
  return resources.filter(({ author, bundle, fields }) => {
    if (filter.patient !== undefined && bundle.patient.id !== filter.patient) return false;
    if (filter.author !== undefined && author !== filter.author) return false;
    if (filter.kind !== undefined && fields.kind !== filter.kind) return false;
    if (filter.department !== undefined && fields.department !== filter.department) return false;
    if (filter.region !== undefined && fields.region !== filter.region) return false;
    if (filter.code !== undefined && !fields.codes.some((code) => matchesCode(code, filter.code!))) return false;
    if (from === undefined && to === undefined) return true;
    const at = dateSpan(fields.date)?.startMs;
    return at !== undefined && at >= (from ?? -Infinity) && at <= (to ?? Infinity);
  });
}

function matchesCode(code: string, wanted: string): boolean {
  return wanted.includes('|') ? code === wanted : code.slice(code.indexOf('|') + 1) === wanted;
}

function spanOf(text: string): { readonly startMs: number; readonly endMs: number } {
  const span = dateSpan(text);
  if (span === undefined)
    throw new RangeError(`${text} is not a date such as 2024, 2024-05-31 or 2024-05-31T10:00:00Z`);
  return span;
}
