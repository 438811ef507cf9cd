import { setTimeout as delay } from 'node:timers/promises';
import { equalBytes } from '../codec/bytes.ts';
import type { HeightContext } from '../consensus/input.ts';
import type { Certificate } from '../ledger/certificate.ts';
import { type BlockRequests, fetchBlocks, type ServedBlocks } from './block-fetch.ts';
import { BlocksAhead } from './blocks-ahead.ts';
import { collectBodies } from './body-collector.ts';
import type { Chain } from './chain.ts';
import type { CommitGate } from './commit-gate.ts';
import type { TrustedBlock } from './header-proof.ts';
import type { HeldBlocks } from './held-blocks.ts';
import { changesNextValidators, readHeaderFrame } from './linked-header.ts';
import type { Mempool } from './mempool.ts';
import { PeerTips } from './peer-tips.ts';
import { requireKnownVersion } from './protocol-version.ts';
import type { BodyRequests } from './requests-by-hash.ts';
import { readServedBlock, type ServedBlock, servedBlockFault, servedBodies } from './served-block.ts';
import { anchorNeededError, type SnapshotJoin } from './snapshot-join.ts';
import type { TransactionIntake } from './transaction-intake.ts';

const ATTACHMENTS_DEADLINE_MS = 8_000;
const TIP_DEADLINE_MS = 4_000;
const RETRY_MS = 500;
/** So far behind, a second of small blocks, a loaded node may be for moments and still serve well. */
const HEIGHTS_IN_FLIGHT = 32;
/** A snapshot that could not be had is not asked for again at once. */
const JOIN_RETRY_MS = 30_000;
/** How long one who joins waits for more members than the first, so that several can serve. */
const GATHER_MS = 2_000;
const GATHER_PEERS = 3;
/** So long no further member came. */
const GATHER_QUIET_MS = 500;
const GATHER_POLL_MS = 100;

/** What catch-up works with. */
export interface CatchUpDependencies {
  readonly chain: Chain;
  readonly mempool: Mempool;
  readonly intake: TransactionIntake;
  readonly requests: BodyRequests & BlockRequests;
  /** Blocks of the next height that consensus holds, and may have executed. */
  readonly held: Pick<HeldBlocks, 'get'>;
  /** The one way into the chain, shared with consensus. */
  readonly commit: CommitGate['commit'];
  /** Blocks were committed, of which the last has this certificate. */
  readonly onApplied: (context: HeightContext, certificate: Certificate) => void;
  /** A validator answered where it stands, at or below our own tip. */
  readonly onTipShown: (peer: Uint8Array, height: number) => void;
  /** Takes a whole state where that is the way; undefined on a node that executes every block. */
  readonly join: Pick<SnapshotJoin, 'attempt'> | undefined;
  /** Heights behind from which a snapshot is taken. */
  readonly snapshotDistance: () => number;
  /** A block that the operator pinned. */
  readonly anchor: TrustedBlock | undefined;
  /** True when the node was away for so long that it follows a change of the validators only up to the anchor. */
  readonly wasAwayLong: boolean;
  /** A peer served something that its height does not prove. */
  readonly onBadPeer: (peer: Uint8Array, reason: string) => void;
  readonly onFatal: (error: unknown) => void;
}

/**
 * Fetches decided blocks that this node missed, from several peers in turn, or the state of a snapshot when they are
 * many. A height that a peer claims is a hint of whom to ask; only a commit certificate of the validators in force
 * moves the chain, and says how far behind it is (consensus.md §9).
 */
export class CatchUp {
  readonly #dependencies: CatchUpDependencies;
  readonly #tips: PeerTips;
  readonly #closing = new AbortController();
  #running: Promise<void> | undefined;
  #joinTriedMs = Number.NEGATIVE_INFINITY;
  #wasAwayLong: boolean;

  constructor(dependencies: CatchUpDependencies) {
    this.#dependencies = dependencies;
    this.#tips = new PeerTips(dependencies.chain);
    this.#wasAwayLong = dependencies.wasAwayLong;
  }

  /** True while a certificate proves blocks well beyond ours; one or two are just being decided. */
  get isBehind(): boolean {
    return this.#tips.target > this.#dependencies.chain.tip.height + HEIGHTS_IN_FLIGHT;
  }

  /** A peer may hold blocks up to `height`; `certificate` is one of that height, unverified, or null. */
  hint(height: number, peer: Uint8Array, certificate: Certificate | null = null): void {
    const tip = this.#dependencies.chain.tip.height;
    if (height <= tip || this.#closing.signal.aborted) return;
    this.#tips.claim(peer, height);
    const isProven = certificate !== null && this.#tips.prove(peer, certificate);
    if (!isProven && height > tip + HEIGHTS_IN_FLIGHT && this.#running === undefined) this.askTip(peer);
    this.#running ??= this.#run()
      .catch((error: unknown) => {
        if (!this.#closing.signal.aborted) this.#dependencies.onFatal(error);
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** Asks a peer for the certificate of its tip, as it is now: what it said earlier may be long past. */
  askTip(peer: Uint8Array): void {
    this.#askTip(peer).catch((error: unknown) => {
      if (!this.#closing.signal.aborted) this.#dependencies.onFatal(error);
    });
  }

  /** Asks every connected peer. */
  askTips(): void {
    for (const peer of this.#dependencies.requests.connectedPeers()) this.askTip(peer);
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the node is stopping'));
    await this.#running;
  }

  async #askTip(peer: Uint8Array): Promise<void> {
    const { chain, requests, onBadPeer, onTipShown } = this.#dependencies;
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(TIP_DEADLINE_MS)]);
    // Of two questions under way the earlier may be answered last.
    const shownBefore = this.#tips.shownBy(peer);
    const items = await requests.requestHistory(peer, { kind: 'tip' }, signal).catch(() => undefined);
    if (items === undefined || this.#closing.signal.aborted) return;
    const served = items[0] === undefined ? undefined : readHeaderFrame(items[0]);
    if (items[0] !== undefined && served?.certificate === undefined) {
      onBadPeer(peer, 'tip/malformed');
      return;
    }
    const height = served?.header.height ?? 0;
    if (height < shownBefore) {
      // A ledger does not shrink: it hides what it has shown.
      onBadPeer(peer, `tip lowered to ${height}`);
      return;
    }
    const isFar = height > chain.tip.height;
    const isProven = served?.certificate !== undefined && this.#tips.prove(peer, served.certificate);
    if (isProven) this.#tips.showed(peer, height);
    if (!isFar) {
      // What lies beyond this was claimed and is not there.
      this.#tips.forgetClaim(peer);
      onTipShown(peer, height);
    } else if (isProven) this.hint(height, peer, served!.certificate!);
    else if (equalBytes(served!.header.validatorsHash, chain.validators.hash)) onBadPeer(peer, 'tip/certificate');
    // Certified by validators that we do not know yet: a hint, no more.
    else this.hint(height, peer, null);
  }

  async #run(): Promise<void> {
    const { chain } = this.#dependencies;
    while (!this.#closing.signal.aborted && this.#tips.holders(chain.tip.height + 1).length > 0) {
      if (await this.#joinedBySnapshot()) continue;
      const before = chain.tip.height;
      await this.#fetchOn();
      if (chain.tip.height === before) await pause(RETRY_MS, this.#closing.signal);
    }
    if (chain.tip.height >= this.#tips.target) this.#wasAwayLong = false;
  }

  async #joinedBySnapshot(): Promise<boolean> {
    const { chain, join, snapshotDistance, anchor, onFatal } = this.#dependencies;
    const { height } = chain.tip;
    const isNew = height === chain.startHeight;
    const least = isNew ? height + chain.parameters.snapshotInterval : height + snapshotDistance() + 1;
    // Mere claims count where no certificate could be checked yet: they cost a question to each member.
    const isUnproven = isNew || (anchor !== undefined && anchor.height > height);
    const reached = isUnproven ? this.#tips.highestClaim : this.#tips.target;
    if (join === undefined || reached < least || performance.now() < this.#joinTriedMs + JOIN_RETRY_MS) return false;
    await this.#gatherPeers();
    this.#joinTriedMs = performance.now();
    const outcome = await join.attempt(least, this.#closing.signal);
    // A node with blocks of its own can go on one by one, as far as `wasAwayLong` lets it.
    if (outcome === 'anchorNeeded' && isNew) {
      this.#closing.abort(new Error('an anchor is needed'));
      onFatal(anchorNeededError());
    }
    return outcome === 'joined';
  }

  /** Waits a little for the members that are just connecting. */
  async #gatherPeers(): Promise<void> {
    const endMs = performance.now() + GATHER_MS;
    let count = 0;
    for (let quietMs = 0; performance.now() < endMs && (count < GATHER_PEERS || quietMs < GATHER_QUIET_MS); ) {
      await pause(GATHER_POLL_MS, this.#closing.signal);
      const now = this.#dependencies.requests.connectedPeers().length;
      quietMs = now === count ? quietMs + GATHER_POLL_MS : 0;
      count = now;
      if (this.#closing.signal.aborted) return;
    }
  }

  /** Fetches and applies blocks until a request is in vain; the next are fetched while some are applied. */
  async #fetchOn(): Promise<void> {
    const { chain, requests } = this.#dependencies;
    const fetch = (fromHeight: number, last: Uint8Array | undefined) =>
      fetchBlocks(requests, this.#tips, fromHeight, last, this.#closing.signal);
    let batch = await fetch(chain.tip.height + 1, undefined);
    for (let fromHeight = chain.tip.height + 1; batch !== undefined && !this.#closing.signal.aborted; ) {
      fromHeight += batch.frames.length;
      const ahead = fetch(fromHeight, batch.peer);
      const isGood = await this.#applyAll(batch);
      batch = await ahead;
      if (!isGood || chain.tip.height + 1 !== fromHeight) return;
    }
  }

  /** Executes the blocks one on the other and commits them together, up to the first that is not what it should be. */
  async #applyAll({ peer, frames }: ServedBlocks): Promise<boolean> {
    const ahead = new BlocksAhead(this.#dependencies.chain);
    let fault: string | undefined;
    try {
      for (const encoded of frames) {
        if (this.#closing.signal.aborted) return false;
        fault = await this.#execute(peer, encoded, ahead);
        if (fault !== undefined) break;
        if (ahead.isFull) await this.#commit(ahead);
      }
    } finally {
      await this.#commit(ahead);
    }
    if (fault === undefined) {
      this.#tips.served(peer);
      return true;
    }
    this.#tips.forgetClaim(peer);
    this.#tips.missed(peer);
    this.#dependencies.onBadPeer(peer, fault);
    return false;
  }

  /** Executes one served block; says what is wrong with it when it is not the certified next one. */
  async #execute(peer: Uint8Array, encoded: Uint8Array, ahead: BlocksAhead): Promise<string | undefined> {
    const { mempool, intake, requests, held } = this.#dependencies;
    const served = readServedBlock(encoded);
    if (served === undefined) return 'malformed';
    const { frame, header, certificate, txHashes, hash } = served;
    const { head } = ahead;
    // Consensus decided it meanwhile.
    if (header.height <= head.tip.height) return undefined;
    const fault = servedBlockFault(served, head) ?? this.#anchorFault(served);
    if (fault !== undefined) return fault;

    const known = held.get(hash);
    if (known?.executed !== undefined) {
      ahead.push({ block: known.executed, certificate, attachments: known.attachments });
      return undefined;
    }
    requireKnownVersion(head.parameters, header.height, head.newestVersion);
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(ATTACHMENTS_DEADLINE_MS)]);
    const parts = {
      genesisHash: head.genesisHash,
      mempool,
      intake,
      requests: servedBodies(served, requests),
      attachmentBytesMax: head.parameters.blockAttachmentBytesMax,
    };
    const bodies = await collectBodies(parts, txHashes, [peer], signal);
    if (bodies === undefined) return 'bodies';
    await intake.verifyAhead(bodies.transactions);
    if (header.height <= ahead.head.tip.height) return undefined;
    const check = ahead.head.check(frame.header, bodies.transactions, { kind: 'catchUp' });
    // A quorum vouches for it, so the fault is here: going on would serve a forked state.
    if (check.kind === 'invalid')
      throw new Error(
        `block ${header.height} is certified but does not execute here: ${check.fault.code}, ${check.fault.detail}`,
      );
    ahead.push({ block: check.block, certificate, attachments: bodies.attachments });
    return undefined;
  }

  async #commit(ahead: BlocksAhead): Promise<void> {
    const { chain, commit, onApplied } = this.#dependencies;
    const blocks = ahead.take();
    const last = blocks.at(-1);
    if (last === undefined) return;
    await commit(last.block.header.height, () => blocks);
    onApplied(chain.heightContext(), last.certificate);
  }

  /** Keys that left the set could certify a second history: what the operator pinned tells them apart. */
  #anchorFault({ header, hash }: ServedBlock): string | undefined {
    const { anchor } = this.#dependencies;
    if (anchor?.height === header.height) {
      if (!equalBytes(anchor.hash, hash)) return 'not the block that sync.anchor pins';
      this.#wasAwayLong = false;
    }
    const isAnchorAhead = anchor !== undefined && anchor.height > header.height;
    if (this.#wasAwayLong && !isAnchorAhead && changesNextValidators(header)) throw anchorNeededError();
    return undefined;
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
