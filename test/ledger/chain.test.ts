import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { equalBytes, toHex } from '../../src/codec/bytes.ts';
import { decode } from '../../src/codec/cbor.ts';
import { FAMILIES, type Family } from '../../src/ledger/state.ts';
import { emptyMap, rootHash, updateMap } from '../../src/ledger/state-map.ts';
import { mapChanges } from '../../src/ledger/state-overlay.ts';
import type { DecodedTransaction } from '../../src/ledger/transaction.ts';
import {
  amendAction,
  child,
  colleague,
  createAction,
  doctor,
  infant,
  north,
  parent,
  patient,
  SampleLedger,
} from './sample-ledger.ts';

const PATIENTS = [patient, child, infant] as const;
const CONSENTING = [patient, parent, north] as const;

/** What a client may send: often right, often not. */
interface Step {
  readonly kind: 'create' | 'amend' | 'again';
  readonly record: number;
  readonly version: number;
  /** Whether somebody else than who controls the patient consents. */
  readonly isStrange: boolean;
  readonly validMs: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('create', 'create', 'amend', 'amend', 'again'),
  record: fc.integer({ min: 0, max: 2 }),
  version: fc.constantFrom(1, 1, 2, 3),
  isStrange: fc.constantFrom(false, false, false, true),
  validMs: fc.constantFrom(60_000, 60_000, 95_000, 95_000, 2_000, -1, 700_000),
});
const block = fc.record({
  steps: fc.array(step, { minLength: 3, maxLength: 9 }),
  view: fc.constantFrom(0, 0, 0, 1, 2),
  elapsedMs: fc.constantFrom(1, 1_000, 90_000),
});

function transactionOf(ledger: SampleLedger, sent: readonly DecodedTransaction[], wish: Step): DecodedTransaction {
  const earlier = sent[wish.record];
  if (wish.kind === 'again' && earlier !== undefined) return earlier;
  const salt = `record ${wish.record}`;
  const validUntilMs = ledger.parent.timestampMs + wish.validMs;
  if (wish.kind === 'amend')
    return ledger.transaction(
      amendAction(ledger.recordId(doctor, salt), { expectedVersion: wish.version, author: colleague.address }),
      [colleague, CONSENTING[(wish.record + (wish.isStrange ? 1 : 0)) % 3]!],
      { salt: `${salt} version ${wish.version} ${validUntilMs}`, validUntilMs },
    );
  const action = createAction({ patient: PATIENTS[wish.record]!.address });
  return ledger.transaction(action, [doctor, north], { salt, validUntilMs });
}

/** The values of a family in a ledger's state. */
function valuesOf<T>(ledger: SampleLedger, family: Family<T>): T[] {
  return ledger.state
    .entries()
    .filter(({ key }) => key[0] === family.code)
    .map(({ value }) => decode(family.schema, value!, family.bytesMax));
}

function checkInvariants(ledger: SampleLedger): void {
  const whole = updateMap(emptyMap, mapChanges(ledger.state.entries()));
  assert.is(toHex(rootHash(whole)), toHex(rootHash(ledger.map)));
  for (const { validUntilMs } of valuesOf(ledger, FAMILIES.recentIds))
    assert.ok(validUntilMs >= ledger.parent.timestampMs);
  const versions = valuesOf(ledger, FAMILIES.record).reduce((sum, { version }) => sum + version, 0);
  const logged = valuesOf(ledger, FAMILIES.patientLog).reduce((sum, { count }) => sum + count, 0);
  assert.is(logged, versions, 'each version stands in one patient log');
}

test('whatever clients send, every node arrives at the same chain', () => {
  const appliedOf: Partial<Record<string, number>> = {};
  void fc.assert(
    fc.property(fc.array(block, { minLength: 3, maxLength: 6 }), (blocks) => {
      const [builder, follower] = [new SampleLedger(), new SampleLedger()];
      const sent: DecodedTransaction[] = [];
      const applied = new Set<string>();
      for (const { steps, view, elapsedMs } of blocks) {
        const candidates = steps.map((wish) => transactionOf(builder, sent, wish));
        sent.push(...candidates);
        const built = builder.build(candidates, { view, timestampMs: builder.parent.timestampMs + elapsedMs }).block;
        const occasion = { kind: 'fresh', view, nowMs: built.header.timestampMs } as const;
        const check = follower.check(built, {}, occasion);
        assert.is(check.kind, 'valid');
        if (check.kind !== 'valid') return;
        assert.ok(equalBytes(check.block.hash, built.hash));
        for (const { txId } of built.transactions) {
          assert.not.ok(applied.has(toHex(txId)), 'a transaction applies once');
          applied.add(toHex(txId));
        }
        for (const { kind } of built.receipts) appliedOf[kind] = (appliedOf[kind] ?? 0) + 1;
        builder.commit(built);
        follower.commit(check.block);
      }
      checkInvariants(builder);
      checkInvariants(follower);
    }),
    { numRuns: 25 },
  );
  assert.ok(appliedOf['record.create'] && appliedOf['record.amend'], 'the runs say something');
});

test.run();
