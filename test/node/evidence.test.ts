// What consensus reports of a validator that signed twice becomes a transaction that the ledger takes.
import { pino } from 'pino';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { toHex, utf8 } from '../../src/codec/bytes.ts';
import type { EvidencePair } from '../../src/consensus/effect.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import type { Signer } from '../../src/crypto/signer.ts';
import { evidenceKey, FAMILIES } from '../../src/ledger/state.ts';
import { decodeTransaction } from '../../src/ledger/transaction.ts';
import { prePreparePreimage, viewChangePreimage, votePreimage } from '../../src/ledger/vote.ts';
import { handInEvidence } from '../../src/node/evidence.ts';
import type { Submission } from '../../src/node/ports.ts';
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

for (const statement of ['PREPREPARE', 'PREPARE', 'COMMIT', 'VIEWCHANGE'] as const) {
  test(`two ${statement} in one slot are handed in, and the ledger takes them`, () => {
    const ledger = new SampleLedger();
    const submitted: Submission[] = [];
    const handIn = handInEvidence({
      chain: {
        genesisHash: ledger.genesisHash,
        parameters: { ...ledger.view.read(FAMILIES.parameters, new Uint8Array(0))! },
      },
      intake: {
        submit: async (submissions) => {
          submitted.push(...submissions);
          return submissions.map(() => ({ txId: null, status: { kind: 'Pending' } as const }));
        },
      },
      signer: witness,
      log: pino({ level: 'silent' }),
      nowMs: () => START_MS,
    });
    handIn(reportOf(ledger, statement));
    assert.is(submitted.length, 1);
    const decoded = decodeTransaction(ledger.genesisHash, submitted[0]!.encoded);
    ledger.advance([decoded]);
    const entry = ledger.view.read(FAMILIES.evidence, evidenceKey(accused.publicKey, 1))!;
    assert.equal([toHex(entry.accused), entry.statement, entry.view], [toHex(accused.publicKey), statement, 2]);
  });
}

test.run();
