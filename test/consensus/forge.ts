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
import { type Vote, votePreimage } from '../../src/ledger/vote.ts';
import { fakeSign, GENESIS_HASH } from '../simulation/keys.ts';

type Words = ReadonlyMap<string, string>;

/**
 * A message of validator `as`, correctly signed, with the content that the words tell: `Prepare view=0 block=A`,
 * `ViewChange view=2 prepared=0/A signers=0,1,2`, `PrePrepare view=1 block=A parts=0,1,2 prepared=0/A signers=0,1,2`.
 * `badSignatures` spoils the certificate's, `claimants` names the parts that claim it (default: the first), `list` is
 * the block whose list of transactions stands beside the header. `Decided view=0 block=A signers=0,1,2 votes=PREPARE`
 * is a certificate of such votes. `signedAs` puts the signature of another kind under the message, `genesis` that of
 * another ledger.
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
  const certificate = preparedOf(set, heightGiven, given, hashOf);
  const sign = <M extends SignedMessage>(message: M) => signed(set, message, given);
  const vote = { view, blockHash: hashOf(given.get('block') ?? 'A') };
  switch (kind) {
    case 'Prepare':
    case 'Commit':
      return sign({ kind, ...unsigned, ...vote });
    case 'ViewChange': {
      const claim = {
        newView: view,
        preparedView: certificate?.view ?? null,
        preparedHash: certificate?.blockHash ?? null,
      };
      return sign({ kind, ...unsigned, ...claim, certificate: given.has('bare') ? null : certificate });
    }
    case 'PrePrepare': {
      const content = proposalOf(given.get('content') ?? given.get('block') ?? 'A')!;
      const { txHashes } = proposalOf(given.get('list') ?? '') ?? content;
      const proposal = { header: content.header, txHashes };
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
      return sign({ kind, ...unsigned, ...vote, proposal, justification });
    }
    case 'Decided': {
      const statement = given.get('votes') === 'PREPARE' ? 'PREPARE' : 'COMMIT';
      const decidedVote = { height: heightGiven, ...vote };
      const signers = list(given.get('signers'));
      return { kind, certificate: forgeCertificate(set, statement, decidedVote, signers, genesisOf(given)) };
    }
    default:
      throw new Error(`cannot forge ${kind}`);
  }
}

/** The certificate of these signers, each signature good. */
export function forgeCertificate(
  set: ValidatorSet,
  kind: 'PREPARE' | 'COMMIT',
  vote: Vote,
  signers: readonly number[],
  genesisHash = GENESIS_HASH,
): Certificate {
  const preimage = votePreimage(kind, genesisHash, vote);
  const signatures = signers.map((signer) => ({
    signer,
    signature: fakeSign(set.validators[signer]!.publicKey, preimage),
  }));
  return { ...vote, signatures };
}

type SignedMessage = Exclude<Message, { kind: 'Decided' | 'Status' }>;

function signed<M extends SignedMessage>(set: ValidatorSet, message: M, given: Words): M {
  const { publicKey } = set.validators[message.signer]!;
  const kind = (given.get('signedAs') ?? message.kind) as M['kind'];
  const preimage = messagePreimage(genesisOf(given), { ...message, kind } as M)!;
  return { ...message, signature: fakeSign(publicKey, preimage) };
}

function genesisOf(given: Words): Uint8Array {
  const name = given.get('genesis');
  return name === undefined ? GENESIS_HASH : sha256(utf8(name));
}

function preparedOf(
  set: ValidatorSet,
  height: number,
  given: Words,
  hashOf: (name: string) => Uint8Array,
): Certificate | null {
  const prepared = given.get('prepared');
  if (prepared === undefined) return null;
  const [view, name] = prepared.split('/') as [string, string];
  const vote = { height, view: Number(view), blockHash: hashOf(name) };
  const certificate = forgeCertificate(set, 'PREPARE', vote, list(given.get('signers')));
  if (!given.has('badSignatures')) return certificate;
  const signatures = certificate.signatures.map(({ signer }) => ({ signer, signature: new Uint8Array(64) }));
  return { ...certificate, signatures };
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
