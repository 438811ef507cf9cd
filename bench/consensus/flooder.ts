import path from 'node:path';
import type { SignedTransaction } from '../../src/client/build-transaction.ts';
import { toHex } from '../../src/codec/bytes.ts';
import { decodeMessage } from '../../src/consensus/messages.ts';
import { configuredPeers, readConfig } from '../../src/node/config.ts';
import { readFolderIdentity } from '../../src/node/identity.ts';
import { createNetwork, type Network } from '../../src/p2p/network.ts';
import { seededChance } from '../seeded-chance.ts';
import { FLOOD_KINDS, FloodFrames } from './flood-frames.ts';
import type { FloodOrder, FloodReport } from './flood-process.ts';
import { strangersTransactions } from './flood-transactions.ts';
import { pause } from './until.ts';

const TICK_MS = 10;
/** Nothing more is sent while this much waits: the flooder is not to cut itself off by its own limits. */
const QUEUED_BYTES_MAX = 512 * 1024;
/** One transaction goes with so many frames. */
const FRAMES_PER_TRANSACTION = 20;
/** Frames of no meaning at all, each of which costs the connection, this far into the flood. */
const GARBAGE_AT = [1 / 3, 2 / 3];
const GARBAGE_BYTES = 300;
const NO_LOG = { debug: () => undefined, info: () => undefined, warn: () => undefined };

/** Floods the peers of the validator whose data folder is named, in its name, over its own port, until `signal` aborts. */
export async function flood(order: FloodOrder, signal: AbortSignal): Promise<FloodReport> {
  const identity = readFolderIdentity(order.folder);
  const config = readConfig(path.join(order.folder, 'config.toml'), {});
  const genesis = identity.start.genesisHash;
  const chance = seededChance(order.seed, 'flood');
  const frames = new FloodFrames(identity, genesis, chance);
  let height = 1;
  const network = await createNetwork(
    {
      seed: identity.seed,
      listen: config.p2p.listen,
      peers: configuredPeers(config),
      topicSuffix: toHex(genesis),
      log: NO_LOG,
    },
    {
      onConsensus(_, frame) {
        const message = decodeMessage(frame);
        if (message.kind !== 'Decided') height = Math.max(height, message.height);
      },
      onTransactions: () => undefined,
      onBlock: () => undefined,
      onConnected: () => undefined,
      onDisconnected: () => undefined,
      requests: {
        blocks: async () => [],
        block: async () => null,
        bodies: async (hashes) => hashes.map(() => null),
        attachments: async (hashes) => hashes.map(() => null),
        payload: async () => null,
        history: async () => [],
      },
    },
  );
  try {
    return await send(network, order, signal, {
      // What is agreed on by the time that the frame arrives may be the next height already.
      frame: (number) => frames.make(FLOOD_KINDS[number % FLOOD_KINDS.length]!, height + Math.round(chance())),
      transaction: strangersTransactions(genesis),
    });
  } finally {
    await network.close();
  }
}

interface Makers {
  frame(number: number): Uint8Array;
  transaction(): Promise<SignedTransaction>;
}

async function send(network: Network, order: FloodOrder, signal: AbortSignal, make: Makers): Promise<FloodReport> {
  const { framesPerSecond, peers } = order;
  const startMs = performance.now();
  const garbageAtMs = GARBAGE_AT.map((share) => share * order.lengthMs);
  const sent = { frames: 0, transactions: 0, garbage: 0 };
  const spentMs = { connected: 0, heldBack: 0 };
  let owed = 0;
  let lastMs = startMs;
  while (!signal.aborted) {
    await pause(TICK_MS);
    const nowMs = performance.now();
    const sinceMs = nowMs - lastMs;
    lastMs = nowMs;
    const connected = network.connectedPeers().length;
    if (connected === peers) spentMs.connected += sinceMs;
    if (connected === 0) continue;
    if (network.metrics().queuedBytes > QUEUED_BYTES_MAX) {
      spentMs.heldBack += sinceMs;
      continue;
    }
    owed += (sinceMs * framesPerSecond) / 1_000;
    for (; owed >= 1; owed -= 1) {
      network.broadcast(make.frame(sent.frames));
      sent.frames += 1;
      if (sent.frames % FRAMES_PER_TRANSACTION !== 0) continue;
      network.publishTransactions([await make.transaction()]);
      sent.transactions += 1;
    }
    if (nowMs - startMs < (garbageAtMs[0] ?? Number.POSITIVE_INFINITY)) continue;
    garbageAtMs.shift();
    network.broadcast(crypto.getRandomValues(new Uint8Array(GARBAGE_BYTES)));
    sent.garbage += 1;
  }
  const lengthMs = performance.now() - startMs;
  return {
    ...sent,
    connectedShare: spentMs.connected / lengthMs,
    heldBackShare: spentMs.heldBack / lengthMs,
    seconds: lengthMs / 1_000,
  };
}
