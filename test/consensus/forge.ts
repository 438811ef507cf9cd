import { utf8 } from '../../src/codec/bytes.ts';
import {
  type Message,
  messagePreimage,
  type Proposal,
  type SignedViewChange,
  viewChangePreimage,
} from '../../src/consensus/messages.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { blockHash } from '../../src/ledger/block.ts';
import type { Certificate } from '../../src/ledger/certificate.ts';
import type { ValidatorSet } from '../../src/ledger/validator-set.ts';
import { votePreimage } from '../../src/ledger/vote.ts';
import { fakeSign, GENESIS_HASH } from '../simulation/keys.ts';

type Words = ReadonlyMap<string, string>;

/**
 * A message of validator `as`, correctly signed, with the content that the words tell: `Prepare view=0 block=A`,
 * `ViewChange view=2 prepared=0/A signers=0,1,2`, `PrePrepare view=1 block=A parts=0,1,2 prepared=0/A signers=0,1,2`.
 * `badSignatures` spoils the certificate's, `claimants` names the parts that claim it (default: the first).
 */
export function forgeMessage(
  set: ValidatorSet,
  as: number,
  height: number,
  words: readonly string[],
  proposalOf: (name: string) => Proposal | undefined,
): Message {
  const [kind, ...fields] = words;
  const given: Words = new Map(fields.map((field) => field.split('=') as [string, string]));
  const view = Number(given.get('view') ?? 0);
  const hashOf = (name: string) => {
    const proposal = proposalOf(name);
    return proposal === undefined ? sha256(utf8(name)) : blockHash(proposal.header);
  };
  const heightGiven = given.has('height') ? Number(given.get('height')) : height;
  const unsigned = { height: heightGiven, signer: as, signature: new Uint8Array(64) };
  const certificate = certificateOf(set, heightGiven, given, hashOf);
  const vote = { view, blockHash: hashOf(given.get('block') ?? 'A') };
  switch (kind) {
    case 'Prepare':
    case 'Commit':
      return signed(set, { kind, ...unsigned, ...vote });
    case 'ViewChange': {
      const claim = {
        newView: view,
        preparedView: certificate?.view ?? null,
        preparedHash: certificate?.blockHash ?? null,
      };
      return signed(set, { kind, ...unsigned, ...claim, certificate: given.has('bare') ? null : certificate });
    }
    case 'PrePrepare': {
      const proposal = proposalOf(given.get('content') ?? given.get('block') ?? 'A')!;
      const signers = list(given.get('parts'));
      const claimants = given.has('claimants') ? list(given.get('claimants')) : signers.slice(0, 1);
      const viewChanges = signers.map((signer) =>
        partOf(
          set,
          signer,
          heightGiven,
          Number(given.get('partView') ?? view),
          claimants.includes(signer) ? certificate : null,
        ),
      );
      const justification = { viewChanges, certificate: given.has('bare') ? null : certificate };
      return signed(set, { kind, ...unsigned, ...vote, proposal, justification });
    }
    default:
      throw new Error(`cannot forge ${kind}`);
  }
}

function signed<M extends Exclude<Message, { kind: 'Decided' | 'Status' }>>(set: ValidatorSet, message: M): M {
  const { publicKey } = set.validators[message.signer]!;
  return { ...message, signature: fakeSign(publicKey, messagePreimage(GENESIS_HASH, message)!) };
}

function certificateOf(
  set: ValidatorSet,
  height: number,
  given: Words,
  hashOf: (name: string) => Uint8Array,
): Certificate | null {
  const prepared = given.get('prepared');
  if (prepared === undefined) return null;
  const [view, name] = prepared.split('/') as [string, string];
  const vote = { height, view: Number(view), blockHash: hashOf(name) };
  const preimage = votePreimage('PREPARE', GENESIS_HASH, vote);
  const signatures = list(given.get('signers')).map((signer) => ({
    signer,
    signature: given.has('badSignatures') ? new Uint8Array(64) : fakeSign(set.validators[signer]!.publicKey, preimage),
  }));
  return { ...vote, signatures };
}

function partOf(
  set: ValidatorSet,
  signer: number,
  height: number,
  newView: number,
  certificate: Certificate | null,
): SignedViewChange {
  const claim = {
    height,
    newView,
    preparedView: certificate?.view ?? null,
    preparedHash: certificate?.blockHash ?? null,
  };
  return {
    ...claim,
    signer,
    signature: fakeSign(set.validators[signer]!.publicKey, viewChangePreimage(GENESIS_HASH, claim)),
  };
}

function list(text: string | undefined): readonly number[] {
  return text === undefined || text === '' ? [] : text.split(',').map(Number);
}
