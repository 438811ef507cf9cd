import { toHex } from '../codec/bytes.ts';
import type { VerifierPool } from '../crypto/node/verifier-pool.ts';
import { verifySignature } from '../crypto/node/verify.ts';
import { isAttachmentOf } from '../ledger/attachment.ts';
import { readTransaction } from '../ledger/execution.ts';
import { type Rejection, rejected } from '../ledger/rejection.ts';
import { type DecodedTransaction, transactionHash } from '../ledger/transaction.ts';
import type { AdmissionQueue } from './admission-queue.ts';
import type { Chain } from './chain.ts';
import type { Mempool } from './mempool.ts';
import type { Submission, SubmissionOutcome, TransactionStatus } from './ports.ts';
import type { SignatureCache } from './signature-cache.ts';
import { resolveSignatures } from './signature-resolution.ts';
import { statusOf, type TransactionTracker } from './transaction-tracker.ts';

/** What transactions pass through, and who hears of them. */
export interface IntakeDependencies {
  readonly chain: Chain;
  readonly mempool: Mempool;
  readonly signatures: SignatureCache;
  readonly verifier: VerifierPool;
  readonly queue: AdmissionQueue;
  readonly tracker: TransactionTracker;
  /** Sends transactions that came from a client to the other members. */
  readonly publish: (submissions: readonly Submission[]) => void;
  /** A client's transaction was refused. */
  readonly onRejected: (code: string) => void;
  /** Something was added to the pool. */
  readonly onAdded: () => void;
  readonly nowMs: () => number;
}

/** So few signatures are verified at once: handing them to a thread and back costs as much. */
const INLINE_SIGNATURES_MAX = 4;

interface Candidate {
  readonly decoded: DecodedTransaction;
  readonly attachment: Uint8Array | null;
}

/**
 * Where transactions enter the node: from clients, who learn at once what is wrong, and from members. Signatures are
 * verified in worker threads, in batches, before anything else sees the transaction.
 */
export class TransactionIntake {
  readonly #dependencies: IntakeDependencies;
  /** Hexadecimal transaction hash → its admission under way, so that a proposal naming it can wait instead of asking. */
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(dependencies: IntakeDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Takes transactions of a client when it is their turn: one outcome each, in order. A repeated one gets the first one's
   * status.
   */
  submit(submissions: readonly Submission[]): Promise<readonly SubmissionOutcome[]> {
    return this.#dependencies.queue.run(
      submissions.length,
      () => this.#submit(submissions),
      () => submissions.map((submission) => this.#refuse(submission)),
    );
  }

  #refuse(submission: Submission): SubmissionOutcome {
    this.#dependencies.onRejected('poolFull');
    const read = this.#read(submission);
    const status = statusOf(rejected('poolFull', 'more transactions wait than blocks have room for'));
    return 'code' in read ? { txId: null, status: statusOf(read) } : { txId: read.decoded.txId, status };
  }

  async #submit(submissions: readonly Submission[]): Promise<readonly SubmissionOutcome[]> {
    const outcomes = new Array<SubmissionOutcome | undefined>(submissions.length);
    const candidates: { readonly place: number; readonly candidate: Candidate }[] = [];
    for (const [place, submission] of submissions.entries()) {
      const read = this.#read(submission);
      if ('code' in read) {
        outcomes[place] = { txId: null, status: statusOf(read) };
        continue;
      }
      const { txId } = read.decoded;
      const known = await this.#knownStatus(read.decoded);
      if (known.kind === 'Pending' || known.kind === 'Committed') outcomes[place] = { txId, status: known };
      else {
        const fault = attachmentFault(read);
        if (fault === undefined) candidates.push({ place, candidate: read });
        else outcomes[place] = { txId, status: statusOf(fault) };
      }
    }
    const all = candidates.map(({ candidate }) => candidate);
    await this.#verify(all);
    const rejections = this.#dependencies.chain.rejectionsAtHead(
      all.map(({ decoded }) => decoded),
      this.#dependencies.nowMs(),
    );
    const accepted: Submission[] = [];
    for (const [order, { place, candidate }] of candidates.entries()) {
      const rejection = rejections[order] ?? this.#add(candidate);
      if (rejection === undefined)
        accepted.push({ encoded: candidate.decoded.encoded, attachment: candidate.attachment });
      const status: TransactionStatus = rejection === undefined ? { kind: 'Pending' } : statusOf(rejection);
      outcomes[place] = { txId: candidate.decoded.txId, status };
    }
    if (accepted.length > 0) {
      this.#dependencies.publish(accepted);
      this.#dependencies.onAdded();
    }
    for (const outcome of outcomes)
      if (outcome?.status.kind === 'Rejected') this.#dependencies.onRejected(outcome.status.code);
    return outcomes.map((outcome) => outcome!);
  }

  /**
   * Takes transactions that a member sent. What is malformed, lacks its attachment or carries a bad signature is
   * dropped; returns how many were. Whether the rest applies is found when a block is made.
   */
  async receive(submissions: readonly Submission[]): Promise<number> {
    const { chain, mempool } = this.#dependencies;
    const { height } = chain.tip;
    const candidates = new Map<string, Candidate>();
    for (const submission of submissions) {
      // The same comes more than once when views are slow: a hash costs a tenth of decoding.
      const txHash = toHex(transactionHash(submission.encoded));
      if (mempool.byHash(txHash) !== undefined || this.#underWay.has(txHash)) continue;
      const read = this.#read(submission);
      if ('code' in read || attachmentFault(read) !== undefined) continue;
      const { txId } = read.decoded;
      if (mempool.byId(toHex(txId)) === undefined && !chain.isRecent(txId)) candidates.set(txHash, read);
    }
    const work = this.#admit([...candidates.values()], height);
    for (const txHash of candidates.keys()) this.#underWay.set(txHash, work);
    try {
      await work;
    } finally {
      for (const txHash of candidates.keys()) this.#underWay.delete(txHash);
    }
    return submissions.length - candidates.size;
  }

  /** Resolves once the admission of this transaction, if one is under way, has ended. */
  async settled(txHashHex: string): Promise<void> {
    await this.#underWay.get(txHashHex)?.catch(() => undefined);
  }

  /** Verifies the signatures of these transactions ahead of execution, in worker threads. */
  async verifyAhead(transactions: readonly DecodedTransaction[]): Promise<void> {
    await this.#verify(transactions.map((decoded) => ({ decoded, attachment: null })));
  }

  /** Adds those that verify and that no block since `height` has, at which none of them was applied. */
  async #admit(candidates: readonly Candidate[], height: number): Promise<void> {
    const { chain, mempool, onAdded } = this.#dependencies;
    const isValid = await this.#verify(candidates);
    const isSame = chain.tip.height === height;
    let added = 0;
    for (const [place, candidate] of candidates.entries()) {
      if (isValid[place] !== true || (!isSame && chain.isRecent(candidate.decoded.txId))) continue;
      if (mempool.add(candidate) === 'added') added += 1;
    }
    if (added > 0) onAdded();
  }

  #read({ encoded, attachment }: Submission): Candidate | Rejection {
    const read = readTransaction(this.#dependencies.chain.genesisHash, encoded);
    return read.kind === 'rejected' ? read.rejection : { decoded: read.decoded, attachment };
  }

  /** The status of a transaction that came before. One still valid that was applied is among the recent ids. */
  async #knownStatus({ txId, transaction }: DecodedTransaction): Promise<TransactionStatus> {
    const { chain, mempool, tracker } = this.#dependencies;
    const isOpen = transaction.validUntilMs >= chain.tip.timestampMs;
    if (isOpen && mempool.byId(toHex(txId)) === undefined && !chain.isRecent(txId)) return { kind: 'Unknown' };
    return tracker.status(txId);
  }

  #add(candidate: Candidate): Rejection | undefined {
    const { mempool } = this.#dependencies;
    const added = mempool.add(candidate);
    return added === 'full' ? rejected('poolFull', `${mempool.size} transactions wait already`) : undefined;
  }

  /** False for a transaction of which a signature was found bad; signatures of unknown keys are left to execution. */
  async #verify(candidates: readonly Candidate[]): Promise<boolean[]> {
    const { chain, signatures, verifier } = this.#dependencies;
    const accountAt = chain.accountsAtHead();
    const checks = candidates.flatMap(({ decoded }, place) =>
      resolveSignatures(accountAt, decoded)
        .filter(({ message, publicKey, signature }) => !signatures.has(message, publicKey, signature))
        .map((check) => ({ place, check })),
    );
    const results =
      checks.length <= INLINE_SIGNATURES_MAX
        ? checks.map(({ check }) => verifySignature(check.signature, check.message, check.publicKey))
        : await verifier.verify(checks.map(({ check }) => check));
    const isValid = candidates.map(() => true);
    for (const [order, { place, check }] of checks.entries()) {
      if (results[order] === true) signatures.add(check.message, check.publicKey, check.signature);
      else isValid[place] = false;
    }
    return isValid;
  }
}

function attachmentFault({ decoded, attachment }: Candidate): Rejection | undefined {
  const reference = decoded.transaction.attachment;
  if (reference === null)
    return attachment === null ? undefined : rejected('attachmentMismatch', 'the transaction names no attachment');
  if (attachment === null) return rejected('attachmentMissing', 'send the attachment with the transaction');
  return isAttachmentOf(reference, attachment)
    ? undefined
    : rejected('attachmentMismatch', 'the attachment has another hash or length than the transaction says');
}
