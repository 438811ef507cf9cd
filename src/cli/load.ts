import type { Command } from 'commander';
import { EXIT } from './exit-codes.ts';
import { readBundles } from './fhir/read-bundles.ts';
import type { LoadProgress } from './load/context.ts';
import { loadBundles } from './load/loader.ts';
import { formatLoadReport } from './load/report.ts';
import { readWhole } from './options.ts';
import { makeOutput } from './output.ts';
import { type Progress, showProgress } from './progress.ts';

interface LoadFlags {
  readonly node: readonly string[];
  readonly keys: string;
  readonly patience: number;
  readonly json?: true;
}

const PATIENCE_SECONDS = 60;

/** `medledger load FILE…`: FHIR bundles become records. */
export function addLoadCommand(program: Command): void {
  program
    .command('load')
    .description('turn the resources of FHIR bundles, one patient each, into records; loading again adds nothing')
    .argument('<file...>', 'FHIR R4 bundles in JSON')
    .requiredOption('--node <url...>', "API of a node; with several, each hospital's records go to its own")
    .requiredOption('--keys <folder>', "organisations' keys; people's keys and the load's log are kept there")
    .option('--patience <seconds>', 'give up when nothing gets on for so long', readWhole(1, 86_400), PATIENCE_SECONDS)
    .option('--json', 'print the report as JSON')
    .action(async (files: string[], flags: LoadFlags) => {
      const output = makeOutput(flags.json === true);
      const progress = showStages();
      try {
        const startMs = performance.now();
        const bundles = readBundles(files);
        const readingSeconds = (performance.now() - startMs) / 1_000;
        const { node: nodeUrls, keys: keysFolder } = flags;
        const patienceMs = flags.patience * 1_000;
        const report = await loadBundles({ bundles, nodeUrls, keysFolder, patienceMs, readingSeconds }, progress);
        progress.close();
        output.result(report, formatLoadReport(report));
        if (report.failed > 0) process.exitCode = EXIT.failed;
      } finally {
        progress.close();
      }
    });
}

/** Shows each stage of a load as a progress display of its own. */
export function showStages(): LoadProgress & { close(): void } {
  let shown: Progress | undefined;
  return {
    stage(name, total) {
      shown?.close();
      shown = total === 0 ? undefined : showProgress(name, total);
    },
    advance(done) {
      shown?.advance(done);
    },
    close() {
      shown?.close();
      shown = undefined;
    },
  };
}
