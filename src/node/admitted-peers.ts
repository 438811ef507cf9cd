import { toHex } from '../codec/bytes.ts';
import type { ExecutedBlock } from '../ledger/block-execution.ts';
import { FAMILIES } from '../ledger/state.ts';
import { ADDRESSES_MAX, type AdmittedPeer } from '../p2p/gate.ts';
import type { Chain } from './chain.ts';

/** A peer that the operator lists in the configuration. */
interface ListedPeer {
  readonly publicKey: Uint8Array;
  readonly addresses: readonly string[];
}

/**
 * Whom the gate admits (network.md): the current and the scheduled validators as members, and whoever else the operator
 * lists as observers, so that one who joins or slept through changes can catch up. The operator's addresses of a peer
 * come before those that it published.
 */
export function admittedPeers(chain: Pick<Chain, 'members' | 'tenure'>, listed: readonly ListedPeer[]): AdmittedPeer[] {
  const listedBy = new Map(listed.map((peer) => [toHex(peer.publicKey), peer]));
  const admitted = new Map<string, AdmittedPeer>();
  for (const { publicKey } of chain.members) {
    const name = toHex(publicKey);
    const addresses = new Set([
      ...(listedBy.get(name)?.addresses ?? []),
      ...(chain.tenure(publicKey)?.addresses ?? []),
    ]);
    admitted.set(name, { publicKey, addresses: [...addresses].slice(0, ADDRESSES_MAX), role: 'member' });
  }
  for (const [name, { publicKey, addresses }] of listedBy)
    if (!admitted.has(name))
      admitted.set(name, { publicKey, addresses: addresses.slice(0, ADDRESSES_MAX), role: 'observer' });
  return [...admitted.values()];
}

/** True for a block after which the current or the scheduled validators are others. */
export function changesValidators({ changes }: ExecutedBlock): boolean {
  return changes.some(({ key }) => key[0] === FAMILIES.validators.code);
}
