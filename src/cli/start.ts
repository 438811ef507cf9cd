import path from 'node:path';
import type { Command } from 'commander';
import { type Logger, pino } from 'pino';
import { DEFAULT_API_OPTIONS, type RunningApi, startApi } from '../api/server.ts';
import { type NodeConfig, readConfig } from '../node/config.ts';
import { type RunningNode, startNode } from '../node/node.ts';
import { OperatorError } from '../node/operator-error.ts';
import { buildVersion } from '../node/version.ts';
import { EXIT } from './exit-codes.ts';

interface StartFlags {
  readonly config: string;
  readonly stopWithStdin?: boolean;
}

/** Adds `medledger start`: runs a node until it is told to stop. */
export function addStartCommand(program: Command): void {
  program
    .command('start')
    .description('run a node from its data folder until SIGTERM or Ctrl-C')
    .requiredOption('--config <file>', "the node's config.toml; its folder is the data folder")
    .option('--stop-with-stdin', 'stop as well when standard input is closed')
    .action((flags: StartFlags) => runNode(flags));
}

async function runNode(flags: StartFlags): Promise<void> {
  const config = readConfig(flags.config, process.env);
  const log: Logger = pino({ name: config.node.name, level: config.node.logLevel });
  const stopped = Promise.withResolvers<number>();
  const node = await startNode({
    folder: path.dirname(path.resolve(flags.config)),
    config,
    log,
    version: buildVersion(),
    onFatal: () => stopped.resolve(EXIT.failed),
  });
  const api = await listen(config, node, log).catch(async (error: unknown) => {
    await node.close();
    throw error;
  });
  log.info({ url: api.url, operatorUrl: api.operatorUrl }, 'listening');

  const stop = (reason: string) => {
    log.info({ reason }, 'stopping');
    node.drain();
    stopped.resolve(EXIT.ok);
  };
  let signals = 0;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      signals += 1;
      if (signals > 1) process.exit(EXIT.failed);
      stop(signal);
    });
  }
  if (flags.stopWithStdin === true) {
    process.stdin.resume();
    process.stdin.once('close', () => stop('standard input closed'));
  }
  process.exitCode = await stopped.promise;
  await api.close();
  await node.close();
  log.info('stopped');
  process.stdin.destroy();
}

async function listen(config: NodeConfig, node: RunningNode, logger: Logger): Promise<RunningApi> {
  const { host, port, operatorPort, authorities, requestsPerSecond, trustProxy } = config.api;
  try {
    return await startApi(
      {
        ...DEFAULT_API_OPTIONS,
        authorities,
        trustProxy,
        requestsPerWindow: requestsPerSecond * (DEFAULT_API_OPTIONS.windowMs / 1_000),
        listen: { host, port },
        operatorListen: operatorPort === undefined ? null : { host: '127.0.0.1', port: operatorPort },
      },
      { ports: node.ports, logger },
    );
  } catch (error) {
    const { code, port: taken } = error as NodeJS.ErrnoException & { port?: number };
    if (code !== 'EADDRINUSE') throw error;
    const setting = taken === operatorPort ? 'api.operatorPort' : 'api.port';
    throw new OperatorError(`Port ${taken} is in use: set ${setting} in the configuration to another one.`);
  }
}
