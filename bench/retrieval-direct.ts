import { readFileSync } from 'node:fs';
import { pino } from 'pino';
import { equalBytes } from '../src/codec/bytes.ts';
import { indexRootOf } from '../src/index/inner/build.ts';
import { lookup } from '../src/index/inner/lookup.ts';
import { BLOCK_TRANSACTIONS_MAX } from '../src/ledger/block.ts';
import type { IndexKey } from '../src/ledger/index-keys.ts';
import { readLedgerStart } from '../src/ledger/ledger-start.ts';
import { decodeTransaction, recordIdOf } from '../src/ledger/transaction.ts';
import type { Chain } from '../src/node/chain.ts';
import { type NodeData, openNodeData } from '../src/node/node-data.ts';
import { openChain } from '../src/node/open-chain.ts';
import { SignatureCache } from '../src/node/signature-cache.ts';
import { dataFolder } from '../src/storage/data-folder.ts';
import { latenciesOf } from './latency.ts';
import { type CombinedQuestion, HITS_MAX, type Questions } from './retrieval-questions.ts';
import { seededChance } from './seeded-chance.ts';
import { type Timing, timeEach } from './timing.ts';

/** What was measured on a stopped node's data. */
export interface DirectRaw {
  readonly timings: readonly Timing[];
  readonly blocks: number;
  readonly transactions: number;
  /** Opening the store, and rebuilding the state's tree from it and checking its root. */
  readonly openSeconds: number;
  /** Reading and decoding every block in search of one record. */
  readonly scanSeconds: number;
}

const PAYLOAD_QUOTA_BYTES = 2 ** 30;
const WARM_UP = ['warm-up', ''] as const;

/** Opens the data of a stopped node in this process and asks it the same questions, without HTTP. */
export async function measureDirect(folder: string, questions: Questions, repeats: number): Promise<DirectRaw> {
  const places = dataFolder(folder);
  const start = readLedgerStart(new Uint8Array(readFileSync(places.genesis)));
  const begun = performance.now();
  const data = await openNodeData(places, start, PAYLOAD_QUOTA_BYTES, pino({ level: 'silent' }));
  try {
    const chain = await openChain(data.store, start, new SignatureCache());
    const openSeconds = (performance.now() - begun) / 1_000;
    const timings = await timeAll(new Reader(chain, data), questions, repeats);
    const scan = await scanFor(chain, data, questions.lookups[0]!);
    return { timings, blocks: chain.tip.height, openSeconds, ...scan };
  } finally {
    await data.close();
  }
}

async function timeAll(reader: Reader, questions: Questions, repeats: number): Promise<readonly Timing[]> {
  const byState = (id: Uint8Array) => reader.byState(id);
  const byIndexes = (id: Uint8Array) => reader.byIndexes(id);
  const search = (question: CombinedQuestion) => reader.search(question);
  const heights = new Map(questions.lookups.map((id) => [id, reader.heightOf(id)]));
  const { warmUp } = questions;
  await timeEach(WARM_UP, warmUp.lookups, 1, byState);
  await timeEach(WARM_UP, warmUp.lookups, 1, byIndexes);
  await timeEach(WARM_UP, [...warmUp.byRegion, ...warmUp.byMonth], 1, search);
  const inBlock = (id: Uint8Array) => reader.inBlock(id, heights.get(id)!);
  return [
    await timeEach(['direct: record by id through the state', 'id, state'], questions.lookups, repeats, byState),
    await timeEach(
      ['direct: record by id through outer and inner index', 'id, outer + inner'],
      questions.lookups,
      repeats,
      byIndexes,
    ),
    await timeEach(
      ['direct: record in a known block, pages read from disk', 'id in block'],
      questions.lookups,
      repeats,
      inBlock,
    ),
    await timeEach(['direct: code, department and region', 'region'], questions.byRegion, repeats, search),
    await timeEach(['direct: code, department and month', 'month'], questions.byMonth, repeats, search),
  ];
}

/** Finds records and confirms each by its transaction, as the node does. */
class Reader {
  readonly #chain: Chain;
  readonly #data: NodeData;

  constructor(chain: Chain, data: NodeData) {
    this.#chain = chain;
    this.#data = data;
  }

  heightOf(recordId: Uint8Array): number {
    return this.#chain.record(recordId)!.height;
  }

  async byState(recordId: Uint8Array): Promise<void> {
    const { height, index } = this.#chain.record(recordId)!;
    await this.#confirm(recordId, height, index);
  }

  async byIndexes(recordId: Uint8Array): Promise<void> {
    const [position] = await this.#data.index.recordPositions(recordId);
    if (position === undefined) throw new Error('a record is missing from the outer index');
    await this.inBlock(recordId, position.height);
  }

  async inBlock(recordId: Uint8Array, height: number): Promise<void> {
    const pages = await this.#data.store.indexPages(height);
    const [place] = pages === undefined ? [] : lookup(pages, 'record', recordId);
    if (place === undefined) throw new Error('a record is missing from the index of its block');
    await this.#confirm(recordId, height, place);
  }

  async search({ search, hits }: CombinedQuestion): Promise<void> {
    const page = await this.#data.index.query({ ...search, limit: HITS_MAX });
    if (page.hits.length !== hits) throw new Error(`a search gave ${page.hits.length} records, not ${hits}`);
    await Promise.all(page.hits.map(({ recordId, height, index }) => this.#confirm(recordId, height, index)));
  }

  async #confirm(recordId: Uint8Array, height: number, index: number): Promise<void> {
    const encoded = await this.#data.store.transaction(height, index);
    if (encoded === undefined || !isRecord(this.#chain.genesisHash, encoded, recordId))
      throw new Error('an index names a transaction that is not the record’s');
  }
}

function isRecord(genesisHash: Uint8Array, encoded: Uint8Array, recordId: Uint8Array): boolean {
  const { action, salt } = decodeTransaction(genesisHash, encoded).transaction;
  return action.kind === 'record.create' && equalBytes(recordIdOf(genesisHash, action.author, salt), recordId);
}

/** What finding a record costs without any index. */
async function scanFor(chain: Chain, { store }: NodeData, recordId: Uint8Array) {
  const begun = performance.now();
  let transactions = 0;
  let found = 0;
  for (let height = 1; height <= chain.tip.height; height += 1) {
    for (const encoded of (await store.bodies(height)) ?? []) {
      transactions += 1;
      if (isRecord(chain.genesisHash, encoded, recordId)) found += 1;
    }
  }
  if (found !== 1) throw new Error(`a scan of all blocks found the record ${found} times`);
  return { transactions, scanSeconds: (performance.now() - begun) / 1_000 };
}

const LOOKUPS = 10_000;
const PATIENTS = 2_000;

/** Lookups by record id in the index of a made-up block, the largest there can be, five keys a transaction. */
export function measureMadeUpBlock(seed: number, repeats: number): Timing {
  const chance = seededChance(seed, 'block');
  const random = (length: number) => Uint8Array.from({ length }, () => Math.floor(chance() * 256));
  const recordIds = Array.from({ length: BLOCK_TRANSACTIONS_MAX }, () => random(16));
  const patients = Array.from({ length: PATIENTS }, () => random(32));
  const [author, organisation] = [random(32), random(32)];
  const keys = recordIds.flatMap((recordId, txIndex): IndexKey[] => [
    { family: 'record', key: recordId, txIndex },
    { family: 'txId', key: random(32), txIndex },
    { family: 'patient', key: patients[txIndex % PATIENTS]!, txIndex },
    { family: 'author', key: author, txIndex },
    { family: 'organisation', key: organisation, txIndex },
  ]);
  const { pages } = indexRootOf(keys);
  const once = () =>
    Array.from({ length: LOOKUPS }, () => {
      const wanted = Math.floor(chance() * BLOCK_TRANSACTIONS_MAX);
      const begun = performance.now();
      const [found] = lookup(pages, 'record', recordIds[wanted]!);
      const durationUs = (performance.now() - begun) * 1_000;
      if (found !== wanted) throw new Error('the index of the made-up block gave another transaction');
      return durationUs;
    });
  once();
  const name = `inner index: record in a block of ${BLOCK_TRANSACTIONS_MAX}, in memory`;
  return { name, label: 'id in block, memory', repeats: Array.from({ length: repeats }, () => latenciesOf(once())) };
}
