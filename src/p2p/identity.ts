import { generateKeyPairFromSeed, publicKeyFromRaw } from '@libp2p/crypto/keys';
import type { Ed25519PrivateKey, PeerId } from '@libp2p/interface';
import { peerIdFromPublicKey } from '@libp2p/peer-id';

const PUBLIC_KEY_BYTES = 32;

/** The libp2p key of a node: its validator or observer key, from the 32-byte Ed25519 seed. */
export function privateKeyOf(seed: Uint8Array): Promise<Ed25519PrivateKey> {
  return generateKeyPairFromSeed('Ed25519', seed);
}

/** The PeerId that belongs to a 32-byte Ed25519 public key. Throws a RangeError on any other length. */
export function peerIdOf(publicKey: Uint8Array): PeerId {
  // Raw keys of other lengths would be read as keys of other kinds.
  if (publicKey.length !== PUBLIC_KEY_BYTES)
    throw new RangeError(`an Ed25519 public key has ${PUBLIC_KEY_BYTES} bytes, not ${publicKey.length}`);
  return peerIdFromPublicKey(publicKeyFromRaw(publicKey));
}

/** The Ed25519 public key within a PeerId, 32 bytes; undefined for keys of other kinds, which no member has. */
export function publicKeyOf(peerId: PeerId): Uint8Array | undefined {
  return peerId.type === 'Ed25519' ? peerId.publicKey.raw : undefined;
}
