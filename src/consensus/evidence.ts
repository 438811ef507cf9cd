import type { EvidencePair } from './effect.ts';
import { messagePreimage } from './messages.ts';
import { type Core, count, emit, type OwnMessage, publicKeyOf, report } from './state.ts';

const STATEMENTS = {
  PrePrepare: 'PREPREPARE',
  Prepare: 'PREPARE',
  Commit: 'COMMIT',
  ViewChange: 'VIEWCHANGE',
} as const;

type Statement = Pick<OwnMessage, 'height' | 'signer' | 'signature'> & OwnMessage;

/** Two verified messages of one signer in one slot with different payloads. Told once per height, kind and signer. */
export function giveEvidence(core: Core, first: Statement, second: Statement): void {
  const statement = STATEMENTS[first.kind];
  count(core, 'equivocation');
  const slot = `${statement}/${first.signer}`;
  if (core.height.evidenced.has(slot)) return;
  core.height.evidenced.add(slot);
  const pair: EvidencePair = {
    height: first.height,
    view: first.kind === 'ViewChange' ? first.newView : first.view,
    statement,
    signer: first.signer,
    publicKey: publicKeyOf(core, first.signer),
    first: signedPreimageOf(core, first),
    second: signedPreimageOf(core, second),
  };
  emit(core, { kind: 'Evidence', pair });
  report(core, 'warn', 'equivocation', `validator ${first.signer} signed two ${statement} in one slot`);
}

function signedPreimageOf(core: Core, message: Statement) {
  return { preimage: messagePreimage(core.config.genesisHash, message)!, signature: message.signature };
}
