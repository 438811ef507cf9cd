import { sha256 } from '@noble/hashes/sha2.js';

export { sha256 };

/** SHA-256 as a text of 32 characters, one a byte. */
export function sha256Text(bytes: Uint8Array): string {
  return String.fromCharCode(...sha256(bytes));
}
