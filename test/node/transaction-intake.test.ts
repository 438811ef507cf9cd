import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { attachmentReference } from '../../src/ledger/attachment.ts';
import { attachments, genesis } from '../fuzz/ledger-corpus.ts';
import { openNodeFixture } from '../fuzz/node-fixture.ts';
import { createAction, doctor, north, SampleLedger } from '../ledger/sample-ledger.ts';

const [attachment, other] = attachments as [Uint8Array, Uint8Array];

test('a transaction without its attachment is not pending: no timer runs for it, and no primary lists it', async () => {
  const { intake, mempool, close } = await openNodeFixture();
  try {
    const ledger = new SampleLedger(genesis);
    const change = { attachment: attachmentReference(attachment) };
    const { encoded } = ledger.transaction(createAction(), [doctor, north], change);
    for (const [sent, code] of [
      [null, 'attachmentMissing'],
      [other, 'attachmentMismatch'],
    ] as const) {
      const [outcome] = await intake.submit([{ encoded, attachment: sent }]);
      assert.ok(outcome?.status.kind === 'Rejected' && outcome.status.code === code);
      assert.is(await intake.receive([{ encoded, attachment: sent }]), 1);
      assert.is(mempool.size, 0);
    }
    const [outcome] = await intake.submit([{ encoded, attachment }]);
    assert.is(outcome?.status.kind, 'Pending');
    assert.is(mempool.size, 1);
  } finally {
    await close();
  }
});

test.run();
