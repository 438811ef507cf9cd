import { importer } from 'ipfs-unixfs-importer';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { toHex, utf8 } from '../../src/codec/bytes.ts';
import { CID_BYTES, cidText, isBlockOf, payloadDag } from '../../src/crypto/payload-cid.ts';
import { PAYLOAD_CHUNK_BYTES, sealPayload } from '../../src/crypto/payload-cipher.ts';

const blockstore = { put: async <T>(cid: T): Promise<T> => cid };

/** The CID that IPFS tools give to the bytes. */
async function importedCid(bytes: Uint8Array): Promise<string> {
  for await (const entry of importer([{ content: bytes }], blockstore, { profile: 'unixfs-v1-2025' }))
    return entry.cid.toString();
  throw new Error('nothing imported');
}

async function sealed(length: number): Promise<readonly Uint8Array[]> {
  const of = { recordId: new Uint8Array(16), version: 1 };
  return (await sealPayload(new Uint8Array(length).fill(5), new Uint8Array(32).fill(1), of)).chunks;
}

test('a single chunk has the raw CID that the importer gives', async () => {
  const { cid, blocks } = await payloadDag([utf8('hello world')]);
  // Base32 of 01 55 12 20 and the SHA-256 of these eleven bytes, made with another program.
  assert.is(cidText(cid), 'bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e');
  assert.is(cid.length, CID_BYTES);
  assert.is(toHex(cid.subarray(0, 4)), '01551220');
  assert.is(blocks.length, 1);
  for (const length of [1, 300, PAYLOAD_CHUNK_BYTES]) {
    const chunk = new Uint8Array(length).fill(7);
    assert.is(cidText((await payloadDag([chunk])).cid), await importedCid(chunk), `${length} bytes`);
  }
});

test('several chunks have the CID of their concatenation, and every block is its own', async () => {
  const chunks = await sealed(2_500_000);
  assert.is(chunks.length, 3);
  const dag = await payloadDag(chunks);
  assert.is(cidText(dag.cid), await importedCid(Buffer.concat(chunks)));
  assert.ok(dag.blocks.every(({ cid, bytes }) => isBlockOf(cid, bytes)));
  assert.equal(dag.blocks.at(-1)!.cid, dag.cid, 'the root is the last');
  const leaves = new Map(dag.blocks.map(({ bytes }) => [toHex(bytes.subarray(0, 64)), bytes.length]));
  for (const chunk of chunks) assert.is(leaves.get(toHex(chunk.subarray(0, 64))), chunk.length);
  assert.is(dag.blocks.length, chunks.length + 1);
});

test('other bytes, codecs, hashes and lengths are not the block', async () => {
  const bytes = utf8('a block');
  const { cid } = await payloadDag([bytes]);
  assert.ok(isBlockOf(cid, bytes));
  assert.not(isBlockOf(cid, utf8('another')));
  assert.not(isBlockOf(cid.subarray(0, -1), bytes));
  assert.not(isBlockOf(new Uint8Array(0), bytes));
  for (const at of [0, 2, 3, 35])
    assert.not(
      isBlockOf(
        cid.map((byte, i) => (i === at ? byte ^ 1 : byte)),
        bytes,
      ),
    );
  assert.not(isBlockOf(Uint8Array.of(1, 0x71, ...cid.subarray(2)), bytes), 'dag-cbor');
});

test('chunks of other sizes are refused', async () => {
  for (const chunks of [[], [new Uint8Array(0)], [new Uint8Array(5), new Uint8Array(5)]]) {
    try {
      await payloadDag(chunks);
      assert.unreachable();
    } catch (error) {
      assert.instance(error, RangeError);
    }
  }
});

test.run();
