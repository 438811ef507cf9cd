import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { journalVerdict } from '../../src/consensus/recovery.ts';
import { readIdentity } from '../../src/node/identity.ts';
import { readJournalContent } from '../../src/node/journal-keeper.ts';
import { openNodeData } from '../../src/node/node-data.ts';
import { createTestnet } from '../../src/node/testnet.ts';
import { dataFolder } from '../../src/storage/data-folder.ts';

const root = mkdtempSync(path.join(os.tmpdir(), 'medledger-test-'));
test.after(() => rmSync(root, { recursive: true, force: true }));

test('a node without its journal forgets nothing silently: it opens as amnesiac, and stays so over a restart', async () => {
  const options = {
    folder: path.join(root, 'net'),
    nodes: 1,
    port: 7100,
    ledger: 'test',
    parameters: {},
    createdMs: 1,
  };
  const testnet = await createTestnet(options);
  const folder = dataFolder(testnet.nodes[0]!.folder);
  const { start } = readIdentity(folder);
  const verdict = async () => {
    const data = await openNodeData(folder, start, 0, pino({ level: 'silent' }));
    const { records } = readJournalContent(data.journal.records);
    await data.close();
    return journalVerdict(records, 0, 0);
  };
  assert.is(await verdict(), 'fresh');
  rmSync(folder.journal);
  assert.is(await verdict(), 'amnesia');
  assert.is(await verdict(), 'amnesia');
});

test.run();
