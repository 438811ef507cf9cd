import { equalBytes, toHex } from '../codec/bytes.ts';
import { DecodeError } from '../codec/decode-error.ts';
import type { HeightContext, ValidationResult } from '../consensus/input.ts';
import type { Proposal } from '../consensus/messages.ts';
import { merkleRoot } from '../crypto/merkle.ts';
import { blockHash, decodeHeader } from '../ledger/block.ts';
import { BLOCK_FAULTS, type BlockFault, type BlockOccasion } from '../ledger/block-check.ts';
import { type DecodedTransaction, decodeTransaction, transactionHash } from '../ledger/transaction.ts';
import type { HistoryRequest } from '../p2p/protocols.ts';
import { decodeBlockFrame } from './block-frame.ts';
import { BlockPace } from './block-pace.ts';
import { fetchInPieces } from './block-pieces.ts';
import { type CollectedBodies, collectBodies, MalformedBodyError } from './body-collector.ts';
import type { Chain } from './chain.ts';
import type { CommitGate } from './commit-gate.ts';
import type { BlockWork } from './effect-runner.ts';
import type { HeldBlock, HeldBlocks } from './held-blocks.ts';
import type { HeldBodies } from './journal-entry.ts';
import type { Mempool } from './mempool.ts';
import type { BodyRequests } from './requests-by-hash.ts';
import type { TransactionIntake } from './transaction-intake.ts';
import type { TransactionTracker } from './transaction-tracker.ts';

/** How long one try to fetch a whole block may take. */
const FETCH_DEADLINE_MS = 4_000;
/** Pending transactions forwarded to all validators when a view is half over. */
const FORWARD_TRANSACTIONS_MAX = 32;

/** What the work on blocks is done with. */
export interface BlockWorkDependencies {
  readonly chain: Chain;
  readonly held: HeldBlocks;
  readonly mempool: Mempool;
  readonly tracker: TransactionTracker;
  readonly intake: TransactionIntake;
  readonly requests: BodyRequests & {
    requestBlock(peer: Uint8Array, hash: Uint8Array, signal: AbortSignal): Promise<Uint8Array | null>;
    requestHistory(peer: Uint8Array, request: HistoryRequest, signal: AbortSignal): Promise<readonly Uint8Array[]>;
  };
  /** The one way into the chain, shared with catch-up. */
  readonly commit: CommitGate['commit'];
  readonly publish: (submissions: readonly { encoded: Uint8Array; attachment: Uint8Array | null }[]) => void;
  readonly behind: BlockWork['behind'];
  readonly askTips: BlockWork['askTips'];
  readonly onExecuted: (seconds: number) => void;
  readonly nowMs: () => number;
}

/** Builds, validates, fetches and applies blocks for consensus. */
export function createBlockWork(dependencies: BlockWorkDependencies): BlockWork {
  const { chain, held, mempool, tracker, intake, requests, nowMs } = dependencies;
  const pace = new BlockPace(() => chain.parameters.viewTimeoutMs);

  function judge(block: HeldBlock, occasion: BlockOccasion): BlockFault | undefined {
    if (block.executed !== undefined)
      return chain.headerFault(block.proposal.header, block.proposal.txHashes, occasion);
    const startMs = performance.now();
    const check = chain.check(block.proposal.header, block.transactions, occasion);
    dependencies.onExecuted((performance.now() - startMs) / 1_000);
    if (check.kind === 'invalid') return check.fault;
    block.executed = check.block;
    return undefined;
  }

  async function collect(proposal: Proposal, deadlineMs: number): Promise<CollectedBodies | undefined> {
    const proposer = chain.validators.validators[decodeHeader(proposal.header).proposer]?.publicKey;
    const first = proposer === undefined ? [] : [proposer];
    const signal = AbortSignal.timeout(deadlineMs);
    return collectBodies(
      {
        genesisHash: chain.genesisHash,
        mempool,
        intake,
        requests,
        attachmentBytesMax: chain.parameters.blockAttachmentBytesMax,
      },
      proposal.txHashes,
      first,
      signal,
    );
  }

  return {
    async build(height, proposer, allowEmpty) {
      if (height !== chain.tip.height + 1 || (mempool.size === 0 && !allowEmpty)) return null;
      const startMs = performance.now();
      const candidates = new Candidates(mempool, startMs + pace.budgetMs);
      const { block, refused } = chain.build(candidates.take(), proposer, nowMs());
      pace.built(height, startMs, candidates.wereLeft);
      dependencies.onExecuted((performance.now() - startMs) / 1_000);
      for (const { decoded, rejection } of refused) {
        mempool.remove(toHex(decoded.txId));
        tracker.rejected(decoded.txId, rejection);
      }
      if (block.transactions.length === 0 && !allowEmpty) return null;
      const proposal = { header: block.encodedHeader, txHashes: block.transactions.map(({ txHash }) => txHash) };
      const attachments = block.transactions.flatMap(({ txId }) => mempool.byId(toHex(txId))?.attachment ?? []);
      held.put({ hash: block.hash, proposal, transactions: block.transactions, attachments, executed: block });
      return proposal;
    },

    async validate(proposal, mode, view, deadlineMs): Promise<ValidationResult> {
      const occasion: BlockOccasion =
        mode === 'fresh' ? { kind: 'fresh', view, nowMs: nowMs() } : { kind: 'reproposed' };
      try {
        pace.received(decodeHeader(proposal.header).height, performance.now());
        const early = chain.headerFault(proposal.header, proposal.txHashes, occasion);
        if (early !== undefined) return invalid(early);
        const hash = blockHash(proposal.header);
        let block = held.get(hash);
        // One that was fetched or proposed again may be held without its attachments.
        if (block === undefined || (mode === 'fresh' && !hasAllAttachments(block))) {
          const bodies = await collect(proposal, deadlineMs);
          if (bodies === undefined) return { kind: 'invalid', provable: false, code: 'bodiesMissing' };
          if (mode === 'fresh' && bodies.missingAttachments > 0)
            return { kind: 'invalid', provable: false, code: 'attachmentsMissing' };
          await intake.verifyAhead(bodies.transactions);
          if (decodeHeader(proposal.header).height !== chain.tip.height + 1)
            return { kind: 'invalid', provable: false, code: 'decidedMeanwhile' };
          block = { hash, proposal, ...bodies, executed: block?.executed };
        }
        const fault = judge(block, occasion);
        if (fault !== undefined) return invalid(fault);
        held.put(block);
        return { kind: 'valid' };
      } catch (error) {
        if (error instanceof DecodeError || error instanceof MalformedBodyError)
          return { kind: 'invalid', provable: true, code: 'malformed' };
        throw error;
      }
    },

    bodiesOf(hash): HeldBodies {
      const block = held.get(hash);
      if (block === undefined) throw new Error(`block ${toHex(hash)} is to be journalled but not held`);
      held.keep(hash);
      return { transactions: block.transactions.map(({ encoded }) => encoded), attachments: block.attachments };
    },

    async fetch(hash, from) {
      const known = held.get(hash);
      if (known !== undefined) return known.proposal;
      const signal = AbortSignal.timeout(FETCH_DEADLINE_MS);
      for (const peer of from) {
        const piece = (offset: number) => requests.requestHistory(peer, { kind: 'piece', hash, offset }, signal);
        const whole = await requests.requestBlock(peer, hash, signal).catch(() => null);
        // One too large for a reply frame comes in pieces.
        const frame = whole ?? (await fetchInPieces(piece).catch(() => undefined));
        const block = frame === undefined ? undefined : readWholeBlock(chain.genesisHash, hash, frame);
        if (block === undefined) continue;
        await intake.verifyAhead(block.transactions);
        held.put(block);
        return block.proposal;
      }
      throw new Error('no signer served the block');
    },

    async decide(proposal, certificate): Promise<HeightContext> {
      const block = held.get(blockHash(proposal.header));
      if (block === undefined) throw new Error('a block is decided that is not held');
      const { height } = decodeHeader(proposal.header);
      await dependencies.commit(height, () => {
        const fault = judge(block, { kind: 'catchUp' });
        if (fault !== undefined || block.executed === undefined)
          throw new Error(`block ${height} is certified but does not execute here: ${fault?.code}, ${fault?.detail}`);
        return [{ block: block.executed, certificate, attachments: block.attachments }];
      });
      pace.committed(height, performance.now());
      return chain.heightContext();
    },

    hasPending: () => mempool.size > 0,

    forwardPending() {
      const oldest = [...mempool.entries()].slice(0, FORWARD_TRANSACTIONS_MAX);
      dependencies.publish(oldest.map(({ decoded, attachment }) => ({ encoded: decoded.encoded, attachment })));
    },

    recheckPending() {
      const pending = [...mempool.entries()];
      const rejections = chain.rejectionsAtHead(
        pending.map(({ decoded }) => decoded),
        nowMs(),
      );
      for (const [place, { decoded }] of pending.entries()) {
        const rejection = rejections[place];
        if (rejection === undefined) continue;
        mempool.remove(toHex(decoded.txId));
        tracker.rejected(decoded.txId, rejection);
      }
      return mempool.size > 0;
    },

    behind: dependencies.behind,
    askTips: dependencies.askTips,
  };
}

/** What waits, oldest first, until building has taken as long as it may. */
class Candidates {
  readonly #mempool: Mempool;
  readonly #endMs: number;
  /** Whether time was up before the pool was at its end. */
  wereLeft = false;

  constructor(mempool: Mempool, endMs: number) {
    this.#mempool = mempool;
    this.#endMs = endMs;
  }

  *take(): Generator<DecodedTransaction> {
    for (const { decoded } of this.#mempool.entries()) {
      this.wereLeft = performance.now() > this.#endMs;
      if (this.wereLeft) return;
      yield decoded;
    }
  }
}

function hasAllAttachments({ transactions, attachments }: HeldBlock): boolean {
  const declared = new Set(
    transactions.flatMap(({ transaction: { attachment } }) => attachment?.hash ?? []).map(toHex),
  );
  return attachments.length >= declared.size;
}

function invalid({ code }: BlockFault): ValidationResult {
  return { kind: 'invalid', provable: BLOCK_FAULTS[code].isProvable, code };
}

/** A block that a peer served by hash; undefined when it is not that block. Its attachments stay with the signers. */
function readWholeBlock(genesisHash: Uint8Array, hash: Uint8Array, frame: Uint8Array): HeldBlock | undefined {
  try {
    const { header, transactions } = decodeBlockFrame(frame);
    if (!equalBytes(blockHash(header), hash)) return undefined;
    const txHashes = transactions.map(transactionHash);
    if (!equalBytes(merkleRoot(txHashes), decodeHeader(header).txRoot)) return undefined;
    const decoded = transactions.map((encoded) => decodeTransaction(genesisHash, encoded));
    return { hash, proposal: { header, txHashes }, transactions: decoded, attachments: [], executed: undefined };
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
