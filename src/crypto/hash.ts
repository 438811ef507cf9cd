import { sha256, sha256Text } from '#sha256';
import { concatBytes, utf8 } from '../codec/bytes.ts';

export { sha256, sha256Text };

const prefixes = new Map<string, Uint8Array>();

/** `"medledger/v1/" ‖ kind ‖ 0x00`: what keeps the hashes and signatures of different formats apart. */
export function domainPrefix(kind: string): Uint8Array {
  let prefix = prefixes.get(kind);
  if (prefix === undefined) {
    prefix = utf8(`medledger/v1/${kind}\0`);
    prefixes.set(kind, prefix);
  }
  return prefix;
}

/** Where short inputs are put together, so that they need no array of their own; most inputs are short. */
const scratch = new Uint8Array(512);

/** SHA-256 over the domain prefix of `kind` and the parts in order, 32 bytes. */
export function taggedHash(kind: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const prefix = domainPrefix(kind);
  const length = parts.reduce((sum, part) => sum + part.length, prefix.length);
  if (length > scratch.length) return sha256(concatBytes(prefix, ...parts));
  scratch.set(prefix);
  let end = prefix.length;
  for (const part of parts) {
    scratch.set(part, end);
    end += part.length;
  }
  return sha256(scratch.subarray(0, length));
}

/** What is signed: `"medledger/v1/" ‖ kind ‖ 0x00 ‖ genesisHash ‖ body`. Every kind of signed thing has its own. */
export function signedPreimage(kind: string, genesisHash: Uint8Array, body: Uint8Array): Uint8Array {
  return concatBytes(domainPrefix(kind), genesisHash, body);
}
