import path from 'node:path';
import type { Command } from 'commander';
import { toHex } from '../codec/bytes.ts';
import type { Parameters } from '../ledger/parameters.ts';
import { createTestnet } from '../node/testnet.ts';
import { readWhole } from './options.ts';
import { formatTable, makeOutput } from './output.ts';
import { addParameter } from './parameter-option.ts';

interface TestnetFlags {
  readonly nodes: number;
  readonly out: string;
  readonly port: number;
  readonly ledger: string;
  readonly parameter: Partial<Parameters>;
  readonly json?: true;
}

/** Adds `medledger testnet`: makes the genesis, keys and data folders of a ledger on this machine. */
export function addTestnetCommand(program: Command): void {
  program
    .command('testnet')
    .description('make the genesis, the keys and one data folder a node for a ledger on this machine')
    .requiredOption('--out <folder>', 'folder to make; must not exist or be empty')
    .option('--nodes <count>', 'nodes, each of a hospital of its own', readWhole(1, 64), 4)
    .option(
      '--port <port>',
      "API port of the first node; the nodes' own ports are 100 higher",
      readWhole(1, 65_535),
      7100,
    )
    .option('--ledger <name>', 'name of the ledger', 'medledger testnet')
    .option(
      '--parameter <name=value>',
      'a parameter of the genesis other than usual; may be repeated',
      addParameter,
      {},
    )
    .option('--json', 'print the result as JSON')
    .action(async (flags: TestnetFlags) => {
      const { nodes, out, port, ledger, parameter: parameters } = flags;
      const made = await createTestnet({ folder: out, nodes, port, ledger, parameters, createdMs: Date.now() });
      const rows = made.nodes.map((node) => ({ ...node, publicKey: toHex(node.publicKey) }));
      const table = formatTable(
        ['hospital', 'API', 'data folder'],
        rows.map(({ organisation, apiUrl, folder }) => [organisation, apiUrl, folder]),
      );
      const text = [
        table,
        '',
        `genesis hash  ${toHex(made.genesisHash)}`,
        `keys          ${made.keysFolder}`,
        `start a node  medledger start --config ${path.join(made.nodes[0]!.folder, 'config.toml')}`,
      ].join('\n');
      const { keysFolder } = made;
      makeOutput(flags.json === true).result({ genesisHash: toHex(made.genesisHash), keysFolder, nodes: rows }, text);
    });
}
