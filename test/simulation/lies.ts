import type { HeightContext } from '../../src/consensus/input.ts';
import {
  type Commit,
  type Message,
  type PrePrepare,
  type Prepare,
  type Proposal,
  prePreparePreimage,
  type ViewChange,
  type ViewChangeClaim,
  viewChangePreimage,
} from '../../src/consensus/messages.ts';
import { blockHash, decodeHeader, encodeHeader } from '../../src/ledger/block.ts';
import type { Certificate } from '../../src/ledger/certificate.ts';
import { VIEW_MAX, votePreimage } from '../../src/ledger/vote.ts';
import { fakeTransaction, makeProposal } from './application.ts';
import { GENESIS_HASH } from './keys.ts';
import type { Prng } from './prng.ts';

/** Signs with the liar's own key, for the ledger of the day: nobody has another's. */
export type Sign = (preimage: (genesisHash: Uint8Array) => Uint8Array) => Uint8Array;

/** The message under another block, signed. */
export function withProposal(sign: Sign, message: PrePrepare, proposal: Proposal): PrePrepare {
  const vote = { height: message.height, view: message.view, blockHash: blockHash(proposal.header) };
  return { ...message, ...vote, proposal, signature: sign((genesisHash) => prePreparePreimage(genesisHash, vote)) };
}

/** A vote of the liar for this block, signed. */
export function signedVote(
  sign: Sign,
  kind: 'Prepare' | 'Commit',
  of: Pick<Prepare, 'height' | 'view' | 'blockHash' | 'signer'>,
): Prepare | Commit {
  const { height, view, signer, blockHash: hash } = of;
  const vote = { height, view, blockHash: hash };
  const signature = sign((genesisHash) => votePreimage(kind === 'Prepare' ? 'PREPARE' : 'COMMIT', genesisHash, vote));
  return { kind, ...vote, signer, signature };
}

/** A VIEWCHANGE that hides what is prepared, claims what is not, names a far view, or has a certificate of nothing. */
export function falseViewChange(prng: Prng, sign: Sign, message: ViewChange): ViewChange {
  const { height, newView, preparedView, preparedHash, signer } = message;
  const lies: readonly ViewChangeClaim[] = [
    { height, newView, preparedView: null, preparedHash: null },
    { height, newView: prng.between(newView, VIEW_MAX), preparedView: null, preparedHash: null },
    { height, newView, preparedView: Math.max(0, newView - 1), preparedHash: preparedHash ?? GENESIS_HASH },
    { height, newView, preparedView, preparedHash },
  ];
  const claim = prng.pick(lies);
  const signature = sign((genesisHash) => viewChangePreimage(genesisHash, claim));
  const certificate =
    claim.preparedView === null ? null : (message.certificate ?? certificateOfOne(claim, signer, signature));
  return { kind: 'ViewChange', ...claim, signer, signature, certificate };
}

function certificateOfOne(claim: ViewChangeClaim, signer: number, signature: Uint8Array): Certificate {
  const of = { height: claim.height, view: claim.preparedView ?? 0, blockHash: claim.preparedHash ?? GENESIS_HASH };
  return { ...of, signatures: [{ signer, signature }] };
}

/** A commit certificate made of PREPAREs heard, of too few signatures, of one's own many times, or of nothing. */
export function falseCertificate(
  prng: Prng,
  sign: Sign,
  heard: readonly Message[],
  own: Pick<Prepare, 'height' | 'view' | 'blockHash' | 'signer'>,
  quorum: number,
): Certificate {
  const votes = heard.filter(
    (message): message is Prepare | Commit =>
      (message.kind === 'Prepare' || message.kind === 'Commit') && message.height === own.height,
  );
  const of = votes.length > 0 ? prng.pick(votes) : own;
  const { height, view, blockHash: hash } = of;
  const same = votes.filter((vote) => vote.view === view && vote.blockHash.join() === hash.join());
  const bySigner = new Map(same.map(({ signer, signature }) => [signer, signature]));
  const mine = signedVote(sign, 'Commit', { ...of, signer: own.signer });
  bySigner.set(own.signer, mine.signature);
  const signatures = [...bySigner].map(([signer, signature]) => ({ signer, signature }));
  if (prng.chance(0.5))
    for (let signer = 0; signatures.length < quorum; signer += 1)
      if (!bySigner.has(signer)) signatures.push({ signer, signature: mine.signature });
  signatures.sort((a, b) => a.signer - b.signer);
  if (prng.chance(0.2)) signatures.fill({ signer: own.signer, signature: mine.signature });
  return { height, view, blockHash: hash, signatures };
}

/** A signed proposal that no honest node may vote for. */
export function invalidProposal(prng: Prng, sign: Sign, message: PrePrepare, context: HeightContext): PrePrepare {
  const { proposal } = message;
  const header = decodeHeader(proposal.header);
  const with_ = (change: Partial<typeof header>) =>
    withProposal(sign, message, { ...proposal, header: encodeHeader({ ...header, ...change }) });
  const variants: readonly (() => PrePrepare)[] = [
    () => with_({ stateRoot: GENESIS_HASH }),
    () => with_({ txRoot: GENESIS_HASH }),
    () => with_({ height: header.height + 1 }),
    () => with_({ previousHash: header.stateRoot }),
    () => with_({ timestampMs: header.timestampMs + 60_000 }),
    () => with_({ timestampMs: context.parentTimestampMs }),
    () => with_({ proposer: (header.proposer + 1) % context.validators.validators.length }),
    () => with_({ validatorsHash: GENESIS_HASH }),
    () => withProposal(sign, message, makeProposal(context, header.proposer, 1, [fakeTransaction(prng.between(0, 9))])),
    () => ({ ...message, proposal: { ...proposal, txHashes: [...proposal.txHashes, GENESIS_HASH] } }),
    () => ({ ...message, justification: { viewChanges: [], certificate: certificateOfNothing(message) } }),
  ];
  return prng.pick(variants)();
}

/** What a relay can make of another's proposal without its key: the signature covers view and hash only. */
export function spoiltProposal(prng: Prng, message: PrePrepare): PrePrepare {
  const { proposal, justification } = message;
  return prng.pick([
    { ...message, proposal: { ...proposal, txHashes: [...proposal.txHashes, GENESIS_HASH] } },
    { ...message, proposal: { ...proposal, header: proposal.header.slice(0, -1) } },
    { ...message, justification: { ...justification, viewChanges: justification.viewChanges.slice(1) } },
    { ...message, justification: { ...justification, certificate: certificateOfNothing(message) } },
  ]);
}

/** The statement under a far height or view: half of them signed as they stand. */
export function farAway(prng: Prng, sign: Sign, vote: Prepare | Commit, where: 'height' | 'view'): Message {
  const far =
    where === 'height'
      ? { ...vote, height: vote.height + prng.pick([1, 2, 1_000, 2 ** 40]) }
      : { ...vote, view: prng.pick([vote.view + 1, vote.view + 17, prng.between(vote.view, VIEW_MAX), VIEW_MAX]) };
  if (prng.chance(0.3)) {
    const claim = { height: far.height, newView: Math.max(1, far.view), preparedView: null, preparedHash: null };
    const signature = sign((genesisHash) => viewChangePreimage(genesisHash, claim));
    return { kind: 'ViewChange', ...claim, signer: vote.signer, signature, certificate: null };
  }
  return prng.chance(0.7) ? signedVote(sign, vote.kind, far) : far;
}

function certificateOfNothing({ height, view, blockHash: hash }: PrePrepare): Certificate {
  return { height, view: Math.max(0, view - 1), blockHash: hash, signatures: [] };
}
