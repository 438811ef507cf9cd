import { type BytesByKind, diskBytes, storedBytes } from './disk-bytes.ts';
import { describeEnvironment } from './environment.ts';
import { LoadClient } from './load/client-process.ts';
import { type BenchNetwork, startNetwork } from './network.ts';
import type { Section } from './report/report.ts';
import type { BenchResult } from './results.ts';
import { type DirectRaw, measureDirect, measureMadeUpBlock } from './retrieval-direct.ts';
import { measureHttp, waitUntilIndexed } from './retrieval-http.ts';
import { makeQuestions } from './retrieval-questions.ts';
import { retrievalMeasurements, retrievalSections } from './retrieval-report.ts';
import type { Timing } from './timing.ts';

/** What a retrieval run is to do. */
export interface RetrievalOptions {
  readonly records: number;
  /** Lookups, and combined queries, of each repeat. */
  readonly lookups: number;
  readonly queries: number;
  /** Of each kind, before anything is measured. */
  readonly warmUps: number;
  readonly repeats: number;
  readonly patients: number;
  readonly seed: number;
  readonly port: number;
  readonly folder: string | undefined;
  readonly isKept: boolean;
}

/** All that a run measured. */
export interface RetrievalRaw {
  readonly records: number;
  readonly fillSeconds: number;
  /** From the last commit until the search index had seen every block. */
  readonly indexLagSeconds: number;
  readonly http: readonly Timing[];
  readonly direct: DirectRaw;
  readonly madeUpBlock: Timing;
  readonly disk: BytesByKind;
  readonly stored: BytesByKind;
}

const NODES = 4;
const FILL = { perRequest: 250, requestsAtOnce: 6 };

/** Fills a ledger of four nodes and measures how quickly records are found in it, over HTTP and in the process. */
export async function runRetrieval(
  options: RetrievalOptions,
  entry: string,
  say: (line: string) => void,
): Promise<{ readonly result: BenchResult; readonly sections: readonly Section[] }> {
  const startedAt = new Date().toISOString();
  const environment = describeEnvironment(options.folder);
  say('starting four nodes');
  const { port, folder } = options;
  const network = await startNetwork({ nodes: NODES, port, folder, parameters: {}, inspectorPort: undefined });
  let raw: RetrievalRaw;
  try {
    raw = await measure(network, options, entry, say);
  } finally {
    await network.stop();
    if (!options.isKept) network.remove();
  }
  const result: BenchResult = {
    format: 1,
    bench: 'retrieval',
    startedAt,
    finishedAt: new Date().toISOString(),
    seed: options.seed,
    options: { ...options },
    environment,
    measurements: retrievalMeasurements(raw),
    raw,
  };
  return { result, sections: retrievalSections(result, raw) };
}

async function measure(
  network: BenchNetwork,
  options: RetrievalOptions,
  entry: string,
  say: (line: string) => void,
): Promise<RetrievalRaw> {
  const { records, seed } = options;
  const { recordIds, seconds } = await fill(network, options, entry, say);
  say(`${records} records in ${seconds.toFixed(1)} s; waiting for the search index`);
  const node = network.nodes[0]!;
  const indexLagSeconds = await waitUntilIndexed(node, network.genesisHash);
  const questions = makeQuestions(recordIds, records, seed, options);
  say('measuring over HTTP');
  const http = await measureHttp(node, network.genesisHash, questions, options.repeats);
  await network.stop();
  say('measuring in the process, on the data of the stopped first node');
  const direct = await measureDirect(node.folder, questions, options.repeats);
  return {
    records,
    fillSeconds: seconds,
    indexLagSeconds,
    http,
    direct,
    madeUpBlock: measureMadeUpBlock(seed, options.repeats),
    disk: diskBytes(node.folder),
    stored: await storedBytes(node.folder),
  };
}

async function fill(
  network: BenchNetwork,
  { records, patients, seed }: RetrievalOptions,
  entry: string,
  say: (line: string) => void,
) {
  const client = new LoadClient(entry);
  try {
    const { genesisHash, nodes } = network;
    const loadNodes = nodes.map(({ apiUrl, keyFile }) => ({ url: apiUrl, keyFile }));
    say(`registering ${NODES * (patients + 1)} accounts`);
    await client.open({ nodes: loadNodes, genesisHash, patientsPerNode: patients, seed });
    say(`loading ${records} records with attachments, all of the first node's organisation`);
    return await client.fill({ records, ...FILL });
  } finally {
    client.close();
  }
}
