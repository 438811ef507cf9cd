import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { formatConfig, parseConfig } from '../../src/node/config.ts';
import { OperatorError } from '../../src/node/operator-error.ts';

const MINIMAL = `
[node]
name = "north"
[p2p]
listen = ["/ip4/127.0.0.1/tcp/7200"]
[api]
port = 7100
`;

const parse = (text: string, environment = {}) => parseConfig(text, 'config.toml', environment);
const fails = (text: string, words: RegExp, environment = {}) =>
  assert.throws(
    () => parse(text, environment),
    (error: unknown) => error instanceof OperatorError && words.test(error.message),
  );

test('what is left out has its default', () => {
  const config = parse(MINIMAL);
  assert.is(config.node.logLevel, 'info');
  assert.is(config.api.host, '127.0.0.1');
  assert.equal(config.p2p.peers, []);
  assert.is(config.storage.payloadQuotaBytes, 100 * 2 ** 30);
});

test('a configuration that was written is read back', () => {
  const config = parse(MINIMAL);
  assert.is(JSON.stringify(parse(formatConfig(config))), JSON.stringify(config));
});

test('an unknown setting is an error that names the nearest known one', () => {
  fails(`${MINIMAL}prot = 1\n`, /unknown setting api\.prot; did you mean "port"\?/);
  fails(`${MINIMAL}[strage]\n`, /unknown setting strage; did you mean "storage"\?/);
  fails(`${MINIMAL}zzzzzz = 1\n`, /unknown setting api\.zzzzzz$/);
});

test('a wrong value is an error that names the setting', () => {
  fails(MINIMAL.replace('7100', '70000'), /api\.port/);
  fails(MINIMAL.replace('"north"', '""'), /node\.name/);
  fails(MINIMAL.replace('[node]', '[node'), /not TOML/);
});

test('the environment wins over the file and is checked like it', () => {
  assert.is(parse(MINIMAL, { MEDLEDGER_API_PORT: '7500' }).api.port, 7500);
  assert.is(parse(MINIMAL, { MEDLEDGER_LOG_LEVEL: 'debug' }).node.logLevel, 'debug');
  fails(MINIMAL, /api\.port/, { MEDLEDGER_API_PORT: 'x' });
});

test.run();
