import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { withoutCommentsAndStrings } from '../tidy/source-text.ts';

/** A folder directly under test/ and its test files, sorted, as absolute paths. */
export interface TestFolder {
  readonly name: string;
  readonly files: readonly string[];
}

/** What there is to run, and files that would silently not run. */
export interface TestPlan {
  readonly folders: readonly TestFolder[];
  readonly refusals: readonly string[];
}

/**
 * Finds the test files below `root`: `*.test.ts`, and `*.long.ts` too if `long`. A folder without any is no test folder.
 * With `filters`, only files whose path below `root` contains one of them.
 */
export function findTestFolders(root: string, long: boolean, filters: readonly string[]): TestPlan {
  const byFolder = new Map<string, string[]>();
  const refusals: string[] = [];
  for (const file of readdirSync(root, { recursive: true, encoding: 'utf8' }).sort()) {
    if (!file.endsWith('.test.ts') && !(long && file.endsWith('.long.ts'))) continue;
    if (filters.length > 0 && !filters.some((filter) => file.includes(filter))) continue;
    const [folder, ...rest] = file.split(path.sep);
    const absolute = path.join(root, file);
    if (rest.length === 0) {
      refusals.push(`${file} lies in no folder: move it into one`);
    } else if (!/\.run\(\)/.test(withoutCommentsAndStrings(readFileSync(absolute, 'utf8')))) {
      refusals.push(`${file} never calls .run(), so its tests would not run`);
    } else {
      byFolder.set(folder!, [...(byFolder.get(folder!) ?? []), absolute]);
    }
  }
  return { folders: [...byFolder].map(([name, files]) => ({ name, files })), refusals };
}
