import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { COMMON_PROBLEMS, ENDPOINTS, SIGNATURE_PROBLEMS } from '../../src/api/contract/endpoints.ts';
import { REJECTION_CODES } from '../../src/api/contract/problem.ts';
import { makeFixture } from './api-fixture.ts';

/** `node test/api/openapi.test.ts --update` writes the document anew. */
const COMMITTED = new URL('../../docs/openapi.json', import.meta.url);

async function generated() {
  const { app } = await makeFixture();
  const response = await app.inject('/v1/openapi.json');
  await app.close();
  return response.json();
}

if (process.argv.includes('--update')) await writeFile(COMMITTED, `${JSON.stringify(await generated(), null, 2)}\n`);

test('the committed OpenAPI document is the one that the server gives', async () => {
  const committed = JSON.parse(await readFile(COMMITTED, 'utf8'));
  assert.equal(await generated(), committed, 'run this file with --update and review the difference');
});

test('the document holds every public endpoint with its operation id, and nothing else', async () => {
  const document = await generated();
  assert.is(document.openapi, '3.1.0');
  const described: string[] = [];
  for (const [path, methods] of Object.entries(
    document.paths as Record<string, Record<string, { operationId: string }>>,
  ))
    for (const [method, { operationId }] of Object.entries(methods))
      described.push(`${operationId} ${method.toUpperCase()} ${path}`);
  const expected = Object.entries(ENDPOINTS)
    .filter(([, { auth }]) => auth !== 'operator')
    .map(([name, { method, url }]) => `${name} ${method} ${url}`);
  assert.equal(described.sort(), expected.sort());
});

test('each response names the codes that come with its status', async () => {
  const document = await generated();
  const { responses } = document.paths['/v1/records/{id}'].get;
  assert.match(responses['403'].description, 'notPermitted');
  assert.match(responses['401'].description, 'nonceUsed');
  assert.ok(responses['404'].content['application/problem+json']);
});

test('no code of a request is one of a rejection', () => {
  const { submit, ...others } = ENDPOINTS;
  const ofRequests: string[] = [...COMMON_PROBLEMS, ...SIGNATURE_PROBLEMS];
  for (const { problems } of Object.values(others)) ofRequests.push(...problems);
  assert.ok(submit.problems.length > REJECTION_CODES.length);
  for (const code of REJECTION_CODES) assert.not.ok(ofRequests.includes(code), code);
});

test.run();
