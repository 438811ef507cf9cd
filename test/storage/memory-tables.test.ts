import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NonceTable } from '../../src/storage/nonce-table.ts';

test('a full nonce table refuses, and takes again once some have expired', () => {
  const table = new NonceTable(3);
  for (const nonce of ['a', 'b', 'c']) assert.is(table.use(nonce, 5000, 0).kind, 'fresh');
  assert.equal(table.use('d', 9000, 4000), { kind: 'refused', reason: 'full' });
  assert.equal(table.use('a', 9000, 4000), { kind: 'refused', reason: 'seen' });
  assert.equal(table.use('d', 9000, 5000), { kind: 'fresh', forgotten: ['a', 'b', 'c'] });
  assert.equal(table.use('e', 5000, 5000), { kind: 'refused', reason: 'expired' });
});

test.run();
