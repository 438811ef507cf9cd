import { ENDPOINTS, endpointPath, WAIT_MS_MAX } from '../../src/api/contract/endpoints.ts';
import { submissionListSchema } from '../../src/api/contract/submission-list.ts';
import { formatCid } from '../../src/api/contract/text.ts';
import { signRequest } from '../../src/client/sign-request.ts';
import { toHex } from '../../src/codec/bytes.ts';
import { encode } from '../../src/codec/cbor.ts';
import { type PlannedBatch, planBatches, plannedTimes } from '../open-loop.ts';
import { seededChance } from '../seeded-chance.ts';
import { VALIDITY_MS, type Ward } from './cast.ts';
import type { ReadyRequest } from './http-sender.ts';
import { type MadeUpRecord, makeUpRecord } from './made-up-record.ts';
import type { LoadStep, PreparedFacts } from './messages.ts';
import { madeUpFields } from './record-fields.ts';

/** One request of a step, with the payloads that are put before it. */
export interface PreparedBatch extends PlannedBatch {
  readonly puts: readonly ReadyRequest[];
  readonly submission: ReadyRequest;
}

/** A step with everything built and signed, so that running it only sends. */
export interface PreparedStep {
  readonly step: LoadStep;
  readonly plannedMs: Float64Array;
  readonly batches: readonly PreparedBatch[];
  readonly facts: PreparedFacts;
}

/** Longest step with payloads: the signatures of their requests, made beforehand, hold for one minute. */
const PAYLOAD_STEP_MS_MAX = 30_000;
/** Longest of the others: transactions made beforehand must not expire. */
const STEP_MS_MAX = VALIDITY_MS / 3;

/**
 * Plans a step and builds what it sends. Requests go to the nodes in turn; each carries transactions of that node's
 * organisation.
 */
export async function prepareStep(
  wards: readonly Ward[],
  genesisHash: Uint8Array,
  seed: number,
  step: LoadStep,
): Promise<PreparedStep> {
  const lengthMsMax = step.line === 'payload' ? PAYLOAD_STEP_MS_MAX : STEP_MS_MAX;
  if (step.rampMs + step.intervalMs > lengthMsMax)
    throw new Error(`a step of more than ${lengthMsMax / 1_000} s would outlive the signatures that it is made of`);
  const chance = seededChance(seed, step.label);
  const plannedMs = plannedTimes(step.rate, step.rampMs + step.intervalMs, chance);
  const planned = planBatches(plannedMs, step.collecting);
  const records: (readonly MadeUpRecord[])[] = [];
  for (const [place, batch] of planned.entries()) {
    const ward = wards[place % wards.length]!;
    const made: MadeUpRecord[] = [];
    for (let number = batch.first; number < batch.first + batch.count; number += 1) {
      const patient = Math.floor(chance() * ward.patients.length);
      made.push(await makeUpRecord(ward, genesisHash, step.line, patient, madeUpFields(seed, number)));
    }
    records.push(made);
  }
  // Last, since these signatures are the first to grow old.
  const batches = planned.map((batch, place) => ({
    ...batch,
    ...requestsFor(wards[place % wards.length]!, genesisHash, records[place]!),
  }));
  return { step, plannedMs, batches, facts: factsOf(records) };
}

/** A submission of these transactions that is answered when each is final. */
export function submissionRequest(
  url: string,
  genesisHash: Uint8Array,
  records: readonly MadeUpRecord[],
): ReadyRequest {
  const query = { wait: 'committed', timeoutMs: WAIT_MS_MAX } as const;
  return {
    method: 'POST',
    url: new URL(endpointPath(ENDPOINTS.submit, {}, query), url),
    headers: { 'content-type': 'application/cbor', 'medledger-genesis': toHex(genesisHash) },
    body: encode(
      submissionListSchema,
      records.map(({ signed }) => signed),
    ),
  };
}

function requestsFor({ url, doctor }: Ward, genesisHash: Uint8Array, records: readonly MadeUpRecord[]) {
  const puts = records.flatMap(({ payload }): readonly ReadyRequest[] => {
    if (payload === null) return [];
    const { cid, ciphertext } = payload;
    const method = 'PUT';
    const target = new URL(endpointPath(ENDPOINTS.putPayload, { cid: formatCid(cid) }, {}), url);
    const signature = signRequest(doctor, genesisHash, { method, url: target, body: ciphertext }, Date.now());
    return [
      { method, url: target, headers: { ...signature, 'content-type': 'application/octet-stream' }, body: ciphertext },
    ];
  });
  return { puts, submission: submissionRequest(url, genesisHash, records) };
}

function factsOf(batches: readonly (readonly MadeUpRecord[])[]): PreparedFacts {
  const records = batches.flat();
  const mean = (bytes: (record: MadeUpRecord) => number) =>
    Math.round(records.reduce((sum, record) => sum + bytes(record), 0) / Math.max(1, records.length));
  return {
    transactions: records.length,
    requests: batches.length,
    actionBytes: mean(({ actionBytes }) => actionBytes),
    transactionBytes: mean(({ signed }) => signed.encoded.length),
    attachmentBytes: mean(({ signed }) => signed.attachment?.length ?? 0),
    payloadBytes: mean(({ payload }) => payload?.ciphertext.length ?? 0),
  };
}
