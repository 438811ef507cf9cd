import { RULES, type Rules } from '../../src/consensus/parameters.ts';
import { faultyMax } from '../../src/ledger/validator-set.ts';

/** Rules broken on purpose, to show that the simulator sees the consequences. */
export const MUTANTS = {
  /** Two quorums of 2f+1 among 5 or 6 need not share an honest node. */
  quorumOf2f1: {
    quorumSize: (validators) => 2 * faultyMax(validators) + 1,
    certificateFault(kind, certificate, set, genesisHash, verify) {
      const fault = RULES.certificateFault(kind, certificate, set, genesisHash, verify);
      const isEnough = certificate.signatures.length >= 2 * faultyMax(set.validators.length) + 1;
      return fault === 'quorum' && isEnough ? undefined : fault;
    },
  },
  /** A VIEWCHANGE claims nothing, so a block decided by some is not proposed again. */
  preparedDropped: { carriesPrepared: false },
  /** A message leaves before its record is on disk. */
  sendBeforeSync: { syncsBeforeSending: false },
} satisfies Record<string, Partial<Rules>>;
