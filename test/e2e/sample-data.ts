import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { RecordPageView } from '../../src/api/contract/schemas.ts';
import { hospitalOf } from '../../src/cli/fhir/assignment.ts';
import { readBundles } from '../../src/cli/fhir/read-bundles.ts';
import { type ScanFilter, type ScannedResource, scanBundles, selectResources } from '../../src/cli/fhir/scan.ts';
import { type KeyFolder, openKeyFolder } from '../../src/cli/key-folder.ts';
import type { LoadReport } from '../../src/cli/load/report.ts';
import { type Cluster, createCluster } from '../cluster/cluster.ts';
import { medledger } from '../cluster/medledger.ts';
import { missingSampleData, sampleData } from '../skip.ts';
import { showPrivacy } from './privacy.ts';
import { textOf } from './record-text.ts';
import type { Report } from './report.ts';

const RESOURCES = { bundles: 42, read: 7587, distinct: 7557, repeats: 30 };
/** The first load is killed once the ledger holds so many transactions. */
const KILL_AFTER = 2_000;
const POLL_MS = 50;

type Hit = RecordPageView['records'][number];

/** Loads the sample bundles into a cluster, killed once midway, and holds every answer against a scan of the files. */
export async function showSampleData(report: Report): Promise<void> {
  const missing = missingSampleData('fhir');
  if (missing !== null) {
    report.skip('42 FHIR bundles', missing);
    return;
  }
  const folder = path.join(sampleData, 'fhir', 'synthea');
  const files = readdirSync(folder).map((name) => path.join(folder, name));
  const cluster = await createCluster();
  try {
    cluster.start();
    await cluster.ready();
    await showLoads(report, cluster, files);
    const keys = openKeyFolder(cluster.keysFolder);
    const { resources } = scanBundles(readBundles(files));
    const homes = cluster.nodes.map((_, number) =>
      resources.filter(({ bundle }) => hospitalOf(bundle.patient.id, cluster.nodes.length) === number),
    );
    await showQueries(report, cluster, keys, homes);
    await showPrivacy(report, cluster, keys, homes);
    assert.deepEqual(cluster.unexpectedExits, []);
  } finally {
    await cluster.close();
  }
}

async function showLoads(report: Report, cluster: Cluster, files: readonly string[]): Promise<void> {
  const nodes = cluster.nodes.flatMap(({ url }) => ['--node', url]);
  const command = ['load', ...files, ...nodes, '--keys', cluster.keysFolder, '--json'];
  const load = async (signal?: AbortSignal) => medledger(command, signal);
  const committed = async () => (await cluster.nodes[0]!.client.status()).transactionsCommitted;

  await report.check(`load of 42 bundles, killed midway`, async () => {
    const controller = new AbortController();
    const running = load(controller.signal);
    let isOver = false;
    const over = running.finally(() => {
      isOver = true;
    });
    while (!isOver && (await committed()) < KILL_AFTER) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    controller.abort();
    const { status } = await over;
    assert.equal(status, null, 'the load was over before it could be killed');
    return `${await committed()} transactions on the ledger when it died`;
  });
  await report.check('the load goes on where it was: all 7,587 resources accounted for', async () => {
    const { status, stdout, stderr } = await load();
    assert.equal(status, 0, `${stdout}\n${stderr}`);
    const result = JSON.parse(stdout) as LoadReport;
    const { bundles, read, distinct, repeats, alreadyThere, added, failed, resumed, seconds } = result;
    assert.deepEqual({ bundles, read, distinct, repeats }, RESOURCES);
    assert.equal(failed, 0);
    assert.equal(alreadyThere + added, RESOURCES.distinct);
    assert(alreadyThere + resumed > 0, 'nothing of the killed load was taken over');
    return `${distinct} distinct, ${repeats} repeats; ${alreadyThere} there, ${added} added in ${seconds.total.toFixed(0)} s`;
  });
  await report.check('loading again adds nothing', async () => {
    const before = await committed();
    const { status, stdout, stderr } = await load();
    assert.equal(status, 0, `${stdout}\n${stderr}`);
    const { alreadyThere, added } = JSON.parse(stdout) as LoadReport;
    assert.deepEqual({ alreadyThere, added }, { alreadyThere: RESOURCES.distinct, added: 0 });
    assert.equal(await committed(), before);
    return `${before} transactions before and after`;
  });
}

async function showQueries(
  report: Report,
  cluster: Cluster,
  keys: KeyFolder,
  homes: readonly (readonly ScannedResource[])[],
): Promise<void> {
  await report.check('each organisation finds all its records at its node: 7,557 together, each once', async () => {
    const ids = new Set<string>();
    for (const [number, resources] of homes.entries())
      for (const { recordId } of await queried(cluster, keys, number, resources, {})) ids.add(recordId);
    assert.equal(ids.size, RESOURCES.distinct);
    return homes.map(({ length }) => length).join(' + ');
  });
  for (const [number, resources] of homes.entries()) {
    const filters = sampleFilters(resources);
    await report.check(`hospital-${number + 1}: medledger query answers what a scan of the files gives`, async () => {
      const counts: string[] = [];
      for (const filter of filters) {
        const hits = await queried(cluster, keys, number, resources, filter);
        assert(hits.length > 0, `${JSON.stringify(filter)} finds nothing, so it shows nothing`);
        counts.push(
          `${Object.keys(filter)
            .map((name) => `--${name}`)
            .join(' ')} ${hits.length}`,
        );
      }
      return counts.join(', ');
    });
  }
}

/** Queries of each kind that find something among these resources. */
function sampleFilters(resources: readonly ScannedResource[]): readonly ScanFilter[] {
  const dated = resources.filter(({ fields }) => fields.kind === 'Observation' && fields.date !== '');
  const middle = dated[Math.floor(dated.length / 2)]!;
  const coded = resources.filter(({ fields }) => fields.codes.length > 0);
  const code = coded[Math.floor(coded.length / 3)]!.fields.codes[0]!;
  const { region } = middle.fields;
  const patient = middle.bundle.patient.id;
  const day = middle.fields.date.slice(0, 10);
  const year = day.slice(0, 4);
  return [
    { patient },
    { kind: 'Observation' },
    { from: year, to: year },
    { patient, kind: 'Observation', from: `${Number(year) - 2}-03`, to: day },
    { from: day },
    { code },
    { region },
    { region, code: middle.fields.codes[0]!, to: day },
  ];
}

/** What `medledger query` answers at the node of a hospital, after it was held against a scan. */
async function queried(
  cluster: Cluster,
  keys: KeyFolder,
  number: number,
  resources: readonly ScannedResource[],
  filter: ScanFilter,
): Promise<readonly Hit[]> {
  const flags = Object.entries(filter).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const session = [
    '--node',
    cluster.nodes[number]!.url,
    '--keys',
    cluster.keysFolder,
    '--as',
    `hospital-${number + 1}`,
  ];
  const { status, stdout, stderr } = await medledger(['query', ...session, ...flags, '--json']);
  assert.equal(status, 0, `${stdout}\n${stderr}`);
  const { records, complete } = JSON.parse(stdout) as { records: readonly Hit[]; complete: boolean };
  assert(complete);
  const found = records.map(({ patient, fields }) => textOf(keys.nameOf(patient) ?? '', fields!));
  const expected = selectResources(resources, filter).map(({ bundle, fields }) => textOf(bundle.patient.id, fields));
  assert.deepEqual(found.sort(), expected.sort(), JSON.stringify(filter));
  assert.equal(new Set(records.map(({ recordId }) => recordId)).size, records.length);
  return records;
}
