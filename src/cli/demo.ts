import type { Testnet } from '../node/testnet.ts';
import { parseBundle } from './fhir/bundle.ts';
import { syntheticBundles } from './fhir/synthetic.ts';
import { loadBundles } from './load/loader.ts';
import { showStages } from './load.ts';

/** Seed and size of the demo: with these, every hospital has patients. */
const DEMO_SEED = 4;
const DEMO_PATIENTS = 12;
const PATIENCE_MS = 20_000;

/** What the demo put on the ledger. */
export interface Demo {
  readonly patients: number;
  readonly records: number;
}

/** Loads made-up patients into a testnet, through the HTTP interface like any client. Loading again adds nothing. */
export async function loadDemo(testnet: Testnet): Promise<Demo> {
  const bundles = syntheticBundles(DEMO_SEED, DEMO_PATIENTS).map(({ name, bytes }) => parseBundle(bytes, name));
  const nodeUrls = testnet.nodes.map(({ apiUrl }) => apiUrl);
  const progress = showStages();
  try {
    const options = { bundles, nodeUrls, keysFolder: testnet.keysFolder, patienceMs: PATIENCE_MS, readingSeconds: 0 };
    const report = await loadBundles(options, progress);
    return { patients: bundles.length, records: report.distinct - report.failed };
  } finally {
    progress.close();
  }
}
