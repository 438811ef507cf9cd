import { readFileSync } from 'node:fs';
import { parse as parseToml, stringify as stringifyToml, TomlError } from 'smol-toml';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { fromHex } from '../codec/bytes.ts';
import { OperatorError } from './operator-error.ts';
import { nearestWord } from './suggestion.ts';

const port = Type.Integer({ minimum: 0, maximum: 65535 });

const configSchema = Type.Object(
  {
    node: Type.Object(
      {
        name: Type.String({ minLength: 1, maxLength: 64, description: 'Name in logs and on status pages' }),
        logLevel: Type.Union(
          [
            Type.Literal('fatal'),
            Type.Literal('error'),
            Type.Literal('warn'),
            Type.Literal('info'),
            Type.Literal('debug'),
            Type.Literal('trace'),
          ],
          { default: 'info' },
        ),
      },
      { additionalProperties: false },
    ),
    p2p: Type.Object(
      {
        listen: Type.Array(Type.String(), { minItems: 1, description: 'Multiaddresses to listen on' }),
        peers: Type.Array(
          Type.Object(
            {
              name: Type.String({ minLength: 1, maxLength: 64 }),
              publicKey: Type.String({ pattern: '^[0-9a-f]{64}$', description: 'Validator key, hexadecimal' }),
              addresses: Type.Array(Type.String()),
            },
            { additionalProperties: false },
          ),
          { maxItems: 64, default: [] },
        ),
      },
      { additionalProperties: false },
    ),
    api: Type.Object(
      {
        host: Type.String({ default: '127.0.0.1' }),
        port,
        operatorPort: Type.Optional(port),
        authorities: Type.Array(Type.String(), {
          default: [],
          description: 'Names with port under which clients address this node, beside the addresses it listens on',
        }),
        requestsPerSecond: Type.Integer({ minimum: 1, default: 2_000, description: 'From one client address' }),
        trustProxy: Type.Boolean({ default: false }),
      },
      { additionalProperties: false },
    ),
    sync: Type.Object(
      {
        anchor: Type.Optional(
          Type.Object(
            {
              height: Type.Integer({ minimum: 1 }),
              hash: Type.String({ pattern: '^[0-9a-f]{64}$', description: 'Block hash, hexadecimal' }),
            },
            {
              additionalProperties: false,
              description: 'A recent block that the operator compared with other members, out of band',
            },
          ),
        ),
        history: Type.Union([Type.Literal('recent'), Type.Literal('full')], {
          default: 'recent',
          description: 'full: every block from the first on, never a snapshot',
        }),
        snapshotDistance: Type.Optional(
          Type.Integer({
            minimum: 1,
            description: 'Heights behind from which a snapshot is taken; keepRecent if unset',
          }),
        ),
        awayHoursMax: Type.Integer({
          minimum: 1,
          default: 720,
          description: 'After so long a change of the validators is followed only up to an anchor',
        }),
      },
      { additionalProperties: false, default: {} },
    ),
    storage: Type.Object(
      {
        payloadQuotaBytes: Type.Integer({ minimum: 0, default: 100 * 2 ** 30 }),
      },
      { additionalProperties: false, default: {} },
    ),
  },
  { additionalProperties: false },
);

/** A node's configuration, as written in its `config.toml`. */
export type NodeConfig = Static<typeof configSchema>;

/** Variables that win over the file, and the setting that each stands for. */
const ENVIRONMENT: Readonly<Record<string, readonly [section: 'node' | 'api', key: string, numeric: boolean]>> = {
  MEDLEDGER_NODE_NAME: ['node', 'name', false],
  MEDLEDGER_LOG_LEVEL: ['node', 'logLevel', false],
  MEDLEDGER_API_HOST: ['api', 'host', false],
  MEDLEDGER_API_PORT: ['api', 'port', true],
};

/** Reads and checks a configuration file. Throws an OperatorError that names the setting at fault. */
export function readConfig(file: string, environment: Readonly<Record<string, string | undefined>>): NodeConfig {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new OperatorError(
      `Cannot read the configuration ${file} (${(error as NodeJS.ErrnoException).code}). ` +
        'Name it with --config, or make a node with "medledger init" or "medledger testnet".',
    );
  }
  return parseConfig(text, file, environment);
}

/** Checks the text of a configuration; `file` stands in messages only. */
export function parseConfig(
  text: string,
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
): NodeConfig {
  let document: Record<string, unknown>;
  try {
    document = parseToml(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    throw new OperatorError(`${file} is not TOML: ${error.message}`);
  }
  for (const [variable, [section, key, numeric]] of Object.entries(ENVIRONMENT)) {
    const value = environment[variable];
    if (value === undefined) continue;
    const settings = document[section] as Record<string, unknown> | undefined;
    document[section] = { ...settings, [key]: numeric ? Number(value) : value };
  }
  const config = Value.Default(configSchema, document);
  refuseUnknownKeys(configSchema as SchemaShape, config, '', file);
  const [fault] = Value.Errors(configSchema, config);
  if (fault !== undefined) {
    const place = fault.instancePath.slice(1).replaceAll('/', '.') || 'the document';
    throw new OperatorError(`${file}: ${place} ${fault.message}`);
  }
  return config as NodeConfig;
}

interface SchemaShape {
  readonly properties?: Readonly<Record<string, SchemaShape>>;
  readonly items?: SchemaShape;
}

function refuseUnknownKeys(schema: SchemaShape, value: unknown, path: string, file: string): void {
  if (Array.isArray(value)) {
    value.forEach((element, index) => {
      refuseUnknownKeys(schema.items ?? {}, element, `${path}[${index}]`, file);
    });
    return;
  }
  if (schema.properties === undefined || typeof value !== 'object' || value === null) return;
  const known = Object.keys(schema.properties);
  for (const [key, inner] of Object.entries(value)) {
    const place = path === '' ? key : `${path}.${key}`;
    if (!known.includes(key)) {
      const suggestion = nearestWord(key, known);
      throw new OperatorError(
        `${file}: unknown setting ${place}${suggestion === undefined ? '' : `; did you mean "${suggestion}"?`}`,
      );
    }
    refuseUnknownKeys(schema.properties[key]!, inner, place, file);
  }
}

/** The TOML text of a configuration. */
export function formatConfig(config: NodeConfig): string {
  return `${stringifyToml(config)}\n`;
}

/** The peers of a configuration, keys as bytes. */
export function configuredPeers(
  config: NodeConfig,
): { readonly name: string; readonly publicKey: Uint8Array; readonly addresses: string[] }[] {
  return config.p2p.peers.map((peer) => ({
    name: peer.name,
    publicKey: fromHex(peer.publicKey),
    addresses: peer.addresses,
  }));
}
