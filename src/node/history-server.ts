import { equalBytes } from '../codec/bytes.ts';
import { encode } from '../codec/cbor.ts';
import { decodeHeader } from '../ledger/block.ts';
import { type ValidatorSet, validatorListSchema } from '../ledger/validator-set.ts';
import type { HistoryRequest } from '../p2p/protocols.ts';
import type { Store } from '../storage/block-store.ts';
import type { SnapshotStore } from '../storage/snapshot-store.ts';
import { pieceOf } from './block-pieces.ts';
import { changesNextValidators, encodeHeaderFrame } from './linked-header.ts';

/** Where answers come from. */
export interface HistoryServerDependencies {
  readonly store: Pick<Store, 'tip' | 'header' | 'certificate' | 'validatorList'>;
  /** Height that the first block of this ledger builds on; those up to it prove nothing under its genesis hash. */
  readonly startHeight: number;
  readonly snapshots: Pick<SnapshotStore, 'heights' | 'chunk'>;
  /** Sets that no block put in force, such as those of the genesis. */
  readonly knownSets: () => readonly ValidatorSet[];
  /** A whole block by its hash, as a frame. */
  readonly block: (hash: Uint8Array) => Promise<Uint8Array | null>;
}

/** Answers to those who join or come back: each item proves itself to them. */
export function createHistoryServer({ store, startHeight, snapshots, knownSets, block }: HistoryServerDependencies) {
  async function provenHeader(height: number): Promise<readonly Uint8Array[]> {
    if (height <= startHeight) return [];
    const [header, certificate] = await Promise.all([store.header(height), store.certificate(height)]);
    return header === undefined || certificate === undefined ? [] : [encodeHeaderFrame(header, certificate)];
  }

  async function headers(fromHeight: number, maxHeaders: number): Promise<readonly Uint8Array[]> {
    const frames: Uint8Array[] = [];
    const end = Math.min(fromHeight + maxHeaders - 1, store.tip()?.height ?? 0);
    for (let height = Math.max(startHeight + 1, fromHeight); height <= end; height += 1) {
      const header = await store.header(height);
      if (header === undefined) break;
      const isChange = changesNextValidators(decodeHeader(header));
      frames.push(encodeHeaderFrame(header, isChange ? await store.certificate(height) : undefined));
    }
    return frames;
  }

  async function validators(hash: Uint8Array): Promise<readonly Uint8Array[]> {
    const known = knownSets().find((set) => equalBytes(set.hash, hash));
    const list = known === undefined ? await store.validatorList(hash) : encode(validatorListSchema, known.validators);
    return list === undefined ? [] : [list];
  }

  return async (request: HistoryRequest): Promise<readonly Uint8Array[]> => {
    switch (request.kind) {
      case 'tip':
        return provenHeader(store.tip()?.height ?? 0);
      case 'snapshot':
        return provenHeader(snapshots.heights[0] ?? 0);
      case 'headers':
        return headers(request.fromHeight, request.maxHeaders);
      case 'validators':
        return validators(request.hash);
      case 'chunk': {
        const chunk = await snapshots.chunk(request.height, request.path);
        return chunk === undefined ? [] : [chunk];
      }
      case 'piece': {
        const frame = await block(request.hash);
        return frame === null ? [] : pieceOf(frame, request.offset);
      }
    }
  };
}
