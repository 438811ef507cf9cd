import { equalBytes } from '../codec/bytes.ts';
import { decode } from '../codec/cbor.ts';
import type { Input, JournalStanding } from '../consensus/input.ts';
import { journalVerdict } from '../consensus/recovery.ts';
import { type Core, createCore } from '../consensus/state.ts';
import { step } from '../consensus/step.ts';
import { verifySignature } from '../crypto/node/verify.ts';
import type { Signer } from '../crypto/signer.ts';
import { CERTIFICATE_BYTES_MAX, certificateSchema } from '../ledger/certificate.ts';
import { decodeTransaction } from '../ledger/transaction.ts';
import type { Store } from '../storage/block-store.ts';
import type { Chain } from './chain.ts';
import { EffectRunner, type EffectRunnerDependencies } from './effect-runner.ts';
import type { HeldBlocks } from './held-blocks.ts';
import type { JournalContent } from './journal-keeper.ts';

/** How often STATUS is sent, and own messages again while nothing is decided, in milliseconds. */
const STATUS_MS = 5_000;
const RETRANSMIT_MS = 1_000;

/** The core of this node. The parameters of its ledger come with each height. */
export function createNodeCore(chain: Chain, signer: Signer): Core {
  return createCore({
    genesisHash: chain.genesisHash,
    intervals: { retransmitMs: RETRANSMIT_MS, statusMs: STATUS_MS },
    publicKey: signer.publicKey,
    sign: (preimage) => signer.sign(preimage),
    verify: verifySignature,
  });
}

/** A runner for the core, with what it needs. */
export function createRunner(core: Core, dependencies: Omit<EffectRunnerDependencies, 'step'>): EffectRunner {
  return new EffectRunner({ ...dependencies, step: (input) => step(core, input) });
}

/** The first input: where the chain stands, and what the journal says we signed beyond it. */
export async function startInput(chain: Chain, store: Store, journal: JournalContent): Promise<Input> {
  const { height } = chain.tip;
  // At the start the certificate that is there, if any, is one of the ledger before.
  const certificate = height === chain.startHeight ? undefined : await store.certificate(height);
  const verdict = journalVerdict(journal.records, height, chain.startHeight);
  const standing: JournalStanding = verdict === 'fresh' ? 'intact' : verdict;
  return {
    kind: 'Start',
    context: chain.heightContext(),
    tip: certificate === undefined ? null : decode(certificateSchema, certificate, CERTIFICATE_BYTES_MAX),
    records: journal.records.filter(
      (record) => record.kind !== 'Proposal' || hasBodies(journal, record.message.blockHash),
    ),
    journal: standing,
  };
}

/** A proposal whose bodies are torn off was never synced as a whole, so nothing was sent on its strength. */
function hasBodies(journal: JournalContent, blockHash: Uint8Array): boolean {
  return journal.bodies.some((entry) => equalBytes(entry.blockHash, blockHash));
}

/** Takes the bodies of undecided blocks over from the journal, so that they can be decided and served. */
export function restoreHeldBlocks(held: HeldBlocks, journal: JournalContent, chain: Chain): void {
  const bodies = new Map(journal.bodies.map((entry) => [entry.blockHash.join(), entry]));
  for (const record of journal.records) {
    if (record.kind !== 'Proposal' || record.message.height <= chain.tip.height) continue;
    const { blockHash, proposal } = record.message;
    const entry = bodies.get(blockHash.join());
    if (entry === undefined) continue;
    const transactions = entry.transactions.map((encoded) => decodeTransaction(chain.genesisHash, encoded));
    held.put({ hash: blockHash, proposal, transactions, attachments: entry.attachments, executed: undefined });
    held.keep(blockHash);
  }
}
