import assert from 'node:assert/strict';
import { decodeHeader, HEADER_VERSION } from '../ledger/block.ts';
import type { ParentBlock } from '../ledger/block-execution.ts';
import { genesisState } from '../ledger/genesis.ts';
import type { LedgerStart } from '../ledger/ledger-start.ts';
import { rootHash } from '../ledger/state-map.ts';
import type { Store } from '../storage/block-store.ts';
import { Chain } from './chain.ts';
import { deriveState } from './derived-state.ts';
import { OperatorError } from './operator-error.ts';
import type { SignatureCache } from './signature-cache.ts';

/**
 * Opens the chain that `store` holds, or begins it with the genesis. The state map is built anew from the stored values
 * and its root compared with the tip's header, or with what the ledger starts from, so that a damaged disk is found
 * here. Throws an OperatorError then. `newestVersion` is the newest protocol version known; that of this build outside
 * tests.
 */
export async function openChain(
  store: Store,
  start: LedgerStart,
  signatures: SignatureCache,
  newestVersion = HEADER_VERSION,
): Promise<Chain> {
  if (store.tip() === undefined) {
    if (start.restart !== undefined)
      throw new OperatorError(
        'The ledger of this folder was restarted and has no state here yet: start the node once.',
      );
    const { changes } = genesisState(start.founding);
    await store.commitGenesis(changes.map(({ key, value }) => ({ key, value: value ?? new Uint8Array(0) })));
  }
  const { parent, stateRoot } = await standing(store, start);
  const state = await deriveState(store.allState(), stateRoot);
  if (state === undefined)
    throw new OperatorError(
      `The stored state is not the one that block ${parent.height} commits to: the disk lost or changed data. ` +
        'Move the folder "ledger" away and start again; the node fetches the chain from the other hospitals.',
    );
  const at = { state, parent, transactionsCommitted: store.transactionsCommitted() };
  return new Chain(store, start, signatures, at, newestVersion);
}

/** The tip of a store, and the root of the state that belongs to it. */
async function standing(
  store: Store,
  start: LedgerStart,
): Promise<{ readonly parent: ParentBlock; readonly stateRoot: Uint8Array }> {
  const tip = store.tip();
  assert(tip !== undefined, 'the store has a tip once genesis is committed');
  if (tip.height === start.parent.height) {
    const stateRoot = start.restart?.stateRoot ?? rootHash(genesisState(start.founding).map);
    return { parent: start.parent, stateRoot };
  }
  const header = await store.header(tip.height);
  assert(header !== undefined, 'the store has the header of its tip');
  const { timestampMs, stateRoot } = decodeHeader(header);
  return { parent: { ...tip, timestampMs }, stateRoot };
}
