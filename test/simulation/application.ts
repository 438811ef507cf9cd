import { concatBytes, uintBytes, utf8 } from '../../src/codec/bytes.ts';
import type { HeightContext } from '../../src/consensus/input.ts';
import type { Proposal } from '../../src/consensus/messages.ts';
import { DEFAULT_PARAMETERS } from '../../src/consensus/parameters.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { merkleRoot } from '../../src/crypto/merkle.ts';
import { blockHash, decodeHeader, encodeHeader, type Header } from '../../src/ledger/block.ts';
import type { ValidatorSet } from '../../src/ledger/validator-set.ts';
import { GENESIS_HASH } from './keys.ts';

/** The leaf hash of a made-up transaction. */
export function fakeTransaction(number: number): Uint8Array {
  return sha256(concatBytes(utf8('transaction'), uintBytes(number, 6)));
}

const NOTHING = new Uint8Array(0);

/** A height, of the first ledger or of the one that it was restarted as. */
export type LedgerContext = HeightContext & { readonly genesisHash?: Uint8Array };

/**
 * A block of a trivial application: the roots depend on the chain and on the transactions. `extra` is what a broken
 * application executes besides.
 */
export function makeProposal(
  context: LedgerContext,
  proposer: number,
  clockMs: number,
  txHashes: readonly Uint8Array[],
  extra: Uint8Array = NOTHING,
): Proposal {
  const header = encodeHeader({
    version: context.parameters.version,
    genesisHash: context.genesisHash ?? GENESIS_HASH,
    height: context.height,
    previousHash: context.previousHash,
    timestampMs: Math.max(context.parentTimestampMs + 1, clockMs),
    proposer,
    txRoot: merkleRoot(txHashes),
    indexRoot: sha256(concatBytes(...txHashes)),
    stateRoot: stateRootAfter(context, txHashes, extra),
    validatorsHash: context.validators.hash,
    nextValidatorsHash: context.nextValidators.hash,
    txCount: txHashes.length,
    bodyBytes: 100 * txHashes.length,
    executionCost: txHashes.length,
  });
  return { header, txHashes };
}

const headers = new WeakMap<Uint8Array, { readonly header: Header; readonly hash: Uint8Array }>();

/** Header and hash of a block, decoded once however many nodes look. */
export function headerOf(proposal: Proposal): { readonly header: Header; readonly hash: Uint8Array } {
  let known = headers.get(proposal.header);
  if (known === undefined) {
    known = { header: decodeHeader(proposal.header), hash: blockHash(proposal.header) };
    headers.set(proposal.header, known);
  }
  return known;
}

/** The state root that an honest node computes; the parent's hash stands for all that went before. */
export function stateRootAfter(
  context: HeightContext,
  txHashes: readonly Uint8Array[],
  extra: Uint8Array = NOTHING,
): Uint8Array {
  return sha256(concatBytes(context.previousHash, ...txHashes, extra));
}

/** The context of the height after `tip`, of a ledger whose validators never change; of height 1 without a tip. */
export function contextAfter(validators: ValidatorSet, tip: Proposal | undefined): HeightContext {
  const header = tip && decodeHeader(tip.header);
  return {
    height: (header?.height ?? 0) + 1,
    validators,
    nextValidators: validators,
    eligible: validators.validators.map((_, index) => index),
    previousHash: tip === undefined ? GENESIS_HASH : blockHash(tip.header),
    parentTimestampMs: header?.timestampMs ?? 0,
    parameters: DEFAULT_PARAMETERS,
  };
}
