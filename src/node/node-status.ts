import { equalBytes } from '../codec/bytes.ts';
import { describeCore } from '../consensus/describe.ts';
import type { Core } from '../consensus/state.ts';
import { accountAddress } from '../ledger/account.ts';
import type { LedgerStart } from '../ledger/ledger-start.ts';
import { validatorIndex } from '../ledger/validator-set.ts';
import type { Chain } from './chain.ts';
import type { ConsensusInlet } from './consensus-inlet.ts';
import type { Mempool } from './mempool.ts';
import type { NodeStatus, PeerStatus } from './ports.ts';

/** Where a status is read from. */
export interface StatusSources {
  readonly version: string;
  readonly start: LedgerStart;
  readonly chain: Chain;
  readonly core: Core;
  readonly mempool: Mempool;
  readonly inlet: ConsensusInlet;
  readonly publicKey: Uint8Array;
  /** The organisation whose keys the node has. */
  readonly organisation: Uint8Array | undefined;
  readonly upSinceMs: number;
  readonly connectedPeers: () => readonly Uint8Array[];
  readonly indexedHeight: () => number;
  readonly historyFrom: () => number;
}

/** Where the node stands, for operators and clients; nothing of it is about any person. */
export function nodeStatus(sources: StatusSources): NodeStatus {
  const { start, chain, core, mempool, publicKey } = sources;
  const { validators } = chain.validators;
  const own = validatorIndex(chain.validators, publicKey) ?? null;
  const home = homeOf(sources, own === null ? undefined : validators[own]!.organisation);
  return {
    version: sources.version,
    ledger: start.ledger,
    genesisHash: chain.genesisHash,
    organisation: { name: chain.organisationName(home) ?? '', address: home },
    validator: own,
    validators: validators.length,
    height: chain.tip.height,
    tipHash: chain.tip.hash,
    stateRoot: chain.stateRoot,
    timestampMs: chain.tip.timestampMs,
    view: describeCore(core).view,
    peers: peerStatuses(sources, own),
    transactionsCommitted: chain.transactionsCommitted,
    transactionsPending: mempool.size,
    indexedHeight: sources.indexedHeight(),
    historyFrom: sources.historyFrom(),
    upSinceMs: sources.upSinceMs,
    updateBefore: chain.updateBefore,
  };
}

/** What keeps the node from being of use, in words; empty when it is ready. */
export function readinessFaults(sources: StatusSources, isCatchingUp: boolean, isDraining: boolean): string[] {
  const faults: string[] = [];
  if (isDraining) faults.push('the node is shutting down');
  if (isCatchingUp) faults.push('the node is fetching blocks that it missed');
  const { quorum, own, height, silentThrough } = describeCore(sources.core);
  // Not `maySign`: that is false as well while each decided block is being written.
  if (own !== null && (silentThrough === null || height <= silentThrough))
    faults.push('the node lost its journal and signs nothing until the others have moved on');
  const validators = sources.chain.validators.validators.length;
  const reachable = validators - missingValidators(sources);
  if (reachable < quorum) faults.push(`${reachable} of the ${quorum} validators that agreement needs are connected`);
  return faults;
}

/** Validators of the next height, other than this node, that are not connected. */
export function missingValidators({ chain, publicKey, connectedPeers }: StatusSources): number {
  const connected = connectedPeers();
  return chain.validators.validators.filter(
    (validator) =>
      !equalBytes(validator.publicKey, publicKey) && !connected.some((peer) => equalBytes(peer, validator.publicKey)),
  ).length;
}

function peerStatuses(sources: StatusSources, own: number | null): PeerStatus[] {
  const connected = sources.connectedPeers();
  return sources.chain.validators.validators.flatMap(({ publicKey, organisation }, validator) => {
    if (validator === own) return [];
    const position = sources.inlet.position(publicKey);
    return [
      {
        validator,
        name: sources.chain.organisationName(organisation) ?? '',
        connected: connected.some((peer) => equalBytes(peer, publicKey)),
        height: position?.height ?? 0,
        view: position?.view ?? 0,
      },
    ];
  });
}

/** Who runs this node: whose keys it has, else whose seat; one without either stands for the first of the ledger. */
function homeOf({ start, organisation }: StatusSources, seat: Uint8Array | undefined): Uint8Array {
  return organisation ?? seat ?? accountAddress(start.founding.organisations[0]!.keyDocument);
}
