import { compareBytes } from '../codec/bytes.ts';
import type { SignatureChecks } from './execution.ts';
import { RESTART_VERSION, type RestartDocument, type RestartSeat } from './restart.ts';
import { type EndedLedger, restartTermsFault } from './restart-check.ts';
import { restartState } from './restart-state.ts';
import { rootHash } from './state-map.ts';

/** What the members agree on among themselves before they sign; in any order. */
export interface RestartTerms {
  readonly validators: readonly RestartSeat[];
  /** Addresses of the organisations that are lost. */
  readonly suspended: readonly Uint8Array[];
  /** Milliseconds since the Unix epoch: now, or just after the last block where that is later. */
  readonly createdMs: number;
}

/** The document to sign, or in words why these terms make none. */
export type RestartProposal =
  | { readonly kind: 'proposed'; readonly document: RestartDocument }
  | { readonly kind: 'fault'; readonly fault: string };

/** The restart of a ledger from where it stands; `genesisFile` is the ledger's own genesis file. */
export function proposeRestart(
  ended: EndedLedger,
  genesisFile: Uint8Array,
  terms: RestartTerms,
  checks: Pick<SignatureChecks, 'signingKeyFault'>,
): RestartProposal {
  const { start, tip, state } = ended;
  const unrooted = {
    version: RESTART_VERSION,
    ledger: start.ledger,
    createdMs: Math.max(terms.createdMs, tip.timestampMs + 1),
    origin: { genesis: genesisFile, height: tip.height, blockHash: tip.hash, stateRoot: rootHash(state.map) },
    validators: [...terms.validators].sort((a, b) => compareBytes(a.publicKey, b.publicKey)),
    suspended: [...terms.suspended].sort(compareBytes),
  };
  const fault = restartTermsFault(unrooted, ended, checks);
  if (fault !== undefined) return { kind: 'fault', fault };
  return { kind: 'proposed', document: { ...unrooted, stateRoot: restartState(state, unrooted).stateRoot } };
}
