import type { Logger } from 'pino';
import { equalBytes, toHex } from '../codec/bytes.ts';
import { verifySignature } from '../crypto/node/verify.ts';
import { type Certificate, certificateFault } from '../ledger/certificate.ts';
import type { Store } from '../storage/block-store.ts';
import type { LinkedHeader, SnapshotInstall } from '../storage/snapshot-install.ts';
import type { Chain } from './chain.ts';
import { deriveState } from './derived-state.ts';
import type { FetchedState } from './fetched-state.ts';
import { type ProofBasis, proveHeader, type TrustedBlock } from './header-proof.ts';
import { type HistoryRequests, HistorySource, NotAvailableError, type Reading } from './history-source.ts';
import { readHeaderFrame, type ServedHeader } from './linked-header.ts';
import { OperatorError } from './operator-error.ts';
import { fetchState } from './state-fetch.ts';

/** What joining works with. */
export interface SnapshotJoinDependencies {
  readonly chain: Pick<Chain, 'genesisHash' | 'tip' | 'heightContext' | 'transactionsCommitted'>;
  readonly store: Pick<Store, 'beginInstall' | 'putValidatorList'>;
  readonly requests: HistoryRequests;
  /** A block that the operator pinned. */
  readonly anchor: TrustedBlock | undefined;
  /** Puts the state in place, between two commits. */
  readonly install: (state: FetchedState, certificate: Certificate) => Promise<void>;
  readonly onBadPeer: (peer: Uint8Array, reason: string) => void;
  readonly log: Logger;
}

/** What came of an attempt to join. */
export type JoinOutcome =
  | 'joined'
  /** No member offered a snapshot so far ahead that could be proven and fetched. */
  | 'unavailable'
  /** The validators changed since the tip, and nothing pinned vouches for the new ones. */
  | 'anchorNeeded';

interface Offer {
  readonly block: ServedHeader;
  readonly peers: Uint8Array[];
}

/**
 * Takes the state of a certified snapshot from other members instead of executing all blocks before it
 * (consensus.md §9). Nothing changes before everything is verified, and then all at once.
 */
export class SnapshotJoin {
  readonly #dependencies: SnapshotJoinDependencies;

  constructor(dependencies: SnapshotJoinDependencies) {
    this.#dependencies = dependencies;
  }

  /** Asks all members for their newest snapshot and takes the highest that holds, from `fromHeight` on. */
  async attempt(fromHeight: number, signal: AbortSignal): Promise<JoinOutcome> {
    const { requests, onBadPeer, log } = this.#dependencies;
    const source = new HistorySource(requests, onBadPeer, signal);
    const basis = this.#basis();
    let outcome: JoinOutcome = 'unavailable';
    for (const { block, peers } of await this.#offers(source, basis, fromHeight)) {
      const staging = await this.#dependencies.store.beginInstall();
      const proof = await this.#prove(block, peers, basis, source, staging, signal);
      if (proof.kind === 'anchorNeeded') outcome = 'anchorNeeded';
      if (proof.kind !== 'proven') continue;
      log.info({ height: block.header.height, peers: peers.length }, 'fetching the state of a certified snapshot');
      try {
        const state = await this.#fetch(block, peers, proof.transactions, source, staging);
        await this.#dependencies.install(state, block.certificate!);
        log.info({ height: block.header.height, stateRoot: toHex(block.header.stateRoot) }, 'joined by a snapshot');
        return 'joined';
      } catch (error) {
        if (!(error instanceof NotAvailableError)) throw error;
        log.warn({ height: block.header.height, reason: error.message }, 'a snapshot could not be fetched whole');
      }
    }
    return outcome;
  }

  #basis(): ProofBasis {
    const { chain, anchor } = this.#dependencies;
    const { validators, nextValidators } = chain.heightContext();
    const { height, hash } = chain.tip;
    const pin = anchor !== undefined && anchor.height > height ? anchor : undefined;
    return {
      genesisHash: chain.genesisHash,
      tip: { height, hash },
      current: validators,
      scheduled: nextValidators,
      pin,
    };
  }

  /** What the members offer, highest first; each block once, with those that offer it. */
  async #offers(source: HistorySource, basis: ProofBasis, fromHeight: number): Promise<readonly Offer[]> {
    const offers = new Map<string, Offer>();
    await Promise.all(
      source.peers().map(async (peer) => {
        const reading = await source.askOne(peer, { kind: 'snapshot' }, ([frame]) => readOffer(frame!, basis));
        if (reading.kind !== 'value' || reading.value.header.height < fromHeight) return;
        const name = toHex(reading.value.hash);
        const offer = offers.get(name) ?? { block: reading.value, peers: [] };
        offer.peers.push(peer);
        offers.set(name, offer);
      }),
    );
    return [...offers.values()].sort((a, b) => b.block.header.height - a.block.header.height);
  }

  /** A proof is asked of one peer at a time: one whose headers do not prove its own offer has lied. */
  async #prove(
    block: ServedHeader,
    peers: readonly Uint8Array[],
    basis: ProofBasis,
    source: HistorySource,
    staging: SnapshotInstall,
    signal: AbortSignal,
  ) {
    const { requests, store } = this.#dependencies;
    const keep = {
      headers: (headers: readonly LinkedHeader[]) => staging.putHeaders(headers),
      validators: (hash: Uint8Array, encoded: Uint8Array) => store.putValidatorList(hash, encoded),
    };
    for (const peer of peers) {
      const alone: HistoryRequests = {
        connectedPeers: () => [peer],
        requestHistory: (to, request, until) => requests.requestHistory(to, request, until),
      };
      const report = (to: Uint8Array, reason: string) => source.report(to, reason);
      try {
        const only = new HistorySource(alone, report, signal);
        const proof = await proveHeader(block, basis, only, keep);
        if (proof.kind !== 'refused') return proof;
        source.report(peer, `snapshot/${proof.reason}`);
      } catch (error) {
        if (!(error instanceof NotAvailableError)) throw error;
      }
    }
    return { kind: 'refused' } as const;
  }

  async #fetch(
    block: ServedHeader,
    peers: readonly Uint8Array[],
    transactions: number | undefined,
    source: HistorySource,
    staging: SnapshotInstall,
  ): Promise<FetchedState> {
    const { chain } = this.#dependencies;
    const { height, stateRoot, timestampMs } = block.header;
    await fetchState({ root: stateRoot, height, peers, source, put: ({ entries }) => staging.putState(entries) });
    const state = await deriveState(staging.state(), stateRoot);
    if (state === undefined)
      throw new Error(`the chunks of snapshot ${height} are proven one by one, but not together: the disk lost data`);
    const record = {
      tip: { height, hash: block.hash },
      transactions: chain.transactionsCommitted + (transactions ?? 0),
      gapFrom: chain.tip.height + 1,
    };
    return { staging, record, state, timestampMs };
  }
}

/** What to tell the operator of a node that can not join without a pinned block. */
export function anchorNeededError(): OperatorError {
  return new OperatorError(
    'The validators of the ledger have changed since the last block that this node knows, so keys that left could ' +
      'certify a false history. Ask several members, by telephone or in person, for height and block hash of ' +
      '"medledger status", and set sync.anchor = { height = …, hash = "…" } in the configuration to what they agree on.',
  );
}

/** An offer that may be true; a wrong certificate under a set that we know is a lie at once. */
function readOffer(frame: Uint8Array, { genesisHash, current }: ProofBasis): Reading<ServedHeader> {
  const block = readHeaderFrame(frame);
  if (block?.certificate === undefined) return { kind: 'fault', reason: 'snapshot/malformed' };
  if (!equalBytes(block.header.genesisHash, genesisHash)) return { kind: 'fault', reason: 'snapshot/genesis' };
  const fault = equalBytes(block.header.validatorsHash, current.hash)
    ? certificateFault('COMMIT', block.certificate, current, genesisHash, verifySignature)
    : undefined;
  return fault === undefined
    ? { kind: 'value', value: block }
    : { kind: 'fault', reason: `snapshot/certificate/${fault}` };
}
