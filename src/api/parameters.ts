import { parseAddress } from '../crypto/address.ts';
import { ProblemError } from './problem-response.ts';

/** The address in a parameter that has passed its schema; what is left to check is the checksum. */
export function parseAddressParameter(name: string, text: string): Uint8Array {
  try {
    return parseAddress(text);
  } catch {
    throw new ProblemError('badParameter', `${name} is a mistyped address: its checksum does not match.`);
  }
}
