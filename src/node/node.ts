import type { Logger } from 'pino';
import { equalBytes, toHex } from '../codec/bytes.ts';
import { describeCore } from '../consensus/describe.ts';
import { createVerifierPool, type VerifierPool } from '../crypto/node/verifier-pool.ts';
import { verifySignature } from '../crypto/node/verify.ts';
import { cidText } from '../crypto/payload-cid.ts';
import { signatureSelfTest } from '../crypto/speccheck.ts';
import type { ExecutedBlock } from '../ledger/block-execution.ts';
import type { Certificate } from '../ledger/certificate.ts';
import { createNetwork } from '../p2p/network.ts';
import { checkDataFolder } from '../storage/data-folder.ts';
import type { PayloadStore } from '../storage/payload-store.ts';
import { AdmissionQueue } from './admission-queue.ts';
import { admittedPeers, changesValidators } from './admitted-peers.ts';
import { AttachmentKeeper } from './attachment-keeper.ts';
import { blockBeforeHistory } from './before-history.ts';
import { announcementOf, readAnnouncement } from './block-announcement.ts';
import { blockRows } from './block-rows.ts';
import { createBlockWork } from './block-work.ts';
import { CommitGate } from './commit-gate.ts';
import { configuredPeers, type NodeConfig } from './config.ts';
import { createNodeCore, createRunner, restoreHeldBlocks, startInput } from './consensus-host.ts';
import { ConsensusInlet } from './consensus-inlet.ts';
import { type ConsensusSources, consensusStatus } from './consensus-status.ts';
import { ConsensusWatch } from './consensus-watch.ts';
import type { EffectRunner } from './effect-runner.ts';
import { EvidenceReports } from './evidence.ts';
import { HeldBlocks } from './held-blocks.ts';
import { type NodeIdentity, readIdentity } from './identity.ts';
import { IndexFeed } from './index-feed.ts';
import { IndexSource } from './index-source.ts';
import { JournalKeeper, readJournalContent } from './journal-keeper.ts';
import { Mempool } from './mempool.ts';
import { createMetrics } from './metrics.ts';
import { type NodeData, openNodeData } from './node-data.ts';
import { createNodePorts } from './node-ports.ts';
import { missingValidators, nodeStatus, readinessFaults } from './node-status.ts';
import { openChain } from './open-chain.ts';
import { PeerLink } from './peer-link.ts';
import type { NodePorts, Submission } from './ports.ts';
import { VersionWatch } from './protocol-version.ts';
import { createRequestServer } from './request-server.ts';
import { SignatureCache } from './signature-cache.ts';
import { makeStallLog } from './stall-log.ts';
import { createSync } from './sync.ts';
import { TransactionIntake } from './transaction-intake.ts';
import { TransactionTracker } from './transaction-tracker.ts';

/** What a node holds of pending transactions. */
const MEMPOOL_LIMITS = { transactions: 50_000, bytes: 256 * 1024 * 1024 };
const VERIFIER_THREADS = 1;

/** What a node is started with. */
export interface NodeOptions {
  /** The node's data folder. */
  readonly folder: string;
  readonly config: NodeConfig;
  readonly log: Logger;
  readonly version: string;
  /** The node can not go on safely; it has stopped signing, and the process has to end with an error. */
  readonly onFatal: (error: unknown) => void;
}

/** A node that takes part in its ledger. */
export interface RunningNode {
  readonly ports: NodePorts;
  /** From now on not ready, and no new transactions. */
  drain(): void;
  /** Ends everything in reverse order; what was acknowledged is on disk. */
  close(): Promise<void>;
}

/** Starts a node from its data folder: opens the data, takes up consensus where the journal left it, and connects. */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  signatureSelfTest(verifySignature);
  const folder = await checkDataFolder(options.folder);
  const identity = readIdentity(folder);
  const data = await openNodeData(folder, identity.start, options.config.storage.payloadQuotaBytes, options.log);
  const verifier = createVerifierPool({ workers: VERIFIER_THREADS });
  try {
    return await assemble(options, identity, data, verifier);
  } catch (error) {
    await verifier.close();
    await data.close();
    throw error;
  }
}

/** Puts the parts together in order of dependency; the last steps connect the node and start its consensus. */
async function assemble(
  options: NodeOptions,
  identity: NodeIdentity,
  data: NodeData,
  verifier: VerifierPool,
): Promise<RunningNode> {
  const { config, log } = options;
  const { store } = data;
  const nowMs = () => Date.now();
  let isDraining = false;
  const peers = new PeerLink();
  let runner: EffectRunner | undefined;
  let isStarted = false;

  const fail = (error: unknown) => {
    runner?.close();
    log.fatal({ err: error }, 'the node stops');
    options.onFatal(error);
  };

  const signatures = new SignatureCache();
  const chain = await openChain(store, identity.start, signatures);
  const versions = new VersionWatch(log, () => chain.updateBefore);
  versions.tipIs(chain.tip.height);
  // Throws where the next block is of a version that this build does not know, before anything is begun.
  chain.heightContext();
  const mempool = new Mempool(MEMPOOL_LIMITS);
  const queue = new AdmissionQueue(() => mempool.size);
  const tracker = new TransactionTracker(mempool, store);
  const held = new HeldBlocks();
  const publish = (batch: readonly Submission[]) => peers.publishTransactions(batch);

  const metrics = createMetrics({
    mempoolTransactions: () => mempool.size,
    mempoolBytes: () => mempool.bytes,
    connectedPeers: () => peers.connectedPeers().length,
    height: () => chain.tip.height,
    view: () => describeCore(core).view,
    missingValidators: () => missingValidators(sources),
    consensus: () => consensusStatus(sources),
    evidenceEntries: async () => (await chain.evidence()).length,
    indexLagBlocks: () => chain.tip.height - feed.appliedHeight,
    networkDropped: () => peers.dropped(),
    protocolBytes: () => peers.protocolBytes(),
    frames: () => peers.frames(),
  });
  const attachments = new AttachmentKeeper({ store, requests: peers, log });
  const indexSource = new IndexSource(chain, store, attachments, identity.organisationKey);
  const feed = new IndexFeed({
    index: data.index,
    tipHeight: () => chain.tip.height,
    before: () => blockBeforeHistory(store),
    rowsOf: (height) => blockRows(indexSource, height),
    onError: (error) => log.error({ err: error }, 'the search index stopped; queries answer up to its height'),
  });
  const intake = new TransactionIntake({
    chain,
    mempool,
    signatures,
    verifier,
    queue,
    tracker,
    publish,
    onRejected: (code) => metrics.transactionsRejected.inc({ code }),
    onAdded: () => runner?.deliver({ kind: 'PendingChanged', height: chain.tip.height + 1, applicable: true }),
    nowMs,
  });
  const evidence = new EvidenceReports({ chain, intake, signer: identity.signer, log, nowMs });
  const journalContent = readJournalContent(data.journal.records);
  const core = createNodeCore(chain, identity.signer);
  const watch = new ConsensusWatch(core, () => performance.now());
  const inlet = new ConsensusInlet({
    core,
    punctuality: watch.punctuality,
    deliver: (input) => runner?.deliver(input),
    onDropped: (reason) => metrics.messagesDropped.inc({ reason }),
  });
  const sources: ConsensusSources = {
    version: options.version,
    start: identity.start,
    chain,
    core,
    mempool,
    inlet,
    publicKey: identity.signer.publicKey,
    organisation: identity.organisationKey?.address,
    upSinceMs: nowMs(),
    connectedPeers: () => peers.connectedPeers(),
    indexedHeight: () => feed.appliedHeight,
    historyFrom: () => store.historyFrom,
    watch,
    isCatchingUp: () => catchUp.isBehind,
  };

  const admitted = () => admittedPeers(chain, configuredPeers(config));
  const onCommitted = (block: ExecutedBlock, certificate: Certificate) => {
    const { header, transactions } = block;
    metrics.transactionsCommitted.inc(transactions.length);
    metrics.blockInterval.observe((watch.lastCommitAgeMs ?? nowMs() - sources.upSinceMs) / 1_000);
    watch.committed();
    indexSource.remember(block);
    queue.committed(transactions.length);
    evidence.blockCommitted(header.timestampMs);
    snapshotKeeper.blockCommitted(header.height);
    feed.notify();
    versions.tipIs(header.height);
    const txIds = transactions.map(({ txId }) => txId);
    announce({ height: header.height, hash: block.hash, timestampMs: header.timestampMs, txIds });
    const { publicKey: proposer } = block.validators.validators[header.proposer]!;
    if (equalBytes(proposer, identity.signer.publicKey)) peers.publishBlock(announcementOf(block, certificate));
    if (changesValidators(block)) peers.setMembers(admitted());
    log.debug({ height: header.height, transactions: transactions.length }, 'block committed');
  };
  const gate = new CommitGate({
    chain,
    held,
    mempool,
    tracker,
    onCommitted,
    onSynced: (seconds) => metrics.commitDuration.observe(seconds),
  });
  const commit: CommitGate['commit'] = (height, decide) => gate.commit(height, decide);
  const sync = await createSync(config.sync, {
    chain,
    store,
    snapshots: data.snapshots,
    requests: peers,
    parts: { mempool, intake, held, commit },
    gate,
    feed,
    deliver: (input) => runner?.deliver(input),
    onFatal: fail,
    log,
    nowMs,
  });
  const { catchUp, snapshotKeeper } = sync;
  const work = createBlockWork({
    chain,
    held,
    mempool,
    tracker,
    intake,
    requests: peers,
    commit,
    publish,
    behind: (height, from, certificate) => catchUp.hint(height, from, certificate),
    askTips: () => catchUp.askTips(),
    onExecuted: (seconds) => metrics.executionDuration.observe(seconds),
    nowMs,
  });
  const onAppended = (seconds: number) => metrics.journalDuration.observe(seconds);
  const journal = new JournalKeeper(data.journal, journalContent, onAppended, fail);
  runner = createRunner(core, {
    work,
    journal,
    network: peers,
    observe: (effect) => watch.observe(effect),
    onReport: ({ level, code, height, view, detail }) => {
      if (code === 'viewChangeSent') metrics.viewChanges.inc();
      log[level === 'alarm' ? 'error' : level]({ code, height, view, detail }, 'consensus');
    },
    onEvidence: (pair) => evidence.report(pair),
    onFatal: fail,
  });
  restoreHeldBlocks(held, journalContent, chain);
  const stallLog = makeStallLog(sources, log);
  const onDamaged = (error: unknown) => log.error({ err: error }, 'a member asked for something that is damaged here');

  const { ports, announce } = createNodePorts({
    genesisDocument: identity.genesisDocument,
    chain,
    store,
    intake,
    tracker,
    index: data.index,
    payloads: data.payloads,
    organisation: identity.organisationKey?.address,
    status: () => nodeStatus(sources),
    consensus: () => consensusStatus(sources),
    notReady: () => readinessFaults(sources, catchUp.isBehind, isDraining),
    metrics: () => metrics.registry.metrics(),
    fetchPayload: (cid) => peers.fetchPayload(cid).then((bytes) => keepFetched(data.payloads, cid, bytes)),
    attachment: async (hash) => (await attachments.get([hash])).get(toHex(hash)),
    nowMs,
  });

  const network = await createNetwork(
    {
      seed: identity.seed,
      listen: config.p2p.listen,
      peers: admitted(),
      topicSuffix: toHex(chain.genesisHash),
      log,
    },
    {
      onConsensus(from, frame) {
        if (isStarted && !inlet.receive(from, frame)) peers.reportMalformed(from, 'consensus message');
      },
      onTransactions(_from, batch) {
        if (isStarted)
          intake.receive(batch).catch((error: unknown) => log.warn({ err: error }, 'transactions dropped'));
      },
      onBlock(from, frame) {
        const { height, certificate } = readAnnouncement(frame);
        // A validator decides the next block itself; more than that means that it missed something.
        const deciding = core.height.own === null ? 0 : 1;
        if (isStarted && height > chain.tip.height + deciding) catchUp.hint(height, from, certificate);
      },
      onConnected(peer) {
        log.info({ peer: toHex(peer) }, 'connected');
        if (!isStarted) return;
        runner?.deliver({ kind: 'Connected', peer });
        catchUp.askTip(peer);
      },
      onDisconnected: (peer) => log.info({ peer: toHex(peer) }, 'disconnected'),
      requests: sync.answerWith(createRequestServer({ store, mempool, held, payloads: data.payloads, onDamaged })),
    },
  );
  peers.attach(network);
  runner.deliver(await startInput(chain, store, journalContent));
  isStarted = true;
  stallLog.start();
  catchUp.askTips();
  await feed.start();
  attachments.start();
  log.info({ height: chain.tip.height, stateRoot: toHex(chain.stateRoot) }, 'node started');

  return {
    ports,
    drain() {
      isDraining = true;
    },
    async close() {
      isDraining = true;
      isStarted = false;
      stallLog.close();
      await catchUp.close();
      await snapshotKeeper.close();
      runner?.close();
      await gate.idle();
      await peers.close();
      await attachments.close();
      await feed.close();
      await verifier.close();
      await data.close();
    },
  };
}

/** Keeps a payload block that a member served, so that it is here the next time; without room it is only passed on. */
async function keepFetched(payloads: PayloadStore, cid: Uint8Array, bytes: Uint8Array | undefined) {
  if (bytes !== undefined) await payloads.put(cidText(cid), bytes).catch(() => undefined);
  return bytes;
}
