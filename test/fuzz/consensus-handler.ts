import { toHex } from '../../src/codec/bytes.ts';
import { DecodeError } from '../../src/codec/decode-error.ts';
import { admitMessage } from '../../src/consensus/admission.ts';
import type { Effect } from '../../src/consensus/effect.ts';
import { encodeJournalRecord } from '../../src/consensus/journal-record.ts';
import {
  decodeMessage,
  encodeMessage,
  type Message,
  messagePreimage,
  type SignedViewChange,
  viewChangePreimage,
} from '../../src/consensus/messages.ts';
import type { Core } from '../../src/consensus/state.ts';
import type { Certificate } from '../../src/ledger/certificate.ts';
import { votePreimage } from '../../src/ledger/vote.ts';
import { Bench } from '../consensus/bench.ts';
import { Invariants } from '../simulation/invariants.ts';
import { fakeSign, fakeVerify, GENESIS_HASH } from '../simulation/keys.ts';
import { makePrng } from '../simulation/prng.ts';
import { type CaseSource, runCases } from './cases.ts';
import { messages } from './consensus-corpus.ts';
import { type Counts, counter } from './counts.ts';
import { mutate } from './mutate.ts';

const N = 4;
const OWN = 0;
const SOURCE: CaseSource = { name: 'consensus', form: 'fields', corpus: messages };

/** Cores in every kind of place of a height, each made anew. */
const SCENES: readonly (() => Bench)[] = [
  () => new Bench({ n: N, own: OWN }),
  proposed,
  prepared,
  function leaving() {
    const bench = prepared();
    for (const as of [1, 2]) bench.receive(as, 'ViewChange view=1 prepared=0/A signers=0,1,2');
    return synced(bench);
  },
  function decided() {
    const bench = prepared();
    for (const as of [1, 2, 3]) bench.receive(as, 'Commit view=0 block=A');
    return synced(bench);
  },
  () => new Bench({ n: N, own: null }),
  () => new Bench({ n: N, own: OWN, journal: 'amnesia' }),
  () => new Bench({ n: 1, own: OWN }),
];

function proposed(): Bench {
  const bench = new Bench({ n: N, own: OWN });
  bench.receive(1, 'PrePrepare view=0 block=A');
  const { height, view } = { height: bench.context.height, view: 0 };
  const { blockHash } = bench.core.height.held!.message;
  bench.give({ kind: 'Validated', height, view, blockHash, result: { kind: 'valid' } });
  return synced(bench);
}

function prepared(): Bench {
  const bench = proposed();
  for (const as of [1, 2]) bench.receive(as, 'Prepare view=0 block=A');
  return synced(bench);
}

function synced(bench: Bench): Bench {
  for (const token of [...bench.core.releases.keys()]) bench.give({ kind: 'Synced', token });
  return bench;
}

/** Only the bounds of memory are looked at, after each message. */
const INVARIANTS = new Invariants({
  verify: fakeVerify,
  checksCertificates: false,
  honestNumber: () => undefined,
});

/** Reasons for which the core leaves a message that it was given out of account. */
const REFUSALS =
  /^(badCertificate|badJustification|invalidViewChange|unverified|notPrimary|oldView$|viewOutsideWindow|relayedStatus|nextHeightNotKept|oldHeight|decided)/;

/** How far a message came. */
type Way = 'malformed' | 'dropped' | 'badSignature' | 'refused' | 'taken';

/**
 * What the inlet of a node does with the bytes of a peer. Throws when a message that is refused on the way, by the core
 * last, changed the core's state, or when the core's memory passes its bounds.
 */
function receive(bench: Bench, from: number, bytes: Uint8Array, signs: 0 | 1 | 2): Way {
  const { core } = bench;
  let message: Message;
  try {
    message = decodeMessage(bytes);
  } catch (error) {
    if (error instanceof DecodeError) return 'malformed';
    throw error;
  }
  if (signs > 0) message = signedAnew(bench, message, signs === 2);
  const peer = bench.keyOf(from);
  const before = digest(core, peer);
  const countsBefore = new Map(core.counters);
  const admission = admitMessage(core, message);
  const isDropped = admission.kind === 'drop';
  const direct = isDropped ? null : admission.direct;
  const isForged = direct !== null && !fakeVerify(direct.signature, direct.preimage, direct.publicKey);
  if (isDropped || isForged) {
    if (digest(core, peer) !== before) throw new Error('a message that was not taken changed the state');
    return isDropped ? 'dropped' : 'badSignature';
  }
  const effects = bench.give({ kind: 'Message', from: peer, message, verified: direct !== null });
  checkEffects(effects, 'signer' in message && message.signer === core.height.own);
  INVARIANTS.onStep(from, core);
  const isRefused = [...core.counters].some(([name, times]) => REFUSALS.test(name) && times !== countsBefore.get(name));
  if (!isRefused || ('signer' in message && message.signer === core.height.own)) return 'taken';
  if (effects.length > 0) throw new Error(`a refused message had effects: ${effects.map(({ kind }) => kind)}`);
  if (digest(core, peer) !== before) throw new Error('a refused message changed the state');
  return 'refused';
}

/** What leaves or is written can be encoded; nobody alarms for what a stranger to the key has said. */
function checkEffects(effects: readonly Effect[], isOwn: boolean): void {
  for (const effect of effects) {
    if (effect.kind === 'Broadcast' || effect.kind === 'Send') decodeMessage(encodeMessage(effect.message));
    else if (effect.kind === 'Persist') effect.records.forEach(encodeJournalRecord);
    else if (effect.kind === 'Report' && effect.level === 'alarm' && !isOwn) throw new Error(`alarm ${effect.code}`);
  }
}

/** The message under its signer's right signature, as a faulty validator can send it; never under ours. */
function signedAnew(bench: Bench, message: Message, attachedToo: boolean): Message {
  const keyOf = (signer: number) => (signer === OWN ? undefined : bench.validators.validators[signer]?.publicKey);
  const certified = (kind: 'PREPARE' | 'COMMIT', certificate: Certificate): Certificate => {
    const preimage = votePreimage(kind, GENESIS_HASH, certificate);
    const signatures = certificate.signatures.map(({ signer, signature }) => {
      const key = bench.validators.validators[signer]?.publicKey;
      return { signer, signature: key === undefined ? signature : fakeSign(key, preimage) };
    });
    return { ...certificate, signatures };
  };
  const part = (claim: SignedViewChange): SignedViewChange => {
    const key = keyOf(claim.signer);
    return key === undefined ? claim : { ...claim, signature: fakeSign(key, viewChangePreimage(GENESIS_HASH, claim)) };
  };
  let whole = message;
  if (attachedToo && whole.kind === 'Decided') return { ...whole, certificate: certified('COMMIT', whole.certificate) };
  if (attachedToo && whole.kind === 'ViewChange' && whole.certificate !== null)
    whole = { ...whole, certificate: certified('PREPARE', whole.certificate) };
  if (attachedToo && whole.kind === 'PrePrepare') {
    const { viewChanges, certificate } = whole.justification;
    const justification = {
      viewChanges: viewChanges.map(part),
      certificate: certificate && certified('PREPARE', certificate),
    };
    whole = { ...whole, justification };
  }
  if (whole.kind === 'Decided') return whole;
  const key = whole.kind === 'Status' ? whole.publicKey : keyOf(whole.signer);
  return key === undefined ? whole : { ...whole, signature: fakeSign(key, messagePreimage(GENESIS_HASH, whole)!) };
}

/** All of a core's state in words, without counters and without what a peer says of where it stands itself. */
function digest(
  { started, tip, height, silence, recovered, timers, releases, nextToken, peerHeights }: Core,
  peer: Uint8Array,
) {
  const others = [...peerHeights].filter(([key]) => key !== toHex(peer));
  return JSON.stringify(
    { started, tip, height, silence, recovered, timers, releases, nextToken, others },
    (_, value) => {
      if (value instanceof Uint8Array) return toHex(value);
      if (value instanceof Map || value instanceof Set) return [...value];
      return value as unknown;
    },
  );
}

/** A changed message for a core in one of the scenes. */
export function fuzzCore(seed: number, cases: number): Counts {
  const counts = counter();
  runCases(SOURCE, seed, cases, (changed, _, { other, steps }) => {
    const scene = SCENES[other % SCENES.length]!();
    const from = scene.validators.validators.length === 1 ? 0 : 1 + (other % (N - 1));
    counts.add(receive(scene, from, changed, (steps[0]![1] % 3) as 0 | 1 | 2));
  });
  return counts.all;
}

/** So many messages one core takes before the next begins. */
const LIFE = 2_000;

/** Streams of changed messages into cores that live on: their memory stays within its bounds whatever comes. */
export function fuzzCoreStream(seed: number, cases: number): Counts {
  const counts = counter();
  const prng = makePrng(seed);
  let bench = SCENES[0]!();
  for (let place = 0; place < cases; place += 1) {
    if (place % LIFE === 0) bench = prng.pick(SCENES.slice(0, 7))();
    const steps = Array.from(
      { length: prng.between(0, 2) },
      () => [prng.between(0, 99), prng.between(0, 2 ** 32 - 1)] as const,
    );
    const bytes = mutate('fields', prng.pick(messages), prng.pick(messages), steps);
    try {
      counts.add(receive(bench, prng.between(1, N - 1), bytes, prng.pick([0, 1, 2] as const)));
      if (prng.chance(0.05))
        passTime(bench, prng.pick(['view', 'retransmit', 'status', 'heartbeat', 'forward'] as const));
      if (prng.chance(0.3)) synced(bench);
    } catch (error) {
      const again = `again with seed ${seed}, message ${place}: ${toHex(bytes.subarray(0, 4_000))}`;
      throw new Error(`consensus stream: ${error instanceof Error ? error.stack : String(error)}\n  ${again}`);
    }
  }
  return counts.all;
}

function passTime(bench: Bench, timer: Parameters<Core['timers']['get']>[0]): void {
  const token = bench.core.timers.get(timer);
  if (token !== undefined) checkEffects(bench.give({ kind: 'Timeout', timer, token }), false);
}

/** What the digests of cores at the scenes are: a test holds that they tell the scenes apart. */
export function sceneDigests(): readonly string[] {
  return SCENES.map((scene) => digest(scene().core, new Uint8Array(0)));
}
