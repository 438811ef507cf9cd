import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { concatBytes } from '../../src/codec/bytes.ts';
import {
  type Attachment,
  attachmentReference,
  CODES_MAX,
  decodeAttachment,
  decodeRecordFields,
  encodeAttachment,
  encodeRecordFields,
  FIELDS_BYTES_MAX,
  FIELDS_CIPHERTEXT_BYTES_MAX,
  isAttachmentOf,
  type RecordFields,
  WRAP_BYTES,
  WRAPS_MAX,
} from '../../src/ledger/attachment.ts';
import { ATTACHMENT_BYTES_MAX } from '../../src/ledger/transaction.ts';

const wrap = { recipient: new Uint8Array(32).fill(1), secret: 'kNode', wrap: new Uint8Array(WRAP_BYTES) } as const;
const sample: Attachment = {
  blind: new Uint8Array(32).fill(7),
  fields: Uint8Array.of(1, 2, 3),
  wraps: [{ ...wrap, secret: 's' }, wrap],
};
const fields: RecordFields = {
  kind: 'Observation',
  codes: ['http://loinc.org|4548-4'],
  date: '2026-03-01T09:30:00Z',
  department: 'Endokrinologie',
  region: 'DE-BE',
  title: 'Hämoglobin A1c',
};

test('an attachment survives encoding, its blind first', () => {
  const encoded = encodeAttachment(sample);
  assert.equal(encoded.subarray(0, 32), sample.blind);
  assert.equal(decodeAttachment(encoded), sample);
});

test('bytes that are not the one encoding are refused', () => {
  const encoded = encodeAttachment(sample);
  assert.throws(() => decodeAttachment(encoded.subarray(0, 31)), /blind/);
  assert.throws(() => decodeAttachment(encoded.subarray(0, 32)));
  assert.throws(() => decodeAttachment(concatBytes(encoded, Uint8Array.of(0))), /trailing/);
});

test('parts and the whole keep their bounds', () => {
  const empty = { ...sample, fields: new Uint8Array(0), wraps: [] };
  assert.ok(encodeAttachment({ ...empty, fields: new Uint8Array(FIELDS_CIPHERTEXT_BYTES_MAX) }));
  assert.throws(() => encodeAttachment({ ...empty, fields: new Uint8Array(FIELDS_CIPHERTEXT_BYTES_MAX + 1) }));
  assert.ok(encodeAttachment({ ...empty, wraps: Array.from({ length: WRAPS_MAX }, () => wrap) }));
  assert.throws(() => encodeAttachment({ ...empty, wraps: Array.from({ length: WRAPS_MAX + 1 }, () => wrap) }));
  assert.throws(() => encodeAttachment({ ...empty, blind: new Uint8Array(31) }), /blind/);
  assert.throws(() => encodeAttachment({ ...empty, wraps: [{ ...wrap, wrap: new Uint8Array(79) }] }));
  const most = { ...empty, fields: new Uint8Array(FIELDS_CIPHERTEXT_BYTES_MAX) };
  const largest = encodeAttachment({ ...most, wraps: Array.from({ length: WRAPS_MAX }, () => wrap) });
  assert.ok(largest.length <= ATTACHMENT_BYTES_MAX, 'both at their bounds fit the whole');
  assert.throws(() => decodeAttachment(new Uint8Array(ATTACHMENT_BYTES_MAX + 1)), /allowed/);
});

test('a reference names these bytes and no others', () => {
  const encoded = encodeAttachment(sample);
  const reference = attachmentReference(encoded);
  assert.ok(isAttachmentOf(reference, encoded));
  assert.not.ok(isAttachmentOf({ ...reference, bytes: reference.bytes + 1 }, encoded));
  const otherBlind = encodeAttachment({ ...sample, blind: new Uint8Array(32) });
  assert.not.ok(isAttachmentOf(reference, otherBlind), 'the same content under another blind');
});

test('search fields survive encoding and keep their bounds', () => {
  assert.equal(decodeRecordFields(encodeRecordFields(fields)), fields);
  assert.throws(() => encodeRecordFields({ ...fields, codes: Array.from({ length: CODES_MAX + 1 }, () => 'x') }));
  assert.throws(() => encodeRecordFields({ ...fields, title: 'x'.repeat(513) }));
  const long = { codes: Array.from({ length: CODES_MAX }, () => 'c'.repeat(128)), title: 't'.repeat(512) };
  const rest = { kind: 'k'.repeat(64), date: 'd'.repeat(40), department: 'e'.repeat(128), region: 'r'.repeat(128) };
  assert.ok(encodeRecordFields({ ...long, ...rest }).length <= FIELDS_BYTES_MAX, 'the largest fields fit');
});

test.run();
