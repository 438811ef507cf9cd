import { type GossipSub, gossipsub, TopicValidatorResult } from '@libp2p/gossipsub';
import { DecodeError } from '../codec/decode-error.ts';
import { sha256 } from '../crypto/hash.ts';
import type { Counters } from './counters.ts';
import type { Gate, KnownPeer } from './gate.ts';
import { GOSSIP, TOPICS, type Topic } from './protocols.ts';
import { RateLimit } from './rate.ts';

/** Room in a gossipsub frame beside the message: topic, field heads and control messages. */
const FRAME_OVERHEAD_BYTES = 64 * 1024;

/** Messages to all nodes of a ledger, passed on from neighbour to neighbour: in any order, possibly lost. */
export interface Gossip {
  /** Sends to all subscribers. Throws a RangeError over `GOSSIP.messageBytesMax`. */
  publish(topic: Topic, data: Uint8Array): void;
}

/** What gossip needs of its node. */
export interface GossipDependencies {
  readonly pubsub: GossipSub;
  readonly gate: Gate;
  readonly counters: Counters;
  /** A message as a neighbour passed it on, once; throws a DecodeError when it is malformed, and is not passed on. */
  readonly onMessage: (from: KnownPeer, topic: Topic, data: Uint8Array) => void;
  readonly onFault: (from: KnownPeer, reason: string) => void;
  readonly onUnsent: (topic: Topic, error: unknown) => void;
}

/**
 * The gossipsub service for libp2p's configuration. Messages are not signed: the gate admits only neighbours with
 * proven keys, what they carry proves itself, and signing each message would cost more than all else.
 */
export function gossipService(): ReturnType<typeof gossipsub> {
  return gossipsub({
    globalSignaturePolicy: 'StrictNoSign',
    msgIdFn: ({ data }) => sha256(data),
    fallbackToFloodsub: false,
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    batchPublish: true,
    maxInboundStreams: 4,
    maxOutboundStreams: 4,
    maxInboundDataLength: GOSSIP.messageBytesMax + FRAME_OVERHEAD_BYTES,
    // A slow neighbour misses messages; what it misses it can request.
    maxOutboundBufferSize: 4 * GOSSIP.messageBytesMax,
    maxTopicBytesPerPeer: 16 * 1024,
    // Offers of old messages are answered with many at once, in frames over the cap. Whoever misses one asks by hash.
    Dlazy: 0,
    gossipFactor: 0,
    // All nodes of a hospital or of a test may share one address; the gate knows them by key.
    scoreParams: { IPColocationFactorWeight: 0 },
    decodeRpcLimits: {
      maxSubscriptions: 16,
      maxMessages: 16,
      maxIhaveMessageIDs: 256,
      maxIwantMessageIDs: 256,
      maxControlMessages: 64,
      maxIdontwantMessageIDs: 512,
      maxPeerInfos: 0,
    },
  });
}

/** Joins the topics of the ledger whose genesis hash is `topicSuffix` in hexadecimal. */
export function joinGossip(topicSuffix: string, dependencies: GossipDependencies): Gossip {
  const { pubsub, gate, counters, onMessage, onFault, onUnsent } = dependencies;
  const rates = new WeakMap<KnownPeer, RateLimit>();

  const receive = (topic: Topic, from: KnownPeer, data: Uint8Array): TopicValidatorResult => {
    let rate = rates.get(from);
    if (rate === undefined) {
      rate = new RateLimit(GOSSIP.bytesPerSecond, GOSSIP.bytesBurst, () => performance.now());
      rates.set(from, rate);
    }
    counters.received(TOPICS[topic], data.length);
    if (!rate.take(data.length)) {
      counters.drop('gossipRate');
      return TopicValidatorResult.Ignore;
    }
    try {
      onMessage(from, topic, data);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      onFault(from, error.message);
      return TopicValidatorResult.Reject;
    }
    return TopicValidatorResult.Accept;
  };

  for (const topic of Object.keys(TOPICS) as Topic[]) {
    const name = TOPICS[topic] + topicSuffix;
    // gossipsub asks once for each message that it has not seen; what it is told decides whether it passes it on.
    pubsub.topicValidators.set(name, (peerId, { data }) => {
      const from = gate.peerBehind(peerId);
      return from === undefined ? TopicValidatorResult.Ignore : receive(topic, from, data);
    });
    pubsub.subscribe(name);
  }
  return {
    publish(topic, data) {
      if (data.length > GOSSIP.messageBytesMax)
        throw new RangeError(`a message of ${data.length} bytes, at most ${GOSSIP.messageBytesMax} are allowed`);
      pubsub.publish(TOPICS[topic] + topicSuffix, data).then(
        ({ recipients }) => counters.sent(TOPICS[topic], data.length * recipients.length),
        (error) => onUnsent(topic, error),
      );
    },
  };
}
