import { equalBytes, toHex } from '../../codec/bytes.ts';
import type { EvidenceSubmit, SignedClaim, Statement } from '../action.ts';
import { rejected } from '../rejection.ts';
import { evidenceKey, FAMILIES, isInForce } from '../state.ts';
import { prePreparePreimage, viewChangePreimage, votePreimage } from '../vote.ts';
import { type ActionRules, type Attestation, refusal, stateWrite } from './action-rules.ts';

/** So many heights below the tip evidence is taken. */
const EVIDENCE_HEIGHTS_MAX = 10_000;

/**
 * Two different payloads of one validator in one slot, by whichever key its seat had at that height. It changes
 * nothing but what is known: the members decide what follows (consensus.md §10).
 */
export const evidenceSubmit: ActionRules<EvidenceSubmit> = {
  fault({ pair }) {
    const isSame =
      pair.kind === 'votes'
        ? equalBytes(pair.first.blockHash, pair.second.blockHash)
        : isSameClaim(pair.first, pair.second);
    return isSame ? rejected('invalidAction', 'the two payloads are the same') : undefined;
  },

  plan(view, action, context) {
    const { submitter, accused, height, view: slotView } = action;
    const submitterTenure = view.read(FAMILIES.tenure, submitter);
    if (submitterTenure === undefined || !isInForce(submitterTenure, context.height))
      return refusal(rejected('unknownValidator', `${toHex(submitter)} is no validator of height ${context.height}`));
    if (height > context.height || height + EVIDENCE_HEIGHTS_MAX < context.height)
      return refusal(
        rejected(
          'evidenceOutsideWindow',
          `height ${height} is not in the ${EVIDENCE_HEIGHTS_MAX} up to ${context.height}`,
        ),
      );
    const tenure = view.read(FAMILIES.tenure, accused);
    if (tenure === undefined || !isInForce(tenure, height))
      return refusal(rejected('unknownValidator', `${toHex(accused)} was no validator of height ${height}`));
    const key = evidenceKey(tenure.seat, height);
    if (view.read(FAMILIES.evidence, key) !== undefined)
      return refusal(rejected('evidenceKnown', `evidence about ${toHex(accused)} near height ${height} is known`));

    const { organisation } = tenure;
    const statement: Statement = action.pair.kind === 'votes' ? action.pair.statement : 'VIEWCHANGE';
    const shown = { accused, organisation, statement, height, view: slotView };
    const { txId, height: recordedAt } = context;
    return {
      kind: 'plan',
      bindings: { organisation: submitterTenure.organisation, validator: submitter },
      organisation: submitterTenure.organisation,
      newAccount: null,
      validator: { publicKey: submitter, organisation: submitterTenure.organisation },
      attestations: attestationsOf(action, context.genesisHash),
      writes: [stateWrite(FAMILIES.evidence, key, { ...shown, txId, recordedAt })],
      receipt: { kind: 'evidence.submit', ...shown },
    };
  },
};

function isSameClaim(a: SignedClaim, b: SignedClaim): boolean {
  if (a.preparedView !== b.preparedView) return false;
  return a.preparedHash === null || b.preparedHash === null
    ? a.preparedHash === b.preparedHash
    : equalBytes(a.preparedHash, b.preparedHash);
}

function attestationsOf(action: EvidenceSubmit, genesisHash: Uint8Array): readonly Attestation[] {
  const { accused: publicKey, height, view, pair } = action;
  if (pair.kind === 'viewChanges')
    return [pair.first, pair.second].map(({ preparedView, preparedHash, signature }) => ({
      publicKey,
      preimage: viewChangePreimage(genesisHash, { height, newView: view, preparedView, preparedHash }),
      signature,
      name: 'a VIEWCHANGE of the evidence',
    }));
  const { statement } = pair;
  return [pair.first, pair.second].map(({ blockHash, signature }) => {
    const vote = { height, view, blockHash };
    const preimage =
      statement === 'PREPREPARE' ? prePreparePreimage(genesisHash, vote) : votePreimage(statement, genesisHash, vote);
    return { publicKey, preimage, signature, name: `a ${statement} of the evidence` };
  });
}
