import type { Command } from 'commander';
import { reindexData } from '../node/reindex-data.ts';
import { makeOutput } from './output.ts';
import { type Progress, showProgress } from './progress.ts';

/** Adds `medledger reindex`: builds the search index of a stopped node anew. */
export function addReindexCommand(program: Command): void {
  program
    .command('reindex')
    .description('build the search index of a stopped node anew from its blocks')
    .requiredOption('--data <folder>', "the node's data folder")
    .option('--json', 'print the result as JSON')
    .action(async (flags: { readonly data: string; readonly json?: true }) => {
      let progress: Progress | undefined;
      const result = await reindexData(flags.data, (height, tipHeight) => {
        progress ??= showProgress('Blocks', tipHeight);
        progress.advance(height);
      }).finally(() => progress?.close());
      const text = `${result.records} versions of records of heights ${result.fromHeight} to ${result.height} are searchable.`;
      makeOutput(flags.json === true).result(result, text);
    });
}
