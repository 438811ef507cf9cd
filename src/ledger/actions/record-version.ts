import type { SealedPayload } from '../action.ts';
import { type Rejection, rejected } from '../rejection.ts';

/** A quarter of a year of 365.25 days: retention dates are its multiples, so that they single nobody out. */
export const RETENTION_QUARTER_MS = 7_889_400_000;
/** Largest padded ciphertext of one record version. */
const PAYLOAD_BYTES_MAX = 2 ** 40;

const CID_V1 = 1;
const CODEC_RAW = 0x55;
const CODEC_DAG_PB = 0x70;
const MULTIHASH_SHA256 = 0x12;
const DIGEST_BYTES = 32;

/** What is wrong with the fields that every record version has, whatever the state. */
export function recordVersionFault(version: {
  readonly retainUntilMs: number;
  readonly payload: SealedPayload;
}): Rejection | undefined {
  const { retainUntilMs, payload } = version;
  if (retainUntilMs % RETENTION_QUARTER_MS !== 0)
    return rejected('invalidAction', `retainUntilMs ${retainUntilMs} is no multiple of ${RETENTION_QUARTER_MS}`);
  if (!isPayloadCid(payload.cid))
    return rejected('invalidAction', 'the payload is not named by a binary CIDv1 of raw or dag-pb with SHA-256');
  if (payload.bytes < 1 || payload.bytes > PAYLOAD_BYTES_MAX)
    return rejected('invalidAction', `a payload of ${payload.bytes} bytes; 1 to ${PAYLOAD_BYTES_MAX} are allowed`);
  return undefined;
}

/** CIDv1 ‖ raw or dag-pb ‖ sha2-256 ‖ 32 ‖ digest, all varints of one byte: the root of a UnixFS DAG. */
function isPayloadCid(cid: Uint8Array): boolean {
  return (
    cid.length === 4 + DIGEST_BYTES &&
    cid[0] === CID_V1 &&
    (cid[1] === CODEC_RAW || cid[1] === CODEC_DAG_PB) &&
    cid[2] === MULTIHASH_SHA256 &&
    cid[3] === DIGEST_BYTES
  );
}
