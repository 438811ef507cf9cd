import type { Command } from 'commander';
import { toHex } from '../codec/bytes.ts';
import { verifyData } from '../node/verify-data.ts';
import { EXIT } from './exit-codes.ts';
import { makeOutput } from './output.ts';
import { type Progress, showProgress } from './progress.ts';

const SINCE_SNAPSHOT =
  ';\n              the node joined by a snapshot before them: the state it began with was proven then, not now';

/** Adds `medledger verify`: checks the ledger of a stopped node from its genesis on. */
export function addVerifyCommand(program: Command): void {
  program
    .command('verify')
    .description('check every block of a stopped node: links, certificates, roots, and execution from the genesis on')
    .requiredOption('--data <folder>', "the node's data folder")
    .option('--json', 'print the result as JSON')
    .action(async (flags: { readonly data: string; readonly json?: true }) => {
      let progress: Progress | undefined;
      const result = await verifyData(flags.data, (height, tipHeight) => {
        progress ??= showProgress('Blocks', tipHeight);
        progress.advance(height);
      }).finally(() => progress?.close());
      const output = makeOutput(flags.json === true);
      if (result.kind === 'damaged') {
        const { height, detail } = result;
        const place = height === null ? 'The ledger store' : height === 0 ? 'The genesis' : `Block ${height}`;
        const remedy = 'Move the folder "ledger" away: the node fetches the chain from the other hospitals.';
        output.result(result, `${place} is damaged: ${detail}\n${remedy}`);
        process.exitCode = EXIT.damaged;
        return;
      }
      const { fromHeight, height, transactions, attachments, attachmentsMissing } = result;
      const [tipHash, stateRoot] = [toHex(result.tipHash), toHex(result.stateRoot)];
      const text = [
        `blocks        ${fromHeight} to ${height}, all sound${fromHeight === 1 ? '' : SINCE_SNAPSHOT}`,
        `transactions  ${transactions}`,
        `attachments   ${attachments} here, ${attachmentsMissing} not here`,
        `block hash    ${tipHash}`,
        `state root    ${stateRoot}`,
      ].join('\n');
      const counts = { transactions, attachments, attachmentsMissing };
      output.result({ kind: 'sound', fromHeight, height, ...counts, tipHash, stateRoot }, text);
    });
}
