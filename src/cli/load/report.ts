import { formatTable } from '../output.ts';

/** What a load did at one hospital. */
interface HospitalReport {
  readonly name: string;
  readonly patients: number;
  readonly doctors: number;
  readonly resources: number;
  readonly alreadyThere: number;
  readonly added: number;
  readonly failed: number;
}

/** A resource that could not be added. */
export interface LoadFailure {
  /** `Type/id`. */
  readonly resource: string;
  readonly reason: string;
}

/** What a load did. `read` = `distinct` + `repeats`; `distinct` = `alreadyThere` + `added` + `failed`. */
export interface LoadReport {
  readonly bundles: number;
  readonly read: number;
  readonly distinct: number;
  readonly repeats: number;
  readonly alreadyThere: number;
  readonly added: number;
  readonly failed: number;
  /** Records of a load that was cut off, not of these files, that were committed by this one. */
  readonly resumed: number;
  readonly hospitals: readonly HospitalReport[];
  /** The first of those that failed. */
  readonly failures: readonly LoadFailure[];
  /** Times of the parts, which overlap, and of the whole. */
  readonly seconds: {
    readonly reading: number;
    readonly registering: number;
    readonly sealing: number;
    readonly sending: number;
    readonly total: number;
  };
}

/** The tables that end a load. */
export function formatLoadReport(report: LoadReport): string {
  const { hospitals, seconds, failures, failed, resumed } = report;
  const counts: [string, number][] = [
    ['bundles', report.bundles],
    ['resources read', report.read],
    ['distinct', report.distinct],
    ['repeats', report.repeats],
    ['already there', report.alreadyThere],
    ['added', report.added],
    ['failed', failed],
  ];
  if (resumed > 0) counts.push(['of an earlier load, finished now', resumed]);
  const perHospital = hospitals.map((row) => [
    row.name,
    row.patients,
    row.doctors,
    row.resources,
    row.alreadyThere,
    row.added,
    row.failed,
  ]);
  const times = Object.entries(seconds).map(([name, value]) => [name, value.toFixed(1)]);
  const parts = [
    formatTable(['count', ''], counts),
    formatTable(['hospital', 'patients', 'doctors', 'resources', 'already there', 'added', 'failed'], perHospital),
    formatTable(['time', 'seconds'], times),
  ];
  if (failures.length > 0) {
    const more = failed > failures.length ? [`… and ${failed - failures.length} more`] : [];
    parts.push([...failures.map(({ resource, reason }) => `${resource}: ${reason}`), ...more].join('\n'));
  }
  return parts.join('\n\n');
}
