import { encode } from '../../src/codec/cbor.ts';
import { bytesUpTo, list, nullable, struct } from '../../src/codec/schema.ts';
import type { TransactionEnvelope } from '../../src/p2p/batch.ts';

const MIB = 2 ** 20;
const envelopeSchema = struct<TransactionEnvelope>({ encoded: bytesUpTo(MIB), attachment: nullable(bytesUpTo(MIB)) });
const batchSchema = list(envelopeSchema, 10_000);

/** A batch without the bounds of the node's own encoder. */
export function encodeBatch(batch: readonly TransactionEnvelope[]): Uint8Array {
  return encode(batchSchema, batch);
}
