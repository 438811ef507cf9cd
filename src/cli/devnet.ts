import { mkdtempSync, openSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { formatAddress } from '../crypto/address.ts';
import { ProcessGroup, waitUntilReady } from '../node/process-group.ts';
import { createTestnet, type Testnet } from '../node/testnet.ts';
import { holdsTestnet, readTestnet } from '../node/testnet-folder.ts';
import { type Demo, loadDemo } from './demo.ts';
import { EXIT } from './exit-codes.ts';
import { openKeyFolder } from './key-folder.ts';
import { formatTable } from './output.ts';

const NODES = 4;
const READY_DEADLINE_MS = 30_000;
const ENTRY = path.join(import.meta.dirname, '..', '..', 'bin', 'medledger.ts');

interface DevnetFlags {
  readonly port: number;
  readonly data?: string;
}

/** Adds `medledger devnet`: four hospitals on this machine, with a few made-up patients. What `npm start` runs. */
export function addDevnetCommand(program: Command): void {
  program
    .command('devnet')
    .description('run four hospital nodes on this machine, with synthetic patients, until Ctrl-C')
    .option(
      '--port <port>',
      'API port of the first node; node i has port + i, and port + 100 + i for libp2p',
      readPort,
      7100,
    )
    .option('--data <dir>', 'keep the data in this folder (otherwise a temporary one, removed at the end)')
    .action((flags: DevnetFlags) => runDevnet(flags));
}

async function runDevnet(flags: DevnetFlags): Promise<void> {
  const folder = flags.data ?? mkdtempSync(path.join(os.tmpdir(), 'medledger-'));
  const stopped = Promise.withResolvers<number>();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopped.resolve(EXIT.ok));
  const group = new ProcessGroup(ENTRY, ({ folder: node }, code, signal) => {
    process.stderr.write(`The node in ${node} stopped (${signal ?? `status ${code}`}); see ${node}/node.log.\n`);
    stopped.resolve(EXIT.failed);
  });
  try {
    const running = bringUp(group, folder, flags.port).then(() => stopped.promise);
    process.exitCode = await Promise.race([running, stopped.promise]);
  } finally {
    await group.stop();
    if (flags.data === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

async function bringUp(group: ProcessGroup, folder: string, port: number): Promise<void> {
  const startMs = performance.now();
  const testnet = holdsTestnet(folder)
    ? readTestnet(folder)
    : await createTestnet({
        folder,
        nodes: NODES,
        port,
        ledger: 'devnet',
        parameters: {},
        createdMs: Date.now(),
      });
  process.stderr.write(`Starting ${testnet.nodes.length} hospital nodes in ${folder} …\n`);
  const processes = testnet.nodes.map((node) =>
    group.start(node.folder, node.apiUrl, openSync(path.join(node.folder, 'node.log'), 'a', 0o600)),
  );
  await waitUntilReady(processes, READY_DEADLINE_MS);
  const demo = await loadDemo(testnet);
  const seconds = ((performance.now() - startMs) / 1_000).toFixed(1);
  process.stdout.write(`${describe(testnet, demo)}\n\nReady after ${seconds} s. Ctrl-C stops everything.\n`);
}

function describe(testnet: Testnet, demo: Demo): string {
  const url = testnet.nodes[0]!.apiUrl;
  const keys = testnet.keysFolder;
  const nodes = formatTable(
    ['hospital', 'API', 'data folder'],
    testnet.nodes.map((node) => [node.organisation, node.apiUrl, node.folder]),
  );
  return [
    '',
    nodes,
    '',
    `${demo.records} records of ${demo.patients} made-up patients are on the ledger. Accounts and keys: ${keys}`,
    formatTable(
      ['account', 'address'],
      openKeyFolder(keys).organisations.map(({ name, identity }) => [name, formatAddress(identity.address)]),
    ),
    '',
    'Try:',
    `  npm run medledger -- status --node ${url}`,
    `  npm run medledger -- query --node ${url} --keys ${keys} --as hospital-1 --kind Observation`,
    `  curl ${url}/v1/blocks/latest`,
  ].join('\n');
}

function readPort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_000)
    throw new InvalidArgumentError(`${text} is no port: give a number from 1 to 65000.`);
  return port;
}
