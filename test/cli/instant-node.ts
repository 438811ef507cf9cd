import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { submissionListSchema } from '../../src/api/contract/submission-list.ts';
import { toBase64url } from '../../src/api/contract/text.ts';
import { parametersView } from '../../src/api/views.ts';
import { toHex } from '../../src/codec/bytes.ts';
import { decode } from '../../src/codec/cbor.ts';
import { formatAddress } from '../../src/crypto/address.ts';
import { signingKeyFault } from '../../src/crypto/key-admission.ts';
import { verifySignature } from '../../src/crypto/node/verify.ts';
import { indexRootOf } from '../../src/index/inner/build.ts';
import { accountAddress } from '../../src/ledger/account.ts';
import type { Action } from '../../src/ledger/action.ts';
import { HEADER_VERSION } from '../../src/ledger/block.ts';
import { buildBlock, type ExecutionParts, type ParentBlock } from '../../src/ledger/block-execution.ts';
import { decodeGenesis, genesisHash, genesisParent, genesisState } from '../../src/ledger/genesis.ts';
import { MemoryState } from '../../src/ledger/memory-state.ts';
import { eligiblePrimaries } from '../../src/ledger/proposer-skip.ts';
import { REJECTIONS } from '../../src/ledger/rejection.ts';
import { PARAMETER_SLOTS, slotsOf } from '../../src/ledger/slots.ts';
import type { StateMap } from '../../src/ledger/state-map.ts';
import { StateOverlay } from '../../src/ledger/state-overlay.ts';
import { decodeTransaction } from '../../src/ledger/transaction.ts';

/** What happens to a request: served; cut before it is carried out; or its answer lost; or taken and never applied. */
export type Fate = 'serve' | 'cut' | 'loseAnswer' | 'neverApply';

/**
 * A node for clients to talk to that has no peers: whatever applies is committed at once, by the real rules of the
 * ledger, in memory. `fate` decides on each request, and may change.
 */
export class InstantNode {
  fate: (method: string, path: string) => Fate = () => 'serve';
  readonly committed: { readonly txId: string; readonly action: Action; readonly height: number }[] = [];
  readonly payloads = new Set<string>();
  readonly #genesis: Uint8Array;
  readonly #organisation: number;
  readonly #state = new MemoryState();
  readonly #parts: ExecutionParts;
  readonly #server: Server;
  #map: StateMap;
  #parent: ParentBlock;

  /** `organisation`: whose node it says to be, by its place in the genesis. */
  constructor(genesis: Uint8Array, organisation = 0) {
    this.#genesis = genesis;
    this.#organisation = organisation;
    this.#parent = genesisParent(genesis);
    const { changes, map } = genesisState(decodeGenesis(genesis));
    this.#state.apply(changes);
    this.#map = map;
    this.#parts = {
      genesisHash: this.#parent.hash,
      indexOf: indexRootOf,
      checks: {
        signingKeyFault,
        isSignatureValid: (preimage, publicKey, signature) => verifySignature(signature, preimage, publicKey),
      },
    };
    this.#server = createServer((request, response) => {
      void this.#serve(request, response);
    });
  }

  /** Base URL once it listens. */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const path = (request.url ?? '').split('?')[0]!;
    const fate = this.fate(request.method ?? '', path);
    if (fate === 'cut') return void request.socket.destroy();
    const answer = this.#answer(request.method ?? '', path, Buffer.concat(parts), fate === 'neverApply');
    if (fate === 'loseAnswer') return void request.socket.destroy();
    if (answer === null) response.writeHead(204).end();
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }

  #answer(method: string, path: string, body: Uint8Array, neverApply: boolean): unknown {
    if (path === '/v1/genesis')
      return { genesisHash: toHex(genesisHash(this.#genesis)), document: toBase64url(this.#genesis) };
    if (path === '/v1/parameters') return this.#parameters();
    if (path === '/v1/status') return this.#status();
    if (path === '/v1/transactions' && method === 'POST') return { outcomes: this.#submit(body, neverApply) };
    if (path.startsWith('/v1/transactions/')) return this.#statusOf(path.slice('/v1/transactions/'.length));
    if (path === '/v1/blocks/latest') return this.#latest();
    if (path.startsWith('/v1/payloads/') && method === 'PUT') {
      this.payloads.add(path.slice('/v1/payloads/'.length));
      return null;
    }
    throw new Error(`${method} ${path} is not of this node`);
  }

  #submit(body: Uint8Array, neverApply: boolean): readonly unknown[] {
    const submissions = decode(submissionListSchema, new Uint8Array(body), body.length);
    return submissions.map(({ encoded }) => {
      const decoded = decodeTransaction(this.#parts.genesisHash, encoded);
      const txId = toHex(decoded.txId);
      if (neverApply) return { txId, status: 'Pending' };
      const view = new StateOverlay(this.#state);
      const height = this.#parent.height + 1;
      const proposal = {
        parent: this.#parent,
        timestampMs: Math.max(this.#parent.timestampMs + 1, Date.now()),
        proposer: eligiblePrimaries(view, height)[0]!,
      };
      const { block, refused } = buildBlock({ reader: this.#state, map: this.#map }, proposal, [decoded], this.#parts);
      const [refusal] = refused;
      if (refusal !== undefined) {
        const { code, detail } = refusal.rejection;
        return { txId, status: 'Rejected', code, detail, retryable: REJECTIONS[code].retryable };
      }
      this.#state.apply(block.changes);
      this.#map = block.map;
      this.#parent = { height, hash: block.hash, timestampMs: block.header.timestampMs };
      this.committed.push({ txId, action: decoded.transaction.action, height });
      return { txId, status: 'Committed', height, index: 0 };
    });
  }

  #parameters(): unknown {
    const height = this.#parent.height + 1;
    const slots = slotsOf(new StateOverlay(this.#state), PARAMETER_SLOTS);
    return parametersView({ height, ...slots, newestVersion: HEADER_VERSION }, null);
  }

  #statusOf(txId: string): unknown {
    const found = this.committed.find((entry) => entry.txId === txId);
    if (found === undefined) return { txId, status: 'Unknown' };
    return { txId, status: 'Committed', height: found.height, index: 0 };
  }

  #latest(): unknown {
    const { height, hash, timestampMs } = this.#parent;
    const zeros = '0'.repeat(64);
    return {
      height,
      hash: toHex(hash),
      header: '',
      certificate: '',
      previousHash: zeros,
      timestampMs: Math.max(timestampMs, Date.now()),
      proposer: 0,
      transactions: 0,
    };
  }

  #status(): unknown {
    const genesis = decodeGenesis(this.#genesis);
    const { name, keyDocument } = genesis.organisations[this.#organisation]!;
    const { height, hash, timestampMs } = this.#parent;
    return {
      version: '0',
      ledger: genesis.ledger,
      genesisHash: toHex(this.#parts.genesisHash),
      organisation: { name, address: formatAddress(accountAddress(keyDocument)) },
      validator: 0,
      validators: 1,
      height,
      tipHash: toHex(hash),
      stateRoot: toHex(hash),
      timestampMs,
      view: 0,
      peers: [],
      consensus: {
        primary: 0,
        primaryName: name,
        quorum: 1,
        proposal: 'none',
        validators: [],
        nextTimeoutMs: null,
        lastCommitAgeMs: null,
        evidence: 0,
        explanation: [],
      },
      transactionsCommitted: this.committed.length,
      transactionsPending: 0,
      indexedHeight: height,
      historyFrom: 1,
      upSinceMs: timestampMs,
      updateBefore: null,
      ready: true,
    };
  }
}
