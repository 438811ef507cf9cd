import type { Logger } from 'pino';
import { toHex } from '../codec/bytes.ts';
import { decode, encode } from '../codec/cbor.ts';
import type { EvidencePair as ReportedPair } from '../consensus/effect.ts';
import { domainPrefix } from '../crypto/hash.ts';
import type { Signer } from '../crypto/signer.ts';
import type { EvidencePair } from '../ledger/action.ts';
import {
  SALT_BYTES,
  TRANSACTION_VERSION,
  type TransactionBody,
  transactionPreimage,
  transactionSchema,
} from '../ledger/transaction.ts';
import { viewChangeClaimSchema, voteSchema } from '../ledger/vote.ts';
import type { Chain } from './chain.ts';
import type { TransactionIntake } from './transaction-intake.ts';

/** Most bytes of what a vote or a claim says. */
const PAYLOAD_BYTES_MAX = 128;

/** With what evidence is handed in. */
interface EvidenceDependencies {
  readonly chain: Pick<Chain, 'genesisHash' | 'parameters' | 'tip'>;
  readonly intake: Pick<TransactionIntake, 'submit'>;
  readonly signer: Signer;
  readonly log: Logger;
  readonly nowMs: () => number;
}

/** A report handed in, until its transaction is decided or can not be any more. */
interface OpenReport {
  readonly pair: ReportedPair;
  validUntilMs: number;
}

/** Reports kept to be handed in again; of more than so many at once the ledger would take few. */
const OPEN_REPORTS_MAX = 256;

/**
 * What consensus reports of other validators, on its way to the ledger, where it is known to all. A transaction that no
 * block took while it was valid, as on a ledger that stood still, is made anew, until the ledger says that it has an
 * entry of that seat or wants none.
 */
export class EvidenceReports {
  readonly #dependencies: EvidenceDependencies;
  #open: OpenReport[] = [];

  constructor(dependencies: EvidenceDependencies) {
    this.#dependencies = dependencies;
  }

  /** Logs the report and hands it in. */
  report(pair: ReportedPair): void {
    this.#dependencies.log.error(fieldsOf(pair), 'a validator signed two different statements for one slot');
    if (this.#open.length >= OPEN_REPORTS_MAX) this.#open.shift();
    const report = { pair, validUntilMs: 0 };
    this.#open.push(report);
    this.#handIn(report);
  }

  /** A block of this time is committed: none later takes what was valid until before it. */
  blockCommitted(timestampMs: number): void {
    for (const report of this.#open) if (report.validUntilMs < timestampMs) this.#handIn(report);
  }

  #handIn(report: OpenReport): void {
    const { chain, intake, signer, log, nowMs } = this.#dependencies;
    const fields = fieldsOf(report.pair);
    report.validUntilMs = nowMs() + Math.floor(chain.parameters.maxValidityMs / 2);
    const encoded = evidenceTransaction(chain.genesisHash, signer, report.pair, report.validUntilMs);
    intake.submit([{ encoded, attachment: null }]).then(
      ([outcome]) => {
        log.info({ ...fields, outcome: outcome?.status }, 'evidence handed in');
        if (outcome?.status.kind !== 'Rejected') return;
        const isTooEarly = outcome.status.code === 'poolFull' || report.pair.height > chain.tip.height;
        // With the next block, or never.
        if (isTooEarly) report.validUntilMs = 0;
        else this.#open = this.#open.filter((other) => other !== report);
      },
      (error: unknown) => log.warn({ ...fields, err: error }, 'evidence was not handed in'),
    );
  }
}

function fieldsOf({ height, view, statement, publicKey }: ReportedPair) {
  return { height, view, statement, publicKey: toHex(publicKey) };
}

/**
 * The transaction with which this validator puts on the ledger that another signed two payloads in one slot; signed by
 * the validator key, which stands in the place of an account (PROTOCOL.md §6). Equal reports give equal bytes but for
 * `validUntilMs`.
 */
function evidenceTransaction(
  genesisHash: Uint8Array,
  signer: Signer,
  reported: ReportedPair,
  validUntilMs: number,
): Uint8Array {
  const { height, view, publicKey: accused } = reported;
  const body: TransactionBody = {
    version: TRANSACTION_VERSION,
    validUntilMs,
    salt: new Uint8Array(SALT_BYTES),
    action: { kind: 'evidence.submit', submitter: signer.publicKey, accused, height, view, pair: pairOf(reported) },
    attachment: null,
  };
  const bytes = signer.sign(transactionPreimage(genesisHash, body));
  return encode(transactionSchema, { ...body, signatures: [{ account: signer.publicKey, keyIndex: 0, bytes }] });
}

/** The core tells what was signed as bytes; the ledger takes the fields, so that both are of one slot by their form. */
function pairOf({ statement, first, second }: ReportedPair): EvidencePair {
  if (statement === 'VIEWCHANGE') {
    const claimOf = ({ preimage, signature }: typeof first) => {
      const claim = decode(viewChangeClaimSchema, payloadOf(statement, preimage), PAYLOAD_BYTES_MAX);
      return { preparedView: claim.preparedView, preparedHash: claim.preparedHash, signature };
    };
    return { kind: 'viewChanges', first: claimOf(first), second: claimOf(second) };
  }
  const voteOf = ({ preimage, signature }: typeof first) => {
    const { blockHash } = decode(voteSchema, payloadOf(statement, preimage), PAYLOAD_BYTES_MAX);
    return { blockHash, signature };
  };
  return { kind: 'votes', statement, first: voteOf(first), second: voteOf(second) };
}

function payloadOf(statement: ReportedPair['statement'], preimage: Uint8Array): Uint8Array {
  return preimage.subarray(domainPrefix(statement).length + 32);
}
