// What consensus reports of a validator that signed twice becomes a transaction that the ledger takes.
import { pino } from 'pino';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { toHex, utf8 } from '../../src/codec/bytes.ts';
import type { EvidencePair } from '../../src/consensus/effect.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import type { Signer } from '../../src/crypto/signer.ts';
import { rejected } from '../../src/ledger/rejection.ts';
import { evidenceKey, FAMILIES } from '../../src/ledger/state.ts';
import { decodeTransaction } from '../../src/ledger/transaction.ts';
import { prePreparePreimage, viewChangePreimage, votePreimage } from '../../src/ledger/vote.ts';
import { EvidenceReports } from '../../src/node/evidence.ts';
import type { Submission, TransactionStatus } from '../../src/node/ports.ts';
import { SampleLedger, START_MS, validatorSigners } from '../ledger/sample-ledger.ts';

const [accused, witness] = validatorSigners as [Signer, Signer, Signer, Signer];
const [one, other] = [sha256(utf8('one')), sha256(utf8('other'))];

function preimagesOf(ledger: SampleLedger, statement: EvidencePair['statement']): readonly [Uint8Array, Uint8Array] {
  const { genesisHash } = ledger;
  const slot = { height: 1, view: 2 };
  if (statement === 'VIEWCHANGE') {
    const claim = { height: 1, newView: 2, preparedView: null, preparedHash: null };
    const prepared = { ...claim, preparedView: 1, preparedHash: one };
    return [viewChangePreimage(genesisHash, claim), viewChangePreimage(genesisHash, prepared)];
  }
  const preimage = (blockHash: Uint8Array) =>
    statement === 'PREPREPARE'
      ? prePreparePreimage(genesisHash, { ...slot, blockHash })
      : votePreimage(statement, genesisHash, { ...slot, blockHash });
  return [preimage(one), preimage(other)];
}

function reportOf(ledger: SampleLedger, statement: EvidencePair['statement']): EvidencePair {
  const [first, second] = preimagesOf(ledger, statement).map((preimage) => ({
    preimage,
    signature: accused.sign(preimage),
  }));
  const { publicKey } = accused;
  return { height: 1, view: 2, statement, signer: 0, publicKey, first: first!, second: second! };
}

/** Reports to this ledger; what is submitted is listed, and answered with `status`. */
function reportsTo(ledger: SampleLedger, status: () => TransactionStatus, nowMs: () => number = () => START_MS) {
  const submitted: Submission[] = [];
  const heights = { tip: 1 };
  const reports = new EvidenceReports({
    chain: {
      genesisHash: ledger.genesisHash,
      get tip() {
        return { height: heights.tip, hash: one, timestampMs: nowMs() };
      },
      parameters: { ...ledger.view.read(FAMILIES.parameters, new Uint8Array(0))! },
    },
    intake: {
      submit: async (submissions) => {
        submitted.push(...submissions);
        return submissions.map(() => ({ txId: null, status: status() }));
      },
    },
    signer: witness,
    log: pino({ level: 'silent' }),
    nowMs,
  });
  return { reports, submitted, heights };
}

for (const statement of ['PREPREPARE', 'PREPARE', 'COMMIT', 'VIEWCHANGE'] as const) {
  test(`two ${statement} in one slot are handed in, and the ledger takes them`, () => {
    const ledger = new SampleLedger();
    const { reports, submitted } = reportsTo(ledger, () => ({ kind: 'Pending' }));
    reports.report(reportOf(ledger, statement));
    assert.is(submitted.length, 1);
    const decoded = decodeTransaction(ledger.genesisHash, submitted[0]!.encoded);
    ledger.advance([decoded]);
    const entry = ledger.view.read(FAMILIES.evidence, evidenceKey(accused.publicKey, 1))!;
    assert.equal([toHex(entry.accused), entry.statement, entry.view], [toHex(accused.publicKey), statement, 2]);
  });
}

test('what no block took while it was valid is handed in again, until the ledger has an entry', async () => {
  const ledger = new SampleLedger();
  let nowMs = START_MS;
  let status: TransactionStatus = { kind: 'Pending' };
  const { reports, submitted } = reportsTo(
    ledger,
    () => status,
    () => nowMs,
  );
  reports.report(reportOf(ledger, 'COMMIT'));
  await settled();
  const { validUntilMs } = decodeTransaction(ledger.genesisHash, submitted[0]!.encoded).transaction;
  reports.blockCommitted(validUntilMs);
  assert.is(submitted.length, 1);

  nowMs = validUntilMs + 1;
  reports.blockCommitted(nowMs);
  assert.is(submitted.length, 2);
  const again = decodeTransaction(ledger.genesisHash, submitted[1]!.encoded).transaction;
  assert.ok(again.validUntilMs > nowMs);
  await settled();

  status = { kind: 'Rejected', retryable: false, ...rejected('evidenceKnown', 'it is known') };
  nowMs = again.validUntilMs + 1;
  reports.blockCommitted(nowMs);
  await settled();
  reports.blockCommitted(nowMs + 3_600_000);
  assert.is(submitted.length, 3);
});

test('what was shown before its height is decided is handed in again with the next block', async () => {
  const ledger = new SampleLedger();
  const tooEarly = rejected('evidenceOutsideWindow', 'that height is not there yet');
  const { reports, submitted, heights } = reportsTo(ledger, () => ({ kind: 'Rejected', retryable: true, ...tooEarly }));
  heights.tip = 0;
  reports.report(reportOf(ledger, 'PREPARE'));
  await settled();
  heights.tip = 1;
  reports.blockCommitted(START_MS);
  assert.is(submitted.length, 2);
  await settled();
  reports.blockCommitted(START_MS + 3_600_000);
  assert.is(submitted.length, 2, 'refused at its height, so for good');
});

/** What was resolved has been heard of. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test.run();
