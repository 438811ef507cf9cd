import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { VerifierPool } from '../../src/crypto/node/verifier-pool.ts';
import { verifySignature } from '../../src/crypto/node/verify.ts';
import { encodeGenesis } from '../../src/ledger/genesis.ts';
import { readLedgerStart } from '../../src/ledger/ledger-start.ts';
import { AdmissionQueue } from '../../src/node/admission-queue.ts';
import type { Chain } from '../../src/node/chain.ts';
import { Mempool } from '../../src/node/mempool.ts';
import { openChain } from '../../src/node/open-chain.ts';
import { SignatureCache } from '../../src/node/signature-cache.ts';
import { TransactionIntake } from '../../src/node/transaction-intake.ts';
import { TransactionTracker } from '../../src/node/transaction-tracker.ts';
import { openStore, type Store } from '../../src/storage/block-store.ts';
import { genesis } from './ledger-corpus.ts';

/** The parts of a node that take what peers and clients send, over a store with the genesis alone. */
export interface NodeFixture {
  readonly store: Store;
  readonly chain: Chain;
  readonly mempool: Mempool;
  readonly intake: TransactionIntake;
  close(): Promise<void>;
}

/** Verifies in this thread: what is tried here is what happens before and after. */
const verifier: VerifierPool = {
  verify: async (checks) =>
    checks.map(({ signature, message, publicKey }) => verifySignature(signature, message, publicKey)),
  close: async () => undefined,
};

export async function openNodeFixture(document = genesis): Promise<NodeFixture> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'medledger-fuzz-node-'));
  const start = readLedgerStart(encodeGenesis(document));
  const store = await openStore(folder, { genesisHash: start.genesisHash });
  const signatures = new SignatureCache();
  const chain = await openChain(store, start, signatures);
  const mempool = new Mempool({ transactions: 1_000, bytes: 2 ** 24 });
  const intake = new TransactionIntake({
    chain,
    mempool,
    signatures,
    verifier,
    queue: new AdmissionQueue(() => mempool.size),
    tracker: new TransactionTracker(mempool, store),
    publish: () => undefined,
    onRejected: () => undefined,
    onAdded: () => undefined,
    nowMs: () => document.createdMs + 1_000,
  });
  return {
    store,
    chain,
    mempool,
    intake,
    async close() {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
