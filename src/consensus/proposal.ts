import { equalBytes } from '../codec/bytes.ts';
import { DecodeError } from '../codec/decode-error.ts';
import { merkleRoot } from '../crypto/merkle.ts';
import { blockHash, decodeHeader, type Header } from '../ledger/block.ts';
import type { HeightContext } from './input.ts';
import type { Proposal } from './messages.ts';
import { primaryOf } from './state.ts';

/** What a proposal's header and list alone can be refused for, in the order of the checks. */
export type ProposalFault =
  | 'hashMismatch'
  | 'headerMalformed'
  | 'unknownVersion'
  | 'otherGenesis'
  | 'otherHeight'
  | 'otherParent'
  | 'otherValidators'
  | 'txCount'
  | 'txRoot'
  | 'wrongProposer'
  | 'timestampNotAfterParent';

/**
 * Checks a proposal before any body is fetched. A fresh one must name the primary of its view as proposer and be
 * younger than its parent; of a re-proposed one a quorum has found that already. Every fault is provable, but
 * another version than the one in force: the proposer's build may be out of date, and it is honest.
 */
export function proposalFault(
  genesisHash: Uint8Array,
  context: HeightContext,
  view: number,
  hash: Uint8Array,
  proposal: Proposal,
  mode: 'fresh' | 'reproposed',
): ProposalFault | undefined {
  if (!equalBytes(blockHash(proposal.header), hash)) return 'hashMismatch';
  const header = headerOf(proposal);
  if (header === undefined) return 'headerMalformed';
  if (header.version !== context.parameters.version) return 'unknownVersion';
  if (!equalBytes(header.genesisHash, genesisHash)) return 'otherGenesis';
  if (header.height !== context.height) return 'otherHeight';
  if (!equalBytes(header.previousHash, context.previousHash)) return 'otherParent';
  if (!equalBytes(header.validatorsHash, context.validators.hash)) return 'otherValidators';
  if (!equalBytes(header.nextValidatorsHash, context.nextValidators.hash)) return 'otherValidators';
  if (header.txCount !== proposal.txHashes.length) return 'txCount';
  if (!equalBytes(header.txRoot, merkleRoot(proposal.txHashes))) return 'txRoot';
  if (mode === 'reproposed') return undefined;
  if (header.proposer !== primaryOf(context, view)) return 'wrongProposer';
  return header.timestampMs > context.parentTimestampMs ? undefined : 'timestampNotAfterParent';
}

function headerOf(proposal: Proposal): Header | undefined {
  try {
    return decodeHeader(proposal.header);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
