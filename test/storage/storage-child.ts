/** Does one kind of work until it is killed, and writes a line after each step that is on disk. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { openStore } from '../../src/storage/block-store.ts';
import { lockFolder } from '../../src/storage/folder-lock.ts';
import { openJournal } from '../../src/storage/journal.ts';
import { bytesOf, GENESIS_HASH, makeCommit } from './fixtures.ts';

const [work, folder] = process.argv.slice(2);

function report(line: string | number): void {
  process.stdout.write(`${line}\n`);
}

switch (work) {
  case 'commit': {
    const store = await openStore(folder!, { genesisHash: GENESIS_HASH });
    if (store.tip() === undefined) await store.commitGenesis([]);
    for (let height = store.tip()!.height + 1; ; height += 1) {
      await store.commitBlock(makeCommit(height));
      report(height);
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
  case 'lock': {
    mkdirSync(folder!, { recursive: true });
    lockFolder(folder!);
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
