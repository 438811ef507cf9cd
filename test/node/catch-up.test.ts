// What moves a node that is behind, and what does not. Members are functions here; blocks are never reached.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { toHex } from '../../src/codec/bytes.ts';
import { encode } from '../../src/codec/cbor.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { merkleRoot } from '../../src/crypto/merkle.ts';
import { sodiumSigner } from '../../src/crypto/node/sign.ts';
import { blockHash, decodeHeader, encodeHeader, HEADER_VERSION, type Header } from '../../src/ledger/block.ts';
import type { ExecutedBlock, ExecutionParts, LedgerState, ParentBlock } from '../../src/ledger/block-execution.ts';
import { type Certificate, certificateSchema } from '../../src/ledger/certificate.ts';
import { MemoryState } from '../../src/ledger/memory-state.ts';
import { DEFAULT_PARAMETERS } from '../../src/ledger/parameters.ts';
import {
  CURRENT_VALIDATORS_KEY,
  FAMILIES,
  type Family,
  SCHEDULED_VALIDATORS_KEY,
  SINGLE_KEY,
  type StateChange,
  stateKey,
} from '../../src/ledger/state.ts';
import { emptyMap } from '../../src/ledger/state-map.ts';
import { makeValidatorSet } from '../../src/ledger/validator-set.ts';
import { votePreimage } from '../../src/ledger/vote.ts';
import { encodeBlockFrame } from '../../src/node/block-frame.ts';
import { CatchUp, type CatchUpDependencies } from '../../src/node/catch-up.ts';
import { Head } from '../../src/node/head.ts';
import type { HeldBlock } from '../../src/node/held-blocks.ts';
import { encodeHeaderFrame } from '../../src/node/linked-header.ts';
import type { HistoryRequest } from '../../src/p2p/protocols.ts';

const GENESIS = sha256(Uint8Array.of(3));
const keysFrom = (first: number) => [0, 1, 2, 3].map((number) => sodiumSigner(sha256(Uint8Array.of(first + number))));
const setOf = (keys: ReturnType<typeof keysFrom>) =>
  makeValidatorSet(keys.map(({ publicKey }) => ({ publicKey, organisation: new Uint8Array(32) })));
const keys = keysFrom(0);
const set = setOf(keys);
const strangers = keysFrom(4);

/** Header and certificate of a block without transactions, by the validators in force, or by strangers who may pose as them. */
function tipAt(
  height: number,
  by: 'validators' | 'strangers' | 'impostors' = 'validators',
  change: Partial<Header> = {},
) {
  const signers = by === 'validators' ? keys : strangers;
  const validatorsHash = by === 'strangers' ? setOf(strangers).hash : set.hash;
  const header = encodeHeader({
    version: HEADER_VERSION,
    genesisHash: GENESIS,
    height,
    previousHash: GENESIS,
    timestampMs: height,
    proposer: 0,
    txRoot: merkleRoot([]),
    indexRoot: GENESIS,
    stateRoot: GENESIS,
    validatorsHash,
    nextValidatorsHash: validatorsHash,
    txCount: 0,
    bodyBytes: 0,
    executionCost: 0,
    ...change,
  });
  const vote = { height, view: 0, blockHash: blockHash(header) };
  const signatures = setOf(signers)
    .validators.slice(0, 3)
    .map(({ publicKey }, signer) => {
      const key = signers.find((candidate) => toHex(candidate.publicKey) === toHex(publicKey))!;
      return { signer, signature: key.sign(votePreimage('COMMIT', GENESIS, vote)) };
    });
  const certificate: Certificate = { ...vote, signatures };
  const encoded = encode(certificateSchema, certificate);
  const block = encodeBlockFrame({ header, certificate: encoded, transactions: [] });
  const executed = {
    header: decodeHeader(header),
    hash: vote.blockHash,
    changes: [],
    map: emptyMap,
  } as unknown as ExecutedBlock;
  return { certificate, hash: vote.blockHash, frame: encodeHeaderFrame(header, encoded), block, executed };
}

/** A ledger at some height of which the state is that of a genesis. */
class FakeChain extends Head {
  readonly startHeight = 0;
  override tip: ParentBlock;
  readonly #state = new MemoryState();

  constructor(height: number) {
    super({ genesisHash: GENESIS } as ExecutionParts);
    this.tip = { height, hash: GENESIS, timestampMs: 0 };
    this.#state.apply([
      change(FAMILIES.validators, CURRENT_VALIDATORS_KEY, set.validators),
      change(FAMILIES.validators, SCHEDULED_VALIDATORS_KEY, set.validators),
      change(FAMILIES.parameters, SINGLE_KEY, { ...DEFAULT_PARAMETERS, snapshotInterval: 16 }),
    ]);
  }

  override get state(): LedgerState {
    return { reader: this.#state, map: emptyMap };
  }
}

function change<T>(family: Family<T>, key: Uint8Array, value: T): StateChange {
  return { key: stateKey(family, key), value: encode(family.schema, value) };
}

/** A catch-up of a node at `ownHeight`, with what it did; `tips`: what each peer, by number, answers to `tip`. */
function harness(ownHeight: number, change: Partial<CatchUpDependencies> = {}) {
  const seen = { bad: [] as string[], shown: [] as number[], joins: [] as number[], asked: [] as number[] };
  const committed: number[] = [];
  /** What consensus holds and has executed: nothing is executed here. */
  const executed = new Map<string, HeldBlock>();
  /** What every peer serves, by the height that is asked for. */
  const blocks = new Map<number, Uint8Array>();
  const tips = new Map<number, readonly Uint8Array[]>();
  const joined = Promise.withResolvers<void>();
  const chain = new FakeChain(ownHeight);
  const catchUp = new CatchUp({
    chain: chain as Head as CatchUpDependencies['chain'],
    mempool: {} as CatchUpDependencies['mempool'],
    intake: { verifyAhead: async () => undefined } as unknown as CatchUpDependencies['intake'],
    requests: {
      connectedPeers: () => [...tips.keys()].map((name) => Uint8Array.of(name)),
      requestBodies: async () => [],
      requestAttachments: async () => [],
      async requestBlocks(peer, { fromHeight }) {
        seen.asked.push(peer[0]!);
        return [blocks.get(fromHeight)].filter((block) => block !== undefined);
      },
      requestHistory: async ([name], request: HistoryRequest) =>
        request.kind === 'tip' ? (tips.get(name!) ?? []) : [],
    },
    held: { get: (hash) => executed.get(toHex(hash)) },
    async commit(height, decide) {
      committed.push(...decide().map(({ block }) => block.header.height));
      chain.tip = { ...chain.tip, height };
    },
    onApplied: () => undefined,
    onTipShown: (_, at) => seen.shown.push(at),
    join: {
      async attempt(least) {
        seen.joins.push(least);
        joined.resolve();
        return 'unavailable';
      },
    },
    snapshotDistance: () => 100,
    anchor: undefined,
    wasAwayLong: false,
    onBadPeer: ([name], reason) => seen.bad.push(`${name} ${reason}`),
    onFatal: (error) => assert.unreachable(String(error)),
    ...change,
  });
  /** Everything here is answered at once: after a few turns of the loop all has been looked at. */
  const settled = async () => {
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  };
  /** A block that every peer serves, and that consensus has executed. */
  const serve = (height: number, { block, executed: held }: ReturnType<typeof tipAt>) => {
    blocks.set(height, block);
    executed.set(toHex(held.hash), { executed: held, attachments: [GENESIS] } as unknown as HeldBlock);
  };
  return { catchUp, ...seen, committed, blocks, serve, tips, joined: joined.promise, settled };
}

const ONE = Uint8Array.of(1);

test('a height that is only claimed makes nobody behind, however high', async () => {
  const { catchUp, asked, settled } = harness(50);
  catchUp.hint(2 ** 50, ONE);
  assert.not(catchUp.isBehind);
  await settled();
  assert.not(catchUp.isBehind);
  assert.equal([...new Set(asked)], [1], 'the claim says whom to ask');
  await catchUp.close();
});

test('a certificate of the validators in force moves the target, one of others does not', async () => {
  const { catchUp } = harness(50);
  catchUp.hint(300, ONE, tipAt(300, 'strangers').certificate);
  assert.not(catchUp.isBehind);
  catchUp.hint(60, ONE, tipAt(60).certificate);
  assert.not(catchUp.isBehind, 'a few blocks are on their way');
  catchUp.hint(300, ONE, tipAt(300).certificate);
  assert.ok(catchUp.isBehind);
  await catchUp.close();
});

test('tips are asked for anew, and only what is proven counts', async () => {
  const { catchUp, tips, bad, shown, settled } = harness(50);
  tips.set(1, [tipAt(50).frame]);
  tips.set(2, []);
  tips.set(3, [tipAt(2 ** 50, 'impostors').frame]);
  tips.set(4, [Uint8Array.of(1, 2, 3)]);
  catchUp.askTips();
  await settled();
  assert.equal(shown.sort(), [0, 50]);
  assert.equal(bad.sort(), ['3 tip/certificate', '4 tip/malformed']);
  assert.not(catchUp.isBehind);
  tips.set(1, [tipAt(200).frame]);
  catchUp.askTips();
  await settled();
  assert.ok(catchUp.isBehind);
  await catchUp.close();
});

test('who shows a lower tip than it has proven is reported', async () => {
  const { catchUp, tips, bad, settled } = harness(50);
  // A certificate that it passed on is no tip of its own yet.
  catchUp.hint(201, ONE, tipAt(201).certificate);
  tips.set(1, [tipAt(200).frame]);
  catchUp.askTips();
  await settled();
  tips.set(1, [tipAt(60).frame]);
  catchUp.askTips();
  await settled();
  assert.equal(bad, ['1 tip lowered to 60']);
  await catchUp.close();
});

test('a snapshot is asked for when far behind, not when near, and not again at once', async () => {
  const near = harness(50);
  near.catchUp.hint(150, ONE, tipAt(150).certificate);
  await near.settled();
  assert.equal(near.joins, []);
  await near.catchUp.close();

  const far = harness(50, { snapshotDistance: () => 20 });
  for (const name of [1, 2, 3]) far.tips.set(name, [tipAt(150).frame]);
  far.catchUp.hint(150, ONE, tipAt(150).certificate);
  await far.joined;
  assert.equal(far.joins, [71]);
  far.catchUp.hint(151, ONE, tipAt(151).certificate);
  await far.settled();
  assert.equal(far.joins, [71]);
  await far.catchUp.close();
});

test('blocks are taken in order, each with a certificate of the validators in force', async () => {
  const good = harness(50);
  for (const height of [51, 52]) good.serve(height, tipAt(height));
  good.catchUp.hint(52, ONE, tipAt(52).certificate);
  await good.settled();
  assert.equal(good.committed, [51, 52]);
  assert.equal(good.bad, []);
  await good.catchUp.close();
  for (const [served, reason] of [
    [tipAt(52).block, 'height'],
    [tipAt(51, 'impostors').block, 'certificate/signature'],
    [tipAt(51, 'validators', { txRoot: GENESIS }).block, 'txRoot'],
  ] as const) {
    const { catchUp, blocks, bad, committed, settled } = harness(50);
    blocks.set(51, served);
    catchUp.hint(51, ONE, tipAt(51).certificate);
    await settled();
    assert.equal(committed, [], reason);
    assert.equal([...new Set(bad)], [`1 ${reason}`]);
    await catchUp.close();
  }
});

test('a block that consensus has executed is not executed again when it is served', async () => {
  const served = tipAt(51);
  const commits: unknown[] = [];
  const { catchUp, serve, settled } = harness(50, {
    commit: async (height, decide) => {
      commits.push([height, decide()]);
    },
  });
  serve(51, served);
  catchUp.hint(51, ONE, served.certificate);
  await settled();
  await catchUp.close();
  const { executed: block, certificate } = served;
  assert.equal(commits[0], [51, [{ block, certificate, attachments: [GENESIS] }]]);
});

test('who was away for long follows no change of validators but up to a block that its operator pinned', async () => {
  const changing = tipAt(51, 'validators', { nextValidatorsHash: setOf(strangers).hash });
  const outcomeOf = async (change: Partial<CatchUpDependencies>) => {
    const errors: string[] = [];
    const onFatal = (error: unknown) => errors.push((error as Error).message);
    const { catchUp, serve, committed, bad, settled } = harness(50, { ...change, onFatal });
    serve(51, changing);
    catchUp.hint(51, ONE, changing.certificate);
    await settled();
    await catchUp.close();
    return { committed, isStopped: errors.some((message) => message.includes('sync.anchor')), bad };
  };
  const { hash } = changing;
  assert.equal(await outcomeOf({ wasAwayLong: false }), { committed: [51], isStopped: false, bad: [] });
  assert.equal(await outcomeOf({ wasAwayLong: true }), { committed: [], isStopped: true, bad: [] });
  const pinned = { wasAwayLong: true, anchor: { height: 51, hash } };
  assert.equal(await outcomeOf(pinned), { committed: [51], isStopped: false, bad: [] });
  const otherHash = { wasAwayLong: true, anchor: { height: 51, hash: GENESIS } };
  assert.equal((await outcomeOf(otherHash)).bad[0], '1 not the block that sync.anchor pins');
});

test('an empty node that would need an anchor stops and says where to get it', async () => {
  const stopped = Promise.withResolvers<Error>();
  const { catchUp, tips } = harness(0, {
    join: { attempt: async () => 'anchorNeeded' },
    onFatal: (error) => stopped.resolve(error as Error),
  });
  for (const name of [1, 2, 3]) tips.set(name, [tipAt(150).frame]);
  catchUp.hint(150, ONE, tipAt(150).certificate);
  const { message } = await stopped.promise;
  assert.match(message, /medledger status/);
  assert.match(message, /sync\.anchor/);
  await catchUp.close();
});

test.run();
