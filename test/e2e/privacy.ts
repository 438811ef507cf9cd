import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ENDPOINTS } from '../../src/api/contract/endpoints.ts';
import type { RecordPageView } from '../../src/api/contract/schemas.ts';
import type { ScannedResource } from '../../src/cli/fhir/scan.ts';
import type { KeyFolder } from '../../src/cli/key-folder.ts';
import { type AccountIdentity, makeNodeClient, type NodeClient, NodeProblem } from '../../src/client/index.ts';
import { fromHex, toHex } from '../../src/codec/bytes.ts';
import { formatAddress } from '../../src/crypto/address.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { medledger } from '../cluster/medledger.ts';
import { textOf } from './record-text.ts';
import type { Report } from './report.ts';

type Hit = RecordPageView['records'][number];
type Homes = readonly (readonly ScannedResource[])[];

/** Shows that a record opens for its parties with the bytes of its file, and that nobody else gets at it. */
export async function showPrivacy(report: Report, cluster: Cluster, keys: KeyFolder, homes: Homes): Promise<void> {
  for (const number of cluster.nodes.keys()) await showOpening(report, cluster, keys, homes, number);
  const [hit] = (await cluster.nodes[0]!.client.records({ kind: 'Observation', limit: 1 })).records;
  assert(hit !== undefined);
  await showUnsigned(report, cluster, hit);
  await showForeign(report, cluster, keys, homes, hit);
}

/** Opens a record as its patient, its author and its organisation. */
async function showOpening(
  report: Report,
  cluster: Cluster,
  keys: KeyFolder,
  homes: Homes,
  number: number,
): Promise<void> {
  await report.check(
    `hospital-${number + 1}: patient, doctor and organisation open a record: the bytes of its file`,
    async () => {
      const { client, url } = cluster.nodes[number]!;
      const { resource, hit } = await findUnique(client, keys, homes[number]!);
      for (const account of [hit.patient, hit.author, hit.organisation]) {
        const out = path.join(cluster.root, `${hit.recordId}-${account}.json`);
        const session = ['--node', url, '--keys', cluster.keysFolder, '--as', account];
        const { status, stderr } = await medledger(['record', 'get', hit.recordId, ...session, '--out', out]);
        assert.equal(status, 0, stderr);
        assert.deepEqual(readFileSync(out), Buffer.from(resource.payload));
      }
      return `${resource.type}, ${resource.payload.length} bytes`;
    },
  );
}

/** An observation that its search fields alone tell from all others, and its record. */
async function findUnique(
  client: NodeClient,
  keys: KeyFolder,
  resources: readonly ScannedResource[],
): Promise<{ readonly resource: ScannedResource; readonly hit: Hit }> {
  const byText = new Map<string, ScannedResource[]>();
  for (const resource of resources) {
    const text = textOf(resource.bundle.patient.id, resource.fields);
    byText.set(text, [...(byText.get(text) ?? []), resource]);
  }
  const { records } = await client.records({ kind: 'Encounter', limit: 100 });
  for (const hit of records) {
    const [resource, ...others] = byText.get(textOf(keys.nameOf(hit.patient) ?? '', hit.fields!)) ?? [];
    if (resource !== undefined && others.length === 0) return { resource, hit };
  }
  throw new Error('no record is told from all others by its search fields');
}

async function showUnsigned(report: Report, cluster: Cluster, hit: Hit): Promise<void> {
  const { url } = cluster.nodes[0]!;
  const { recordId, height, index, patient } = hit;
  const paths = [
    `/v1/records?patient=${patient}`,
    `/v1/records/${recordId}`,
    `/v1/records/${recordId}/attachment`,
    `/v1/records/${recordId}/payload`,
    `/v1/blocks/${height}/transactions/${index}`,
    `/v1/accounts/${patient}`,
  ];
  await report.check('routes with a person’s data refuse unsigned requests: 401 signatureMissing', async () => {
    const signed = Object.values(ENDPOINTS).filter(({ auth, method }) => auth === 'signed' && method === 'GET');
    assert.equal(paths.length, signed.length);
    for (const target of paths) {
      const response = await fetch(new URL(target, url), {
        headers: { 'medledger-genesis': toHex(cluster.genesisHash) },
      });
      const { code } = (await response.json()) as { readonly code: string };
      assert.deepEqual([response.status, code], [401, 'signatureMissing'], target);
    }
    return `${paths.length} routes`;
  });
}

async function showForeign(report: Report, cluster: Cluster, keys: KeyFolder, homes: Homes, hit: Hit): Promise<void> {
  const clientOf = (identity: AccountIdentity) =>
    makeNodeClient({ url: cluster.nodes[0]!.url, genesisHash: cluster.genesisHash, identity });
  const own = keys.nameOf(hit.patient);
  const otherPatient = homes[0]!.find(({ bundle }) => bundle.patient.id !== own)!.bundle.patient.id;
  const away = homes[1]![0]!.bundle.patient.id;
  const strangers: readonly (readonly [string, AccountIdentity])[] = [
    ['another organisation', cluster.nodes[1]!.organisation],
    ['another patient of the hospital', keys.holder(otherPatient).identity],
    ['a patient of another hospital', keys.holder(away).identity],
    ['a doctor of another hospital', await doctorAt(cluster, keys, 1)],
  ];
  for (const [name, identity] of strangers) {
    await report.check(`${name} is refused: 403 notPermitted`, async () => {
      const client = clientOf(identity);
      const recordId = fromHex(hit.recordId);
      const requests: readonly (() => Promise<unknown>)[] = [
        () => client.record(recordId),
        () => client.recordAttachment(recordId),
        () => client.recordPayload(recordId),
        () => client.blockTransaction(hit.height, hit.index),
        () => client.records({ patient: hit.patient }),
        () => client.records({}),
      ];
      for (const request of requests)
        await assert.rejects(request, (error) => error instanceof NodeProblem && error.code === 'notPermitted');
      return `${requests.length} requests`;
    });
  }
  await report.check('the patient finds and reads their own records, and only these', async () => {
    const client = clientOf(keys.holder(own!).identity);
    const { records } = await client.records({ patient: hit.patient, limit: 1000 });
    assert(records.length > 0);
    assert(records.every(({ patient }) => patient === hit.patient));
    assert.equal((await client.record(fromHex(hit.recordId))).recordId, hit.recordId);
    return `${records.length} records`;
  });
}

async function doctorAt(cluster: Cluster, keys: KeyFolder, number: number): Promise<AccountIdentity> {
  const [hit] = (await cluster.nodes[number]!.client.records({ limit: 1 })).records;
  const { identity } = keys.holder(hit!.author);
  assert.equal(formatAddress(identity.address), hit!.author);
  return identity;
}
