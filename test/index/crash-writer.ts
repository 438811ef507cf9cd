import { openOuterIndex } from '../../src/index/outer/outer-index.ts';
import { crashBlocks } from './crash-blocks.ts';

/* Applies the blocks of crash-blocks.ts from where the file stands, telling each durable height, until it is killed. */
const index = await openOuterIndex(process.argv[2]!);
const blocks = crashBlocks();
// Starting below the applied height repeats what may or may not have been applied.
for (let next = Math.max((await index.appliedHeight()) - 5, 0); next < blocks.length; next += 3) {
  await index.apply(blocks.slice(next, next + 6));
  process.stdout.write(`${Math.min(next + 6, blocks.length)}\n`);
}
await index.close();
