import { Command, CommanderError } from 'commander';
import { addAccountCommand } from './account.ts';
import { addDevnetCommand } from './devnet.ts';
import { EXIT } from './exit-codes.ts';
import { addInitCommand } from './init.ts';
import { addLoadCommand } from './load.ts';
import { operatorMessage } from './operator-message.ts';
import { addQueryCommand } from './query.ts';
import { addRecordCommand } from './record.ts';
import { addReindexCommand } from './reindex.ts';
import { addStartCommand } from './start.ts';
import { addStatusCommand } from './status.ts';
import { addTestnetCommand } from './testnet.ts';
import { addVerifyCommand } from './verify.ts';

/** Runs one command line (without the program's own name) and resolves to the exit status. */
export async function main(args: readonly string[]): Promise<number> {
  const program = new Command('medledger')
    .description('The node of a consortium ledger for medical records')
    .exitOverride()
    .showSuggestionAfterError();
  const commands = [
    addInitCommand,
    addTestnetCommand,
    addDevnetCommand,
    addStartCommand,
    addStatusCommand,
    addAccountCommand,
    addRecordCommand,
    addQueryCommand,
    addLoadCommand,
    addVerifyCommand,
    addReindexCommand,
  ];
  for (const add of commands) add(program);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return typeof process.exitCode === 'number' ? process.exitCode : EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const message = operatorMessage(error);
    if (message === undefined) throw error;
    process.stderr.write(`${message}\n`);
    return EXIT.failed;
  }
}
