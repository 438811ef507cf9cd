import { uintBytes } from '../codec/bytes.ts';
import { ACTION_CODES } from './action.ts';
import type { Receipt } from './receipt.ts';

/** What a key of a block's transaction index names (index.md, inner). */
export type IndexFamily = 'txId' | 'record' | 'patient' | 'author' | 'organisation' | 'actionKind';

/** One thing that a transaction of a block can be found by. */
export interface IndexKey {
  readonly family: IndexFamily;
  /** The thing's own bytes: an id, an address; for a kind of action its code, u16be. */
  readonly key: Uint8Array;
  /** Place of the transaction in its block. */
  readonly txIndex: number;
}

/** A block's index as its builder makes it: the root that the header commits to, and pages to keep. */
export interface BlockIndex {
  readonly root: Uint8Array;
  readonly pages: Uint8Array;
}

/** Every key of the applied transaction at `txIndex`: a total function of its id and receipt. */
export function indexKeys(txIndex: number, txId: Uint8Array, receipt: Receipt): readonly IndexKey[] {
  const keys: IndexKey[] = [
    { family: 'txId', key: txId, txIndex },
    { family: 'actionKind', key: uintBytes(ACTION_CODES[receipt.kind], 2), txIndex },
  ];
  // What concerns all members is found by its kind.
  if (receipt.kind === 'parameters.set') return keys;
  keys.push({ family: 'organisation', key: receipt.organisation, txIndex });
  switch (receipt.kind) {
    case 'account.register':
      if (receipt.role === 'patient') keys.push({ family: 'patient', key: receipt.address, txIndex });
      if (receipt.role === 'doctor') keys.push({ family: 'author', key: receipt.address, txIndex });
      return keys;
    case 'record.create':
    case 'record.amend':
      keys.push(
        { family: 'record', key: receipt.recordId, txIndex },
        { family: 'patient', key: receipt.patient, txIndex },
        { family: 'author', key: receipt.author, txIndex },
      );
      return keys;
    case 'validator.add':
    case 'validator.remove':
    case 'validator.rotate':
    case 'evidence.submit':
      return keys;
  }
}
