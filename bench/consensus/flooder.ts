import path from 'node:path';
import { drawAccountSecrets, makeAccount } from '../../src/client/keys.ts';
import { toHex } from '../../src/codec/bytes.ts';
import { decodeMessage } from '../../src/consensus/messages.ts';
import { sodiumSigner } from '../../src/crypto/node/sign.ts';
import { genesisHash } from '../../src/ledger/genesis.ts';
import { configuredPeers, readConfig } from '../../src/node/config.ts';
import { readFolderIdentity } from '../../src/node/identity.ts';
import { createNetwork, type Network } from '../../src/p2p/network.ts';
import type { Ward } from '../load/cast.ts';
import { makeUpRecord } from '../load/made-up-record.ts';
import { madeUpFields } from '../load/record-fields.ts';
import { seededChance } from '../seeded-chance.ts';
import { FLOOD_KINDS, FloodFrames } from './flood-frames.ts';
import type { FloodOrder, FloodReport } from './flood-process.ts';

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
  const genesis = genesisHash(identity.genesisDocument);
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
      frame: (number) => frames.make(FLOOD_KINDS[number % FLOOD_KINDS.length]!, height),
      transaction: async (number) => {
        const { signed } = await makeUpRecord(strangers(), genesis, 'attachment', 0, madeUpFields(order.seed, number));
        return signed;
      },
    });
  } finally {
    await network.close();
  }
}

interface Makers {
  frame(number: number): Uint8Array;
  transaction(number: number): Promise<{ readonly encoded: Uint8Array; readonly attachment: Uint8Array | null }>;
}

async function send(network: Network, order: FloodOrder, signal: AbortSignal, make: Makers): Promise<FloodReport> {
  const { framesPerSecond, lengthMs, peers } = order;
  const startMs = performance.now();
  const garbageAtMs = GARBAGE_AT.map((share) => share * lengthMs);
  const report = { frames: 0, transactions: 0, garbage: 0, heldBackTicks: 0, ticks: 0, connectedTicks: 0 };
  let owed = 0;
  let lastMs = startMs;
  while (!signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    const nowMs = performance.now();
    owed = Math.min(framesPerSecond / 10, owed + ((nowMs - lastMs) * framesPerSecond) / 1_000);
    lastMs = nowMs;
    report.ticks += 1;
    const connected = network.connectedPeers().length;
    if (connected === peers) report.connectedTicks += 1;
    if (connected === 0) continue;
    if (network.metrics().queuedBytes > QUEUED_BYTES_MAX) {
      report.heldBackTicks += 1;
      continue;
    }
    for (; owed >= 1; owed -= 1) {
      network.broadcast(make.frame(report.frames));
      report.frames += 1;
      if (report.frames % FRAMES_PER_TRANSACTION !== 0) continue;
      network.publishTransactions([await make.transaction(report.transactions)]);
      report.transactions += 1;
    }
    if (nowMs - startMs < (garbageAtMs[0] ?? Number.POSITIVE_INFINITY)) continue;
    garbageAtMs.shift();
    network.broadcast(crypto.getRandomValues(new Uint8Array(GARBAGE_BYTES)));
    report.garbage += 1;
  }
  return {
    frames: report.frames,
    transactions: report.transactions,
    garbage: report.garbage,
    heldBackShare: report.heldBackTicks / Math.max(1, report.ticks),
    connectedShare: report.connectedTicks / Math.max(1, report.ticks),
    seconds: (performance.now() - startMs) / 1_000,
  };
}

/** People whom the ledger does not know: all that they sign is well formed and nothing of it applies. */
function strangers(): Ward {
  const draw = () => makeAccount(drawAccountSecrets(), sodiumSigner);
  return { url: '', organisation: draw(), doctor: draw(), patients: [draw()] };
}
