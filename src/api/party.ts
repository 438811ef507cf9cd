import { equalBytes } from '../codec/bytes.ts';
import { ProblemError } from './problem-response.ts';
import type { Caller } from './request-auth.ts';

/** Whom a record concerns. */
export interface Parties {
  readonly author: Uint8Array;
  readonly patient: Uint8Array;
  readonly organisation: Uint8Array;
}

/** Throws the problem `notPermitted` unless the caller is one of the parties. */
export function checkParty(caller: Caller, parties: Parties): void {
  const addresses = [parties.author, parties.patient, parties.organisation];
  if (!addresses.some((address) => equalBytes(address, caller.address))) throw new ProblemError('notPermitted');
}
