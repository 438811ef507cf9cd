import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compareBytes, equalBytes, uintBytes } from '../../src/codec/bytes.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { type ChunkEntry, type EncodedChunk, makeStateChunks } from '../../src/ledger/state-chunk.ts';
import { emptyMap, mapPath, rootHash, updateMap } from '../../src/ledger/state-map.ts';
import { fetchInPieces, pieceOf } from '../../src/node/block-pieces.ts';
import { HistorySource, NotAvailableError } from '../../src/node/history-source.ts';
import { fetchState } from '../../src/node/state-fetch.ts';

const HEIGHT = 48;
const entries: ChunkEntry[] = Array.from({ length: 500 }, (_, number) => {
  const key = uintBytes(number, 4);
  return { path: mapPath(key), key, value: sha256(key) };
}).sort((a, b) => compareBytes(a.path, b.path));
const map = updateMap(
  emptyMap,
  entries.map(({ path, value }) => ({ path, valueHash: sha256(value) })),
);
const root = rootHash(map);
const chunked = (bytesMax: number) => [
  ...makeStateChunks(map, { from: new Uint8Array(32), depth: 0 }, entries, bytesMax),
];
const usual = chunked(2_000);
/** The same state in the smallest chunks there can be. */
const tiny = chunked(1);

type Peer = (path: Uint8Array) => Promise<readonly Uint8Array[]>;

function chunkAt(chunks: readonly EncodedChunk[], path: Uint8Array): Uint8Array {
  return chunks.findLast(({ from }) => compareBytes(from, path) <= 0)!.encoded;
}
const serving =
  (chunks: readonly EncodedChunk[]): Peer =>
  async (path) => [chunkAt(chunks, path)];

interface Fetched {
  readonly keys: number;
  readonly puts: number;
  readonly blamed: readonly number[];
  readonly asked: readonly number[];
}

async function fetchFrom(peers: readonly Peer[]): Promise<Fetched> {
  const keys = new Set<string>();
  const blamed: number[] = [];
  const asked = peers.map(() => 0);
  let puts = 0;
  const names = peers.map((_, number) => Uint8Array.of(number));
  const requests = {
    connectedPeers: () => names,
    async requestHistory(peer: Uint8Array, request: { kind: string; path?: Uint8Array; height?: number }) {
      assert.equal([request.kind, request.height], ['chunk', HEIGHT]);
      asked[peer[0]!]! += 1;
      return peers[peer[0]!]!(request.path!);
    },
  };
  const source = new HistorySource(requests, ([peer]) => blamed.push(peer!), new AbortController().signal);
  await fetchState({
    root,
    height: HEIGHT,
    peers: names,
    source,
    async put(chunk) {
      puts += 1;
      for (const { key, value } of chunk.entries) {
        assert.ok(equalBytes(value, sha256(key)));
        keys.add(key.join());
      }
    },
  });
  return { keys: keys.size, puts, blamed, asked };
}

test('a state comes whole from several peers, each serving a part', async () => {
  const { keys, blamed, asked } = await fetchFrom([serving(usual), serving(usual), serving(usual)]);
  assert.is(keys, 500);
  assert.equal(blamed, []);
  for (const count of asked) assert.ok(count > 2, asked.join());
});

test('one peer is enough', async () => {
  const { keys, asked } = await fetchFrom([serving(usual)]);
  assert.is(keys, 500);
  assert.ok(asked[0]! <= usual.length + 32);
});

test('who serves a wrong chunk is blamed, and others fill its place', async () => {
  const liar: Peer = async (path) => {
    const encoded = chunkAt(usual, path).slice();
    encoded[encoded.length - 1]! ^= 1;
    return [encoded];
  };
  const elsewhere: Peer = async (path) => [
    usual.find(({ from }) => compareBytes(from, path) > 0)?.encoded ?? usual[0]!.encoded,
  ];
  const { keys, blamed } = await fetchFrom([liar, serving(usual), elsewhere]);
  assert.is(keys, 500);
  assert.equal([...new Set(blamed)].sort(), [0, 2]);
});

test('peers that have nothing, fail, or never answer hold nobody up', async () => {
  const silent: Peer = () => new Promise(() => undefined);
  const failing: Peer = () => Promise.reject(new Error('busy'));
  const { keys, blamed } = await fetchFrom([silent, async () => [], failing, serving(usual)]);
  assert.is(keys, 500);
  assert.equal(blamed, []);
});

test('peers may cut the state differently: a stingy one only wastes its own turns', async () => {
  const { keys, puts } = await fetchFrom([serving(tiny), serving(usual)]);
  assert.is(keys, 500);
  assert.ok(puts < tiny.length, `${puts} chunks of ${tiny.length}`);
});

test('without anybody who holds the snapshot the fetch ends', async () => {
  const refused = await fetchFrom([async () => [], async () => []]).catch((error: unknown) => error);
  assert.instance(refused, NotAvailableError);
});

test('a block comes in pieces of any size, and nothing but whole', async () => {
  const frame = Uint8Array.from({ length: 10_000 }, (_, at) => at % 251);
  for (const size of [1_000, 3_333, 9_999, 10_000, 20_000])
    assert.equal(await fetchInPieces(async (offset) => pieceOf(frame, offset, size)), frame, `pieces of ${size}`);
  const other = frame.subarray(0, 9_000);
  const lies: readonly ((offset: number) => readonly Uint8Array[])[] = [
    () => [],
    (offset) => (offset === 0 ? pieceOf(frame, 0, 4_000) : []),
    (offset) => pieceOf(offset === 0 ? frame : other, offset, 4_000),
    () => [uintBytes(100, 8), new Uint8Array(101)],
    () => [uintBytes(100, 8), new Uint8Array(0)],
    () => [uintBytes(2 ** 50, 8), new Uint8Array(1_000)],
    () => [new Uint8Array(3), frame],
    () => [...pieceOf(frame, 0, 4_000), frame],
  ];
  for (const [number, lie] of lies.entries())
    assert.is(await fetchInPieces(async (offset) => lie(offset)), undefined, `lie ${number}`);
});

test.run();
