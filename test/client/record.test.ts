import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AccountIdentity } from '../../src/client/keys.ts';
import {
  type FetchedRecord,
  openRecordFields,
  openRecordPayload,
  RecordOpenError,
} from '../../src/client/open-record.ts';
import type { Party } from '../../src/client/seal-record.ts';
import { concatBytes, utf8 } from '../../src/codec/bytes.ts';
import { SealingError } from '../../src/crypto/hpke.ts';
import { PayloadError } from '../../src/crypto/payload-cipher.ts';
import { decodeTransaction } from '../../src/ledger/transaction.ts';
import { openRecordFields as openAtNode } from '../../src/node/record-fields.ts';
import { makeRecord } from '../api/api-fixture.ts';
import { ledgerHash, people } from '../api/fake-node.ts';

const recipients: readonly [Party, AccountIdentity][] = [
  ['author', people.doctor],
  ['patient', people.patient],
  ['organisation', people.hospital],
];

type Made = Awaited<ReturnType<typeof makeRecord>>;

function fetched({ recordId, sealed, transaction }: Made): FetchedRecord {
  const reference = decodeTransaction(ledgerHash, transaction.encoded).transaction.attachment!;
  return { genesisHash: ledgerHash, recordId, version: 1, reference, attachment: sealed.attachment };
}

async function fails(attempt: Promise<unknown>, kind: new (...args: never[]) => Error): Promise<void> {
  try {
    await attempt;
  } catch (error) {
    assert.instance(error, kind);
    return;
  }
  assert.unreachable(`no ${kind.name}`);
}

const record = await makeRecord();
const large = await makeRecord(new Uint8Array(2_500_000).map((_, i) => i % 251));

for (const [party, identity] of recipients) {
  test(`the ${party} opens fields and payload`, async () => {
    for (const made of [record, large]) {
      const reader = { identity, party };
      assert.equal(await openRecordFields(fetched(made), reader), made.fields);
      const { ciphertext, payload } = made.sealed;
      const opened = await openRecordPayload(fetched(made), ciphertext, payload.keyCommitment, reader);
      assert.ok(Buffer.from(opened).equals(made.payload));
    }
  });

  test(`nothing opens for the ${party} under the right of another`, async () => {
    const other = party === 'author' ? 'patient' : 'author';
    await fails(openRecordFields(fetched(record), { identity, party: other }), SealingError);
  });
}

test('who is no recipient opens nothing', async () => {
  const reader = { identity: people.otherDoctor, party: 'author' as const };
  await fails(openRecordFields(fetched(record), reader), RecordOpenError);
  const { ciphertext, payload } = record.sealed;
  await fails(openRecordPayload(fetched(record), ciphertext, payload.keyCommitment, reader), RecordOpenError);
});

test('a wrap made for one record version opens for no other', async () => {
  const reader = { identity: people.doctor, party: 'author' as const };
  await fails(openRecordFields({ ...fetched(record), version: 2 }, reader), SealingError);
  await fails(openRecordFields({ ...fetched(record), recordId: large.recordId }, reader), SealingError);
  await fails(openRecordFields({ ...fetched(record), genesisHash: new Uint8Array(32) }, reader), SealingError);
});

test('another attachment, ciphertext or commitment than the ledger names is refused', async () => {
  const reader = { identity: people.patient, party: 'patient' as const };
  const { ciphertext, payload } = record.sealed;
  const swapped = { ...fetched(record), attachment: large.sealed.attachment };
  await fails(openRecordFields(swapped, reader), RecordOpenError);
  await fails(openRecordPayload(fetched(record), ciphertext, new Uint8Array(32), reader), PayloadError);
  const damaged = ciphertext.slice();
  damaged[0]! ^= 1;
  await fails(openRecordPayload(fetched(record), damaged, payload.keyCommitment, reader), PayloadError);
  const longer = concatBytes(ciphertext, Uint8Array.of(0));
  await fails(openRecordPayload(fetched(record), longer, payload.keyCommitment, reader), PayloadError);
  await fails(openRecordPayload(fetched(record), new Uint8Array(0), payload.keyCommitment, reader), PayloadError);
});

test('what is stored shows neither payload nor fields, and its size only roughly', async () => {
  const stored = concatBytes(record.sealed.ciphertext, record.sealed.attachment, record.transaction.encoded);
  for (const text of ['the payload', 'Observation', 'loinc', '2026-01-02'])
    assert.is(Buffer.from(stored).indexOf(Buffer.from(utf8(text))), -1, text);
  const longer = await makeRecord(new Uint8Array(2_500_100));
  assert.is(longer.sealed.payload.bytes, large.sealed.payload.bytes);
  assert.is(large.sealed.payload.bytes, large.sealed.ciphertext.length);
});

test("the organisation's node finds the search fields of what the SDK seals", async () => {
  const key = { address: people.hospital.address, sealingSecret: people.hospital.sealingSecret };
  assert.equal(await openAtNode(record.sealed.attachment, key, ledgerHash, record.recordId, 1), record.fields);
});

test.run();
