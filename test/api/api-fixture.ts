import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import pino from 'pino';
import { type ApiOptions, buildApi, DEFAULT_API_OPTIONS } from '../../src/api/server.ts';
import {
  drawSalt,
  recordCreate,
  type SignedTransaction,
  signTransaction,
  transactionBody,
} from '../../src/client/build-transaction.ts';
import type { AccountIdentity } from '../../src/client/keys.ts';
import { sealRecord } from '../../src/client/seal-record.ts';
import { signRequest } from '../../src/client/sign-request.ts';
import { recordIdOf } from '../../src/ledger/transaction.ts';
import { type FakeNode, ledgerHash, makeFakeNode, people } from './fake-node.ts';

export const NOW_MS = 1_800_000_000_000;
const AUTHORITY = 'node.test';

/** An API over a fake node, with what it logged. */
export interface Fixture {
  readonly app: FastifyInstance;
  readonly node: FakeNode;
  readonly log: string[];
}

export async function makeFixture(options: Partial<ApiOptions> = {}): Promise<Fixture> {
  const node = makeFakeNode();
  const log: string[] = [];
  const logger = pino({ level: 'trace' }, { write: (line: string) => void log.push(line) });
  const app = await buildApi(
    { ...DEFAULT_API_OPTIONS, authorities: [AUTHORITY], requestsPerWindow: 100_000, ...options },
    { ports: node.ports, logger, nowMs: () => NOW_MS },
  );
  return { app, node, log };
}

/** A request as `identity` signs it, before anything is altered. */
export function signedRequest(
  identity: AccountIdentity,
  method: 'GET' | 'PUT',
  target: string,
  body: Uint8Array = new Uint8Array(0),
  nowMs = NOW_MS,
): InjectOptions & { headers: Record<string, string> } {
  const url = new URL(target, `http://${AUTHORITY}`);
  const headers: Record<string, string> = {
    host: AUTHORITY,
    ...signRequest(identity, ledgerHash, { method, url, body }, nowMs),
  };
  if (body.length > 0) headers['content-type'] = 'application/octet-stream';
  return { method, url: target, headers, ...(body.length > 0 && { payload: Buffer.from(body) }) };
}

/** Asserts-free reading of a problem: its code, or the status of a success. */
export function codeOf(response: LightMyRequestResponse): string | number {
  if (!String(response.headers['content-type']).startsWith('application/problem+json')) return response.statusCode;
  const problem = response.json();
  if (problem.status !== response.statusCode) throw new Error(`status ${response.statusCode} is not ${problem.status}`);
  return problem.code;
}

/** A sealed record of the doctor about the patient, and the transaction that creates it. */
export async function makeRecord(payload = new TextEncoder().encode('the payload')) {
  const { doctor, hospital, patient } = people;
  const salt = drawSalt();
  const recordId = recordIdOf(ledgerHash, doctor.address, salt);
  const recipient = (who: AccountIdentity) => ({ address: who.address, sealingKey: who.keyDocument.sealingKey });
  const fields = {
    kind: 'Observation',
    codes: ['loinc|1'],
    date: '2026-01-02',
    department: 'lab',
    region: 'n',
    title: 't',
  };
  const sealed = await sealRecord({
    genesisHash: ledgerHash,
    recordId,
    version: 1,
    payload,
    fields,
    recipients: { author: recipient(doctor), patient: recipient(patient), organisation: recipient(hospital) },
  });
  const action = recordCreate({
    author: doctor.address,
    organisation: hospital.address,
    patient: patient.address,
    class: 7,
    retainUntilMs: NOW_MS,
    payload: sealed.payload,
  });
  const body = transactionBody(action, { validUntilMs: NOW_MS + 60_000, salt, attachment: sealed.attachment });
  const transaction: SignedTransaction = signTransaction(ledgerHash, body, [doctor, hospital], sealed.attachment);
  return { recordId, sealed, fields, payload, transaction };
}
