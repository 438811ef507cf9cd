import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES, type Verify } from '../signature-rule.ts';

/** One signature to be verified. */
export interface SignatureCheck {
  readonly signature: Uint8Array;
  readonly message: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** In place of a message length: this item's signature or key has a wrong length, so it is invalid. */
const MALFORMED = 0xffffffff;
const COUNT_BYTES = 4;
const HEAD_BYTES = SIGNATURE_BYTES + PUBLIC_KEY_BYTES + 4;

/**
 * A batch in one buffer that can be handed over to another thread without copying: count u32be, then per item
 * signature[64] ‖ publicKey[32] ‖ message length u32be ‖ message.
 */
export function packBatch(batch: readonly SignatureCheck[]): ArrayBuffer {
  const packed = new Uint8Array(packedBytes(batch));
  const view = new DataView(packed.buffer);
  view.setUint32(0, batch.length);
  let offset = COUNT_BYTES;
  for (const { signature, message, publicKey } of batch) {
    const wellFormed = signature.length === SIGNATURE_BYTES && publicKey.length === PUBLIC_KEY_BYTES;
    if (wellFormed) {
      packed.set(signature, offset);
      packed.set(publicKey, offset + SIGNATURE_BYTES);
      packed.set(message, offset + HEAD_BYTES);
    }
    view.setUint32(offset + HEAD_BYTES - 4, wellFormed ? message.length : MALFORMED);
    offset += HEAD_BYTES + (wellFormed ? message.length : 0);
  }
  return packed.buffer;
}

/** Most bytes that `packBatch` needs for a batch; malformed items may need fewer. */
export function packedBytes(batch: readonly SignatureCheck[]): number {
  return batch.reduce((bytes, item) => bytes + HEAD_BYTES + item.message.length, COUNT_BYTES);
}

/** One byte an item, 1 for valid. Throws a RangeError on a buffer that `packBatch` did not make. */
export function verifyPacked(packed: ArrayBuffer, verify: Verify): Uint8Array<ArrayBuffer> {
  const view = new DataView(packed);
  const results = new Uint8Array(view.getUint32(0));
  let offset = COUNT_BYTES;
  for (let i = 0; i < results.length; i += 1) {
    const length = view.getUint32(offset + HEAD_BYTES - 4);
    if (length !== MALFORMED) {
      const signature = new Uint8Array(packed, offset, SIGNATURE_BYTES);
      const publicKey = new Uint8Array(packed, offset + SIGNATURE_BYTES, PUBLIC_KEY_BYTES);
      const message = new Uint8Array(packed, offset + HEAD_BYTES, length);
      results[i] = verify(signature, message, publicKey) ? 1 : 0;
    }
    offset += HEAD_BYTES + (length === MALFORMED ? 0 : length);
  }
  return results;
}
