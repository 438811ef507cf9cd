import { lineAt, type SourceFiles } from './source-files.ts';
import { withoutComments } from './source-text.ts';

const FOLDERS = 'codec crypto ledger consensus index storage p2p node api client cli'.split(' ');
const LINES_MAX = 350;

/** Written so that this file does not hold what it looks for. */
const UNWANTED: readonly (readonly [RegExp, string])[] = [
  [/\b(?:TO[D]O|FIX[M]E)\b/g, 'unfinished work'],
  [/biome-[i]gnore|@ts-[i]gnore|@ts-[n]ocheck/g, 'a silenced check'],
  [/\bas [a]ny\b/g, 'a cast that switches checking off'],
  [/["'`\s(](?:\/root|\/home|\/work|\/tmp)\/[a-z]/g, 'a path of one machine'],
];

/** Files under src/ that are too long or outside the known folders. */
export function layoutFaults(files: SourceFiles): readonly string[] {
  const faults: string[] = [];
  for (const [file, text] of files) {
    const [top, folder, ...rest] = file.split('/');
    if (top !== 'src') continue;
    if (rest.length === 0 || !FOLDERS.includes(folder!)) faults.push(`${file}: outside the folders of src/`);
    const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
    if (lines > LINES_MAX) faults.push(`${file}: ${lines} lines, more than ${LINES_MAX}`);
  }
  return faults;
}

/** Words that have no place in committed code. */
export function wordFaults(files: SourceFiles): readonly string[] {
  const faults: string[] = [];
  for (const [file, text] of files)
    for (const [pattern, meaning] of UNWANTED)
      for (const match of text.matchAll(pattern))
        faults.push(`${file}:${lineAt(text, match.index)}: ${meaning} (${match[0].trim()})`);
  return faults;
}

const EXPORT =
  /^export (?:default )?(?:declare )?(?:abstract )?(?:async )?(?:function|class|interface|type|const|let)\b.*$/gm;
/** `export type { A } from …` and `export type A = B['c'];`: what they name has its docstring elsewhere. */
const OTHER_NAME = /^export type (?:\{|\*|\w+ = [\w.]+(?:\['\w+'\])*;$)/;

const DESCRIBED = /\*\/\s*$/;
/** A docstring before a run of one-line constants, which a further constant continues. */
const DESCRIBED_RUN = /\*\/\s*(?:export const [^\n]*;\n)+$/;

/** Exports of src/ without a docstring right before them. */
export function docstringFaults(files: SourceFiles): readonly string[] {
  const faults: string[] = [];
  for (const [file, text] of files) {
    if (!file.startsWith('src/')) continue;
    const code = withoutComments(text);
    for (const match of code.matchAll(EXPORT)) {
      const before = text.slice(0, match.index);
      if (OTHER_NAME.test(match[0]) || DESCRIBED.test(before)) continue;
      if (match[0].startsWith('export const') && DESCRIBED_RUN.test(before)) continue;
      const name = match[0].match(/(?:function\*?|class|interface|type|const|let) (\w+)/)?.[1] ?? match[0];
      faults.push(`${file}:${lineAt(code, match.index)}: ${name} has no docstring`);
    }
  }
  return faults;
}
