import { Command, CommanderError } from 'commander';
import { EXIT } from './exit-codes.ts';
import { operatorMessage } from './operator-message.ts';

type AddCommand = (program: Command) => void;

/** Every command and its module, loaded when it is needed: a node's parts alone take a second to load. */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  init: async () => (await import('./init.ts')).addInitCommand,
  testnet: async () => (await import('./testnet.ts')).addTestnetCommand,
  devnet: async () => (await import('./devnet.ts')).addDevnetCommand,
  start: async () => (await import('./start.ts')).addStartCommand,
  status: async () => (await import('./status.ts')).addStatusCommand,
  account: async () => (await import('./account.ts')).addAccountCommand,
  record: async () => (await import('./record.ts')).addRecordCommand,
  validator: async () => (await import('./validator.ts')).addValidatorCommand,
  restart: async () => (await import('./restart.ts')).addRestartCommand,
  parameters: async () => (await import('./parameters.ts')).addParametersCommand,
  query: async () => (await import('./query.ts')).addQueryCommand,
  load: async () => (await import('./load.ts')).addLoadCommand,
  verify: async () => (await import('./verify.ts')).addVerifyCommand,
  reindex: async () => (await import('./reindex.ts')).addReindexCommand,
};

/** Runs one command line (without the program's own name) and resolves to the exit status. */
export async function main(args: readonly string[]): Promise<number> {
  const program = new Command('medledger')
    .description('The node of a consortium ledger for medical records')
    .exitOverride()
    .showSuggestionAfterError();
  // A reader such as `head` that has seen enough is no fault.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.ok);
    throw error;
  });
  const [name = ''] = args;
  const needed = Object.hasOwn(COMMANDS, name) ? [COMMANDS[name]!] : Object.values(COMMANDS);
  for (const load of needed) (await load())(program);
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
