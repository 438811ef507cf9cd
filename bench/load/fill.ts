import type { Ward } from './cast.ts';
import type { HttpSender } from './http-sender.ts';
import { type MadeUpRecord, makeUpRecord } from './made-up-record.ts';
import type { FillReport, LoadFill } from './messages.ts';
import { submissionRequest } from './prepared-step.ts';
import { madeUpFields } from './record-fields.ts';

/** How often a refused or unfinished request is sent again before the fill gives up. */
const ATTEMPTS_MAX = 20;
const RETRY_MS = 500;

/**
 * Puts records of the first ward's organisation on the ledger, sent to all nodes in turn, a bounded number of requests
 * at a time. Rejects when some can not be committed.
 */
export async function fillLedger(
  wards: readonly Ward[],
  genesisHash: Uint8Array,
  seed: number,
  sender: HttpSender,
  fill: LoadFill,
): Promise<FillReport> {
  const ward = wards[0]!;
  const recordIds = new Uint8Array(fill.records * 16);
  const started = performance.now();
  let next = 0;
  const sendSome = async () => {
    while (next < fill.records) {
      const first = next;
      next = Math.min(fill.records, first + fill.perRequest);
      const records: MadeUpRecord[] = [];
      for (let number = first; number < Math.min(fill.records, first + fill.perRequest); number += 1) {
        const record = await makeUpRecord(ward, genesisHash, 'attachment', number, madeUpFields(seed, number));
        recordIds.set(record.recordId, number * 16);
        records.push(record);
      }
      const { url } = wards[Math.floor(first / fill.perRequest) % wards.length]!;
      await sendUntilCommitted(sender, submissionRequest(url, genesisHash, records));
    }
  };
  await Promise.all(Array.from({ length: fill.requestsAtOnce }, sendSome));
  return { recordIds, organisation: ward.organisation.address, seconds: (performance.now() - started) / 1_000 };
}

async function sendUntilCommitted(sender: HttpSender, request: ReturnType<typeof submissionRequest>): Promise<void> {
  let last = '';
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const { status, text } = await sender.send(request);
    if (status === 200 && !text.includes('"Rejected"') && !text.includes('"Expired"')) return;
    last = `${status} ${text.slice(0, 300)}`;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  throw new Error(`records could not be committed; the last answer was ${last}`);
}
