// What a node does by the parameters of each height, and where it stops because it does not know the rules.
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parametersSet } from '../../src/client/build-transaction.ts';
import { toHex } from '../../src/codec/bytes.ts';
import { encodeHeader } from '../../src/ledger/block.ts';
import { encodeGenesis } from '../../src/ledger/genesis.ts';
import { readLedgerStart } from '../../src/ledger/ledger-start.ts';
import { DEFAULT_PARAMETERS, type Parameters } from '../../src/ledger/parameters.ts';
import type { DecodedTransaction } from '../../src/ledger/transaction.ts';
import type { Chain } from '../../src/node/chain.ts';
import { openChain } from '../../src/node/open-chain.ts';
import { OperatorError } from '../../src/node/operator-error.ts';
import { VersionWatch } from '../../src/node/protocol-version.ts';
import { SignatureCache } from '../../src/node/signature-cache.ts';
import { openStore } from '../../src/storage/block-store.ts';
import { genesisDocument, hospitals, regulator, SampleLedger } from '../ledger/sample-ledger.ts';

const ledger = new SampleLedger();

/** Chains on one folder, one after the other; `newestVersion` is what the build of each knows. */
function makeFolder() {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'medledger-version-'));
  return {
    async with<T>(newestVersion: number | undefined, act: (chain: Chain) => Promise<T>): Promise<T> {
      const store = await openStore(folder, { genesisHash: ledger.genesisHash });
      try {
        return await act(
          await openChain(
            store,
            readLedgerStart(encodeGenesis(genesisDocument())),
            new SignatureCache(),
            newestVersion,
          ),
        );
      } finally {
        await store.close();
      }
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function change(values: Partial<Parameters>) {
  return ledger.transaction(parametersSet(DEFAULT_PARAMETERS, values), [...hospitals.slice(0, 3), regulator]);
}

/** Builds the next block, has it judged like that of another, and commits it; returns its version. */
async function advance(chain: Chain, candidates: readonly DecodedTransaction[] = []): Promise<number> {
  const [proposer] = chain.heightContext().eligible;
  const { block, refused } = chain.build(candidates, proposer!, chain.tip.timestampMs + 1_000);
  assert.equal(refused, []);
  assert.is(chain.check(block.encodedHeader, block.transactions, { kind: 'catchUp' }).kind, 'valid');
  const { height } = block.header;
  const certificate = { height, view: 0, blockHash: block.hash, signatures: [] };
  await chain.commit([{ block, certificate, attachments: [] }]);
  return block.header.version;
}

test('consensus times each height by the parameters in force there', async () => {
  const folder = makeFolder();
  try {
    await folder.with(undefined, async (chain) => {
      const usual = { version: 1, baseTimeoutMs: 1_000, timeoutMaxMs: 16_000, heartbeatMs: 30_000 };
      const values = { viewTimeoutMs: 2_000, viewTimeoutMaxMs: 8_000, heartbeatMs: 700 };
      assert.equal(chain.heightContext().parameters, usual);
      await advance(chain, [change(values)]);
      assert.equal(chain.heightContext().parameters, usual);
      assert.is(chain.parameters.viewTimeoutMs, 1_000);
      await advance(chain);
      assert.equal(chain.heightContext().parameters, {
        version: 1,
        baseTimeoutMs: 2_000,
        timeoutMaxMs: 8_000,
        heartbeatMs: 700,
      });
      assert.is(chain.parameters.viewTimeoutMs, 2_000);
    });
  } finally {
    folder.remove();
  }
});

test('a node goes on up to the height of a version that it does not know, and stops there, also when it starts again', async () => {
  const [old, young] = [makeFolder(), makeFolder()];
  try {
    const upTo3 = async (chain: Chain) => {
      await advance(chain, [change({ protocolVersion: 2, protocolVersionFrom: 4 })]);
      await advance(chain);
      assert.is(await advance(chain), 1);
      return toHex(chain.stateRoot);
    };
    const stops = (chain: Chain) => {
      assert.is(chain.updateBefore, 4);
      assert.throws(
        () => chain.heightContext(),
        (error: Error) =>
          error instanceof OperatorError && /Block 4 is of protocol version 2.*knows 1: update/.test(error.message),
      );
      assert.throws(() => chain.build([], 0, chain.tip.timestampMs + 1_000), /protocol version 2/);
    };
    const root = await old.with(undefined, async (chain) => {
      assert.is(chain.updateBefore, null);
      const after = await upTo3(chain);
      stops(chain);
      return after;
    });
    await old.with(undefined, async (chain) => stops(chain));
    assert.is(await young.with(2, upTo3), root);
    // Once updated it goes on from where it stopped, as those that were updated before.
    const next = async (chain: Chain) => {
      assert.is(chain.updateBefore, null);
      assert.is(await advance(chain), 2);
      return toHex(chain.tip.hash);
    };
    assert.is(await old.with(2, next), await young.with(2, next));
  } finally {
    old.remove();
    young.remove();
  }
});

test('a header of another version than the one in force is refused before its bodies are asked for', async () => {
  const folder = makeFolder();
  try {
    await folder.with(2, async (chain) => {
      const [proposer] = chain.heightContext().eligible;
      const { block } = chain.build([], proposer!, chain.tip.timestampMs + 1_000);
      const faultOf = (header: Uint8Array) => chain.headerFault(header, [], { kind: 'reproposed' })?.code;
      assert.is(faultOf(block.encodedHeader), undefined);
      assert.is(faultOf(encodeHeader({ ...block.header, version: 2 })), 'version');
    });
  } finally {
    folder.remove();
  }
});

test('of a version ahead it warns at once and each hundred blocks, and again when the height is another', () => {
  const warned: unknown[] = [];
  let before: number | null = null;
  const log = { error: (fields: unknown) => warned.push(fields) } as unknown as ConstructorParameters<
    typeof VersionWatch
  >[0];
  const watch = new VersionWatch(log, () => before);
  watch.tipIs(1);
  before = 500;
  for (let height = 2; height <= 150; height += 1) watch.tipIs(height);
  before = 600;
  watch.tipIs(151);
  before = null;
  watch.tipIs(152);
  assert.equal(warned, [
    { height: 2, updateBefore: 500 },
    { height: 102, updateBefore: 500 },
    { height: 151, updateBefore: 600 },
  ]);
});

test.run();
