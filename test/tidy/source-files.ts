import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Text of source files by path from the top of the tree, with forward slashes: what every checker works on. */
export type SourceFiles = ReadonlyMap<string, string>;

const TOP = path.join(import.meta.dirname, '..', '..');

/** The TypeScript files of the named top folders; a folder that does not exist has none. */
export function readSourceFiles(folders: readonly string[]): SourceFiles {
  const files = new Map<string, string>();
  for (const folder of folders) {
    let names: string[];
    try {
      names = readdirSync(path.join(TOP, folder), { recursive: true, encoding: 'utf8' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      throw error;
    }
    for (const name of names.sort()) {
      if (!/\.tsx?$/.test(name) || name.includes('node_modules')) continue;
      files.set(
        path.posix.join(folder, name.replaceAll('\\', '/')),
        readFileSync(path.join(TOP, folder, name), 'utf8'),
      );
    }
  }
  return files;
}

/** Line number, from 1, of a character position. */
export function lineAt(text: string, position: number): number {
  return text.slice(0, position).split('\n').length;
}
