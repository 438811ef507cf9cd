import { equalBytes, toHex } from '../codec/bytes.ts';
import { decode } from '../codec/cbor.ts';
import { merkleRoot } from '../crypto/merkle.ts';
import { verifySignature } from '../crypto/node/verify.ts';
import { blockHash, decodeHeader, type Header } from '../ledger/block.ts';
import { CERTIFICATE_BYTES_MAX, certificateFault, certificateSchema } from '../ledger/certificate.ts';
import { genesisHashAt, type LedgerStart, lastBlockBefore, ledgerLine } from '../ledger/ledger-start.ts';
import { decodeTransaction } from '../ledger/transaction.ts';
import {
  makeValidatorSet,
  VALIDATOR_LIST_BYTES_MAX,
  type ValidatorSet,
  validatorListSchema,
} from '../ledger/validator-set.ts';
import type { Store } from '../storage/block-store.ts';
import { deriveState } from './derived-state.ts';
import { damageText, present } from './stored-item.ts';
import { storedSets } from './stored-sets.ts';
import type { VerifyResult } from './verify-result.ts';

type Damage = Extract<VerifyResult, { kind: 'damaged' }>;

/**
 * Checks the ledger of a node that joined by a snapshot, as far as it can be without the state of that time: links,
 * certificates and bodies from the snapshot's block on, and the stored state against the root of the last block. What
 * executing the blocks gives was checked when they were applied.
 */
export async function verifyRecent(
  store: Store,
  start: LedgerStart,
  onBlock: (height: number, tipHeight: number) => void,
): Promise<VerifyResult> {
  const fromHeight = store.historyFrom;
  const tip = store.tip()!;
  const sets = storedSets(store);
  const counts = { transactions: 0, attachments: 0, attachmentsMissing: 0 };
  let before: Block | undefined;
  for (let height = fromHeight - 1; height <= tip.height; height += 1) {
    try {
      const encoded = present(await store.header(height), 'header');
      const block = { header: decodeHeader(encoded), hash: blockHash(encoded) };
      const fault =
        (before === undefined ? undefined : linkFault(before, block, start)) ??
        (await certificateProblem(store, block, sets, genesisHashAt(start, height))) ??
        (height < fromHeight
          ? undefined
          : await bodiesFault(store, block.header, genesisHashAt(start, height), counts));
      if (fault !== undefined) return { kind: 'damaged', height, detail: fault };
      before = block;
    } catch (error) {
      const detail = damageText(error);
      if (detail === undefined) throw error;
      return { kind: 'damaged', height, detail };
    }
    onBlock(height, tip.height);
  }
  const restartProblem = restartLinkFault(before!, start);
  if (restartProblem !== undefined) return { kind: 'damaged', height: tip.height, detail: restartProblem };
  const stateRoot = startAfter(start, tip.height)?.restart?.stateRoot ?? before!.header.stateRoot;
  const stateFault = await storedStateFault(store, stateRoot);
  if (stateFault !== undefined) return stateFault;
  return { kind: 'sound', fromHeight, height: tip.height, ...counts, tipHash: tip.hash, stateRoot };
}

interface Block {
  readonly header: Header;
  readonly hash: Uint8Array;
}

/** The ledger that goes on from the block of this height; undefined where its own goes on. */
function startAfter(start: LedgerStart, height: number): LedgerStart | undefined {
  return ledgerLine(start).findLast(({ parent, restart }) => restart !== undefined && parent.height === height);
}

/** That a restart goes on from this very block. Who signed it was checked against the state of that time, when applied. */
function restartLinkFault({ header, hash }: Block, start: LedgerStart): string | undefined {
  const next = startAfter(start, header.height);
  if (next === undefined || equalBytes(lastBlockBefore(next)!, hash)) return undefined;
  return 'the restart goes on from another block';
}

function linkFault(before: Block, { header }: Block, start: LedgerStart): string | undefined {
  if (header.height !== before.header.height + 1) return `its header says height ${header.height}`;
  const restarted = startAfter(start, before.header.height);
  if (restarted !== undefined) {
    if (!equalBytes(header.previousHash, restarted.genesisHash)) return 'it does not build on the restart before';
    if (!equalBytes(header.validatorsHash, makeValidatorSet(restarted.validators).hash))
      return 'its validators are not those of the restart';
    return restartLinkFault(before, start);
  }
  if (!equalBytes(header.previousHash, before.hash)) return 'it does not build on the block before';
  return equalBytes(header.validatorsHash, before.header.nextValidatorsHash)
    ? undefined
    : 'its validators are not those that the block before names';
}

/** The set is that of the state, or the one kept when a block put it in force; each has the hash that it is named by. */
async function certificateProblem(
  store: Store,
  { header, hash }: Block,
  sets: readonly ValidatorSet[],
  genesisHash: Uint8Array,
): Promise<string | undefined> {
  const encoded = present(await store.certificate(header.height), 'certificate');
  const certificate = decode(certificateSchema, encoded, CERTIFICATE_BYTES_MAX);
  if (certificate.height !== header.height || !equalBytes(certificate.blockHash, hash))
    return `the commit certificate is for block ${certificate.height}, ${toHex(certificate.blockHash)}, not for this one`;
  const set = sets.find((known) => equalBytes(known.hash, header.validatorsHash)) ?? (await keptSet(store, header));
  const fault = certificateFault('COMMIT', certificate, set, genesisHash, verifySignature);
  return fault === undefined ? undefined : `the commit certificate proves no commit (${fault})`;
}

async function keptSet(store: Store, { validatorsHash }: Header): Promise<ValidatorSet> {
  const list = present(await store.validatorList(validatorsHash), 'validators');
  return makeValidatorSet(decode(validatorListSchema, list, VALIDATOR_LIST_BYTES_MAX));
}

async function bodiesFault(
  store: Store,
  header: Header,
  genesisHash: Uint8Array,
  counts: { transactions: number; attachments: number; attachmentsMissing: number },
): Promise<string | undefined> {
  const bodies = present(await store.bodies(header.height), 'transactions');
  const transactions = bodies.map((encoded) => decodeTransaction(genesisHash, encoded));
  if (!equalBytes(merkleRoot(transactions.map(({ txHash }) => txHash)), header.txRoot))
    return 'the stored transactions are not those of its txRoot';
  for (const [place, { txId, transaction }] of transactions.entries()) {
    const location = await store.locate(txId);
    if (location?.height !== header.height || location.index !== place)
      return `transaction ${place} (${toHex(txId)}) is not found by its id`;
    if (transaction.attachment === null) continue;
    if ((await store.attachment(transaction.attachment.hash)) === undefined) counts.attachmentsMissing += 1;
    else counts.attachments += 1;
  }
  counts.transactions += transactions.length;
  return undefined;
}

async function storedStateFault(store: Store, stateRoot: Uint8Array): Promise<Damage | undefined> {
  if ((await deriveState(store.allState(), stateRoot)) !== undefined) return undefined;
  return { kind: 'damaged', height: null, detail: 'the stored state is not the one that the last block commits to' };
}
