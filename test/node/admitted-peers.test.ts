import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { toHex } from '../../src/codec/bytes.ts';
import type { Tenure } from '../../src/ledger/state.ts';
import { admittedPeers } from '../../src/node/admitted-peers.ts';
import { ADDRESSES_MAX } from '../../src/p2p/gate.ts';

const key = (n: number) => new Uint8Array(32).fill(n);
const organisation = key(99);

/** A chain whose members are these keys, each with what it published. */
function chainOf(published: Readonly<Record<number, readonly string[]>>) {
  const keys = Object.keys(published).map(Number);
  return {
    // The current and the scheduled set, one after the other: most keys stand in both.
    members: [...keys, ...keys].map((n) => ({ publicKey: key(n), organisation })),
    tenure: (publicKey: Uint8Array): Tenure | undefined => {
      const addresses = published[publicKey[0]!];
      return addresses && { organisation, seat: publicKey, addresses, fromHeight: 1, untilHeight: null };
    },
  };
}

function named(peers: ReturnType<typeof admittedPeers>) {
  return peers.map(({ publicKey, addresses, role }) => [publicKey[0], role, addresses]);
}

test('members are admitted once each, and who is listed besides as observer', () => {
  const listed = [
    { publicKey: key(2), addresses: ['/ip4/192.0.2.2/tcp/1'] },
    { publicKey: key(7), addresses: ['/ip4/192.0.2.7/tcp/1'] },
  ];
  assert.equal(named(admittedPeers(chainOf({ 1: [], 2: [] }), listed)), [
    [1, 'member', []],
    [2, 'member', ['/ip4/192.0.2.2/tcp/1']],
    [7, 'observer', ['/ip4/192.0.2.7/tcp/1']],
  ]);
});

test('addresses of the operator come before those published, each once', () => {
  const listed = [{ publicKey: key(1), addresses: ['/a', '/b'] }];
  assert.equal(named(admittedPeers(chainOf({ 1: ['/b', '/c'] }), listed)), [[1, 'member', ['/a', '/b', '/c']]]);
  const many = Array.from({ length: ADDRESSES_MAX }, (_, i) => `/many/${i}`);
  const [peer] = admittedPeers(chainOf({ 1: ['/published'] }), [{ publicKey: key(1), addresses: many }]);
  assert.equal(peer?.addresses, many, 'within what the gate takes');
  const [observer] = admittedPeers(chainOf({}), [{ publicKey: key(3), addresses: [...many, '/one-more'] }]);
  assert.is(observer?.addresses.length, ADDRESSES_MAX);
  assert.is(toHex(observer!.publicKey), toHex(key(3)));
});

test.run();
