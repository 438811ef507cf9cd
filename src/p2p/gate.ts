import type { ConnectionGater, MultiaddrConnection, PeerId } from '@libp2p/interface';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { toHex } from '../codec/bytes.ts';
import type { Conduct } from './conduct.ts';
import type { Counters } from './counters.ts';
import { peerIdOf, publicKeyOf } from './identity.ts';

/** Most peers admitted at a time: the current and the scheduled validators, and those that the operator lists. */
export const PEERS_MAX = 256;
/** Most addresses of one peer. */
export const ADDRESSES_MAX = 16;

/** Who may connect, and how to reach it. */
export interface AdmittedPeer {
  /** Ed25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Multiaddrs in order of preference; none for a peer that only dials us. */
  readonly addresses: readonly string[];
  /**
   * `member` (the default): a current or scheduled validator. `observer`: listed by the operator for catch-up; it
   * hears of blocks and may request, but is sent no consensus messages, and what it sends of them is dropped.
   */
  readonly role?: 'member' | 'observer';
}

/** An admitted peer under the names by which libp2p and our maps know it. */
export interface KnownPeer {
  readonly publicKey: Uint8Array;
  /** Hexadecimal public key: the key of maps, and the peer's name in logs. */
  readonly name: string;
  readonly peerId: PeerId;
  readonly addresses: readonly Multiaddr[];
  readonly isMember: boolean;
}

/**
 * Membership as libp2p asks for it (network.md): on dialling before the first packet, on accepting after the
 * encrypted handshake, since only that proves who the other side is.
 */
export class Gate {
  #peers: ReadonlyMap<string, KnownPeer> = new Map();
  /** Accepted connections of which nobody knows yet whose they are; libp2p bounds their number and time. */
  readonly #awaitingHandshake = new Set<MultiaddrConnection>();
  readonly #ownName: string;
  readonly #conduct: Conduct;
  readonly #counters: Counters;

  constructor(ownPublicKey: Uint8Array, conduct: Conduct, counters: Counters) {
    this.#ownName = toHex(ownPublicKey);
    this.#conduct = conduct;
    this.#counters = counters;
  }

  /**
   * Replaces the admitted peers; an entry for this node itself is left out. Returns the addresses that are no
   * multiaddrs: a member may publish what it likes. Throws a RangeError over the limits.
   */
  setPeers(peers: readonly AdmittedPeer[]): readonly string[] {
    if (peers.length > PEERS_MAX) throw new RangeError(`${peers.length} peers, at most ${PEERS_MAX} are allowed`);
    const known = new Map<string, KnownPeer>();
    const unusable: string[] = [];
    for (const { publicKey, addresses, role } of peers) {
      const name = toHex(publicKey);
      if (addresses.length > ADDRESSES_MAX)
        throw new RangeError(`peer ${name} has ${addresses.length} addresses, at most ${ADDRESSES_MAX} are allowed`);
      if (name === this.#ownName) continue;
      const peerId = peerIdOf(publicKey);
      const usable: Multiaddr[] = [];
      for (const address of addresses) {
        try {
          usable.push(multiaddr(`${address.replace(/\/p2p\/[^/]*$/, '')}/p2p/${peerId.toString()}`));
        } catch {
          unusable.push(address);
        }
      }
      known.set(name, { publicKey, name, peerId, addresses: usable, isMember: role !== 'observer' });
    }
    this.#peers = known;
    this.#conduct.retain(new Set(known.keys()));
    return unusable;
  }

  /** The admitted peers, without this node. */
  peers(): Iterable<KnownPeer> {
    return this.#peers.values();
  }

  /** The admitted peer with this public key. */
  peerOf(publicKey: Uint8Array): KnownPeer | undefined {
    return this.#peers.get(toHex(publicKey));
  }

  /** True for an admitted member, by its hexadecimal public key. */
  isMember(name: string): boolean {
    return this.#peers.get(name)?.isMember ?? false;
  }

  /** The admitted peer behind a PeerId. */
  peerBehind(peerId: PeerId): KnownPeer | undefined {
    const publicKey = publicKeyOf(peerId);
    return publicKey && this.peerOf(publicKey);
  }

  /** What libp2p asks before and after a connection is made. */
  gater(): ConnectionGater {
    return {
      denyDialPeer: (peerId) => !this.#admits(peerId),
      denyInboundConnection: (connection) => {
        this.#awaitHandshake(connection);
        return false;
      },
      denyInboundEncryptedConnection: (peerId, connection) => {
        this.#awaitingHandshake.delete(connection);
        return this.#refuses(peerId);
      },
      denyOutboundEncryptedConnection: (peerId) => this.#refuses(peerId),
    };
  }

  #awaitHandshake(connection: MultiaddrConnection): void {
    this.#awaitingHandshake.add(connection);
    connection.addEventListener('close', () => {
      if (this.#awaitingHandshake.delete(connection)) this.#counters.drop('failedHandshake');
    });
  }

  /** True when a peer may connect now. */
  #admits(peerId: PeerId): boolean {
    const peer = this.peerBehind(peerId);
    return peer !== undefined && !this.#conduct.isShunned(peer.name);
  }

  #refuses(peerId: PeerId): boolean {
    if (this.#admits(peerId)) return false;
    this.#counters.drop(this.peerBehind(peerId) === undefined ? 'stranger' : 'shunnedPeer');
    return true;
  }
}
