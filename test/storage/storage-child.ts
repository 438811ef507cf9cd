/** Does one kind of work until it is killed, and writes a line after each step that is on disk. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { openStore } from '../../src/storage/block-store.ts';
import { lockFolder } from '../../src/storage/folder-lock.ts';
import { openJournal } from '../../src/storage/journal.ts';
import { SnapshotStore } from '../../src/storage/snapshot-store.ts';
import { bytesOf, GENESIS_HASH, groupAfter, makeCommit } from './fixtures.ts';
import { installState, stateAt } from './snapshot-fixtures.ts';

const [work, folder] = process.argv.slice(2);

function report(line: string | number): void {
  process.stdout.write(`${line}\n`);
}

async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  await new Promise(setImmediate);
}

switch (work) {
  case 'commit': {
    const store = await openStore(folder!, { genesisHash: GENESIS_HASH });
    if (store.tip() === undefined) await store.commitGenesis([]);
    for (;;) {
      const { height } = store.tip()!;
      const heights = Array.from({ length: groupAfter(height) }, (_, place) => height + 1 + place);
      await store.commitBlocks(heights.map(makeCommit));
      report(store.tip()!.height);
    }
  }
  case 'append': {
    const journal = await openJournal(path.join(folder!, 'journal'));
    for (let number = journal.records.length; ; number += 1) {
      await journal.append([bytesOf(`record ${number}`, 1 + ((number * 977) % 5000))]);
      report(number);
    }
  }
  case 'truncate': {
    const journal = await openJournal(path.join(folder!, 'journal'));
    for (let number = Number(Buffer.from(journal.records[0]!).toString()) + 1; ; number += 1) {
      await journal.append([bytesOf('vote', 100)]);
      await journal.truncate([Buffer.from(String(number))]);
      report(number);
    }
  }
  case 'snapshot': {
    const snapshots = await SnapshotStore.open(path.join(folder!, 'snapshots'), GENESIS_HASH);
    for (let height = (snapshots.heights[0] ?? 0) + 1; ; height += 1) {
      const { entries, map } = stateAt(height);
      await snapshots.write({ height, map, entries: () => Readable.from(entries) }, new AbortController().signal);
      report(height);
    }
  }
  case 'install': {
    const store = await openStore(path.join(folder!, 'ledger'), { genesisHash: GENESIS_HASH });
    if (store.tip() === undefined) await store.commitGenesis(stateAt(0).entries);
    for (let height = store.tip()!.height + 10; ; height += 10) {
      await installState(store, height);
      report(height);
    }
  }
  case 'lock': {
    mkdirSync(folder!, { recursive: true });
    lockFolder(folder!);
    // The lock is not held by whoever keeps what it was given, but by the process.
    await collectGarbage();
    report(process.pid);
    setInterval(() => undefined, 1000);
    break;
  }
  case 'tryLock': {
    try {
      lockFolder(folder!);
      report('locked');
    } catch (error) {
      report((error as { code: string }).code);
    }
    break;
  }
  case 'appendUntilFull': {
    const journal = await openJournal(path.join(folder!, 'journal'));
    for (let number = 0; ; number += 1) {
      try {
        await journal.append([bytesOf(`record ${number}`, 1000)]);
        report('appended');
      } catch (error) {
        report((error as { code: string }).code);
        const again = await journal.append([bytesOf('again', 1)]).then(
          () => 'appended',
          (second: unknown) => (second === error ? 'same error' : 'other error'),
        );
        report(again);
        await journal.close();
        break;
      }
    }
    break;
  }
  default:
    throw new Error(`unknown work ${work}`);
}
