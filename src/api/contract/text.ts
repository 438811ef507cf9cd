import { base32nopad, base64urlnopad } from '@scure/base';

/** Base64url text without padding (RFC 4648 §5). */
export function toBase64url(bytes: Uint8Array): string {
  return base64urlnopad.encode(bytes);
}

/** The bytes of a base64url text without padding. Throws an Error on any other text. */
export function fromBase64url(text: string): Uint8Array {
  return base64urlnopad.decode(text);
}

/** A binary CID in multibase base32, the form `bafy…` or `bafk…` of IPFS tools. */
export function formatCid(cid: Uint8Array): string {
  return `b${base32nopad.encode(cid).toLowerCase()}`;
}

const CID_BYTES = 36;
const RAW = 0x55;
const DAG_PB = 0x70;
const SHA256 = 0x12;

/** The 36 bytes of a CIDv1 (raw or dag-pb, SHA-256). Throws a RangeError on any other text. */
export function parseCid(text: string): Uint8Array {
  let cid: Uint8Array | undefined;
  try {
    cid = /^b[a-z2-7]{58}$/.test(text) ? base32nopad.decode(text.slice(1).toUpperCase()) : undefined;
  } catch {
    cid = undefined;
  }
  const isPayloadCid =
    cid?.length === CID_BYTES &&
    cid[0] === 1 &&
    (cid[1] === RAW || cid[1] === DAG_PB) &&
    cid[2] === SHA256 &&
    cid[3] === 32;
  if (cid === undefined || !isPayloadCid) throw new RangeError('not a CIDv1 by SHA-256 of a raw or dag-pb block');
  return cid;
}
