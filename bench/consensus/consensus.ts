import { describeEnvironment } from '../environment.ts';
import type { Section } from '../report/report.ts';
import { type BenchResult, environmentNotes } from '../results.ts';
import { type CatchUpRaw, measureCatchUp } from './catch-up.ts';
import { catchUpReport } from './catch-up-report.ts';
import { type CrashRaw, measureCrashes } from './crash.ts';
import { crashReport } from './crash-report.ts';
import { type DownRaw, measureDown } from './down.ts';
import { downReport } from './down-report.ts';
import { type FloodRaw, measureFlood } from './flood.ts';
import { floodReport } from './flood-report.ts';
import type { ConsensusOptions, Part } from './options.ts';
import { failedReport, type PartReport } from './part-report.ts';
import { measureSizes, type SizeResult } from './size.ts';
import { sizeReport } from './size-report.ts';
import type { Verdict } from './verdict.ts';

/** All that a run measured, by part. */
interface ConsensusRaw {
  readonly size?: readonly SizeResult[];
  readonly crash?: CrashRaw;
  readonly down?: DownRaw;
  readonly flood?: FloodRaw;
  readonly 'catch-up'?: CatchUpRaw;
  readonly verdicts: readonly Verdict[];
}

/** Measures what agreement costs, part by part, each on a network of its own on this machine. */
export async function runConsensus(
  options: ConsensusOptions,
  entry: string,
  say: (line: string) => void,
): Promise<{ readonly result: BenchResult; readonly sections: readonly Section[] }> {
  const startedAt = new Date().toISOString();
  const environment = describeEnvironment(options.folder);
  const reports: PartReport[] = [];
  const raw: Partial<Record<Part, unknown>> = {};
  for (const part of options.parts) {
    const { measured, report } = await measurePart(part, options, entry, say).catch((error: Error) => {
      say(`${part}: failed, ${error.message}`);
      return { measured: { failure: error.message }, report: failedReport(part, error.message) };
    });
    raw[part] = measured;
    reports.push(report);
  }
  const verdicts = reports.flatMap((report) => report.verdicts);
  const result: BenchResult = {
    format: 1,
    bench: 'consensus',
    startedAt,
    finishedAt: new Date().toISOString(),
    seed: options.seed,
    options: { ...options },
    environment,
    measurements: reports.flatMap(({ measurements }) => measurements),
    raw: { ...raw, verdicts } as ConsensusRaw,
  };
  return { result, sections: [methodSection(result), ...reports.map(({ section }) => section)] };
}

async function measurePart(
  part: Part,
  options: ConsensusOptions,
  entry: string,
  say: (line: string) => void,
): Promise<{ readonly measured: unknown; readonly report: PartReport }> {
  switch (part) {
    case 'size': {
      const measured = await measureSizes(options, entry, say);
      return { measured, report: sizeReport(measured, options) };
    }
    case 'crash': {
      const measured = await measureCrashes(options, say);
      return { measured, report: crashReport(measured, options) };
    }
    case 'down': {
      const measured = await measureDown(options, entry, say);
      return { measured, report: downReport(measured, options) };
    }
    case 'flood': {
      const measured = await measureFlood(options, entry, say);
      return { measured, report: floodReport(measured, options) };
    }
    case 'catch-up': {
      const measured = await measureCatchUp(options, entry, say);
      return { measured, report: catchUpReport(measured, options) };
    }
  }
}

function methodSection(result: BenchResult): Section {
  return {
    title: 'Consensus: how it was measured',
    notes: [
      ...environmentNotes(result),
      'Every part has a network of its own: one process a node and the load all on this machine, which n nodes share, so ' +
        'that what larger networks lose here is for the greater part processor time that n machines would have.',
      'Load is open loop: send times are planned beforehand (Poisson arrivals) and kept whatever the answers. Latency ' +
        'runs from the planned time to the moment at which the client has read the commit, in the answer to the POST.',
    ],
    tables: [],
    plots: [],
  };
}
