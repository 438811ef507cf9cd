import { toHex } from '../codec/bytes.ts';
import type { Validator } from '../ledger/validator-set.ts';
import { ADDRESSES_MAX, type AdmittedPeer } from '../p2p/gate.ts';

/** A peer that the operator lists in the configuration. */
export interface ListedPeer {
  readonly publicKey: Uint8Array;
  readonly addresses: readonly string[];
}

/**
 * Whom the gate admits (network.md): the current and the scheduled validators as members, and whoever else the operator
 * lists as observers, so that one who joins or slept through changes can catch up. The operator's addresses of a peer
 * come before those that it published.
 */
export function admittedPeers(
  members: readonly Validator[],
  published: (publicKey: Uint8Array) => readonly string[],
  listed: readonly ListedPeer[],
): readonly AdmittedPeer[] {
  const listedBy = new Map(listed.map((peer) => [toHex(peer.publicKey), peer]));
  const admitted = new Map<string, AdmittedPeer>();
  for (const { publicKey } of members) {
    const name = toHex(publicKey);
    const addresses = new Set([...(listedBy.get(name)?.addresses ?? []), ...published(publicKey)]);
    admitted.set(name, { publicKey, addresses: [...addresses].slice(0, ADDRESSES_MAX), role: 'member' });
  }
  for (const [name, { publicKey, addresses }] of listedBy)
    if (!admitted.has(name))
      admitted.set(name, { publicKey, addresses: addresses.slice(0, ADDRESSES_MAX), role: 'observer' });
  return [...admitted.values()];
}
