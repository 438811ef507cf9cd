import { equalBytes, toHex } from '../codec/bytes.ts';
import { merkleRoot } from '../crypto/merkle.ts';
import { HEADER_VERSION, type Header } from './block.ts';
import {
  type BlockCap,
  type BlockProposal,
  blockContext,
  type ExecutedBlock,
  type ExecutionParts,
  executeBlock,
  type LedgerState,
  type ParentBlock,
  validatorSets,
} from './block-execution.ts';
import { protocolVersionAt } from './parameters.ts';
import { eligiblePrimaries, primaryOf } from './proposer-skip.ts';
import { StateOverlay } from './state-overlay.ts';
import type { DecodedTransaction } from './transaction.ts';

/** Why a block is not valid; the list is closed. */
type BlockFaultCode = keyof typeof BLOCK_FAULTS;

/** The first thing found wrong with a block: its code, and what it is in this block, in words. */
export interface BlockFault {
  readonly code: BlockFaultCode;
  readonly detail: string;
}

/** On what occasion a block is judged (consensus.md §4): only a fresh one by the proposer's turn and the clock. */
export type BlockOccasion =
  | { readonly kind: 'fresh'; readonly view: number; readonly nowMs: number }
  | { readonly kind: 'reproposed' }
  | { readonly kind: 'catchUp' };

/**
 * The closed list, in the order of the checks. `isProvable`: the proposer is at fault beyond doubt, which is ground
 * for a view change at once. `version` is not: this node may be the one that is out of date.
 */
export const BLOCK_FAULTS = {
  version: {
    meaning: 'the header is not of the version in force, or this build does not know that version',
    isProvable: false,
  },
  genesis: { meaning: 'the block belongs to another ledger', isProvable: true },
  height: { meaning: 'the height does not follow the parent', isProvable: true },
  previousHash: { meaning: 'the block does not build on our parent', isProvable: true },
  timestampOrder: { meaning: 'the timestamp is not after the parent', isProvable: true },
  proposerSkipped: { meaning: 'the proposer is no eligible validator of this height', isProvable: true },
  wrongProposer: { meaning: 'a fresh block by another than the primary of its view', isProvable: true },
  timestampAhead: { meaning: 'a fresh block from further in the future than precisionMs', isProvable: false },
  validators: { meaning: 'validatorsHash is not the set of this height', isProvable: true },
  nextValidators: { meaning: 'nextValidatorsHash is not the set of the next height', isProvable: true },
  txCount: { meaning: 'txCount is not the number of transactions listed', isProvable: true },
  overCap: { meaning: 'the block is larger than a cap allows', isProvable: true },
  txRoot: { meaning: 'txRoot is not the root over the transactions listed', isProvable: true },
  bodyBytes: { meaning: 'bodyBytes is not the sum of the encodings', isProvable: true },
  transaction: { meaning: 'a transaction does not apply in its place', isProvable: true },
  executionCost: { meaning: 'executionCost is not what the transactions cost', isProvable: true },
  indexRoot: { meaning: 'indexRoot is not the root of the index', isProvable: true },
  stateRoot: { meaning: 'stateRoot is not the root after execution', isProvable: true },
} as const satisfies Readonly<Record<string, { readonly meaning: string; readonly isProvable: boolean }>>;

/** What judging a block came to. */
export type BlockCheck =
  | { readonly kind: 'valid'; readonly block: ExecutedBlock }
  | { readonly kind: 'invalid'; readonly fault: BlockFault };

/**
 * The first thing wrong with a header and the list of its transaction hashes, before any body is held; undefined when
 * nothing is. `state` is the state after `parent`.
 */
export function headerFault(
  state: LedgerState,
  parent: ParentBlock,
  header: Header,
  txHashes: readonly Uint8Array[],
  occasion: BlockOccasion,
  genesisHash: Uint8Array,
  newestVersion = HEADER_VERSION,
): BlockFault | undefined {
  const view = new StateOverlay(state.reader);
  const { parameters, height } = blockContext(view, { parent, timestampMs: header.timestampMs }, genesisHash);
  const version = protocolVersionAt(parameters, height);
  if (version > newestVersion)
    return fault('version', `version ${version} is in force, this build knows ${newestVersion}: update the node`);
  if (header.version !== version) return fault('version', `version ${header.version}, in force is ${version}`);
  if (!equalBytes(header.genesisHash, genesisHash)) return fault('genesis', toHex(header.genesisHash));
  if (header.height !== height) return fault('height', `${header.height} on top of ${parent.height}`);
  if (!equalBytes(header.previousHash, parent.hash))
    return fault('previousHash', `${toHex(header.previousHash)}, the parent is ${toHex(parent.hash)}`);
  if (header.timestampMs <= parent.timestampMs)
    return fault('timestampOrder', `${header.timestampMs}, the parent is of ${parent.timestampMs}`);

  const eligible = eligiblePrimaries(view, height);
  if (!eligible.includes(header.proposer)) return fault('proposerSkipped', `validator ${header.proposer}`);
  if (occasion.kind === 'fresh') {
    const primary = primaryOf(eligible, height, occasion.view);
    if (header.proposer !== primary)
      return fault('wrongProposer', `validator ${header.proposer} in the turn of ${primary}`);
    if (header.timestampMs > occasion.nowMs + parameters.precisionMs)
      return fault('timestampAhead', `${header.timestampMs - occasion.nowMs} ms ahead of this node's clock`);
  }
  const { current, scheduled } = validatorSets(view);
  if (!equalBytes(header.validatorsHash, current.hash)) return fault('validators', toHex(header.validatorsHash));
  if (!equalBytes(header.nextValidatorsHash, scheduled.hash))
    return fault('nextValidators', toHex(header.nextValidatorsHash));
  if (header.txCount !== txHashes.length)
    return fault('txCount', `${header.txCount} for ${txHashes.length} transactions`);
  const { blockTransactionsMax, blockBodyBytesMax, executionCostMax } = parameters;
  if (header.txCount > blockTransactionsMax) return overCap('transactions');
  if (header.bodyBytes > blockBodyBytesMax) return overCap('bodyBytes');
  if (header.executionCost > executionCostMax) return overCap('executionCost');
  if (!equalBytes(header.txRoot, merkleRoot(txHashes))) return fault('txRoot', toHex(header.txRoot));
  return undefined;
}

/**
 * Judges a block with its bodies, by the closed list in its order, and executes it once; the result is kept by block
 * hash until the height is decided. Attachments and signatures of votes are not looked at here.
 */
export function checkBlock(
  state: LedgerState,
  parent: ParentBlock,
  header: Header,
  transactions: readonly DecodedTransaction[],
  occasion: BlockOccasion,
  parts: ExecutionParts,
): BlockCheck {
  const txHashes = transactions.map(({ txHash }) => txHash);
  const early = headerFault(state, parent, header, txHashes, occasion, parts.genesisHash, parts.newestVersion);
  if (early !== undefined) return { kind: 'invalid', fault: early };
  const bodyBytes = transactions.reduce((sum, { encoded }) => sum + encoded.length, 0);
  if (bodyBytes !== header.bodyBytes)
    return { kind: 'invalid', fault: fault('bodyBytes', `${header.bodyBytes} for ${bodyBytes} bytes`) };

  const proposal: BlockProposal = { parent, timestampMs: header.timestampMs, proposer: header.proposer };
  const outcome = executeBlock(state, proposal, transactions, parts);
  if (outcome.kind === 'full') return { kind: 'invalid', fault: overCap(outcome.cap) };
  if (outcome.kind === 'rejected') {
    const { code, detail } = outcome.rejection;
    return { kind: 'invalid', fault: fault('transaction', `transaction ${outcome.index}: ${code}, ${detail}`) };
  }
  const { block } = outcome;
  const late = executedFault(header, block.header);
  return late === undefined ? { kind: 'valid', block } : { kind: 'invalid', fault: late };
}

/** Where a header differs from the one that execution arrives at. */
function executedFault(claimed: Header, executed: Header): BlockFault | undefined {
  if (claimed.executionCost !== executed.executionCost)
    return fault('executionCost', `${claimed.executionCost}, execution finds ${executed.executionCost}`);
  for (const root of ['indexRoot', 'stateRoot'] as const) {
    if (!equalBytes(claimed[root], executed[root]))
      return fault(root, `${toHex(claimed[root])}, execution finds ${toHex(executed[root])}`);
  }
  return undefined;
}

function overCap(cap: BlockCap): BlockFault {
  return fault('overCap', `more ${cap} than the parameters in force allow`);
}

function fault(code: BlockFaultCode, detail: string): BlockFault {
  return { code, detail: `${BLOCK_FAULTS[code].meaning}: ${detail}` };
}
