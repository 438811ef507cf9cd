import { findImports } from './import-table.ts';
import { lineAt, type SourceFiles } from './source-files.ts';
import { withoutCommentsAndStrings } from './source-text.ts';

/** The parts that take values and return values: no clock, chance, waiting, disk or network of their own. */
const PURE_FILES =
  /^src\/(?:codec\/|ledger\/|consensus\/|index\/inner\/|storage\/groups|crypto\/(?:hash|merkle|signature-rule)[^/]*\.ts$)/;

const IMPURE_WORD =
  /\b(?:Date|performance|Math\s*\.\s*random|getRandomValues|setTimeout|setInterval|setImmediate|queueMicrotask|async|await|Promise)\b/g;

/** Modules of Node that a pure part may use. */
const PURE_MODULES: readonly string[] = ['node:assert', 'node:assert/strict'];

/** Places in pure files that name an impure thing, or import a module of Node. */
export function purityFaults(files: SourceFiles): readonly string[] {
  const pure = new Map([...files].filter(([file]) => PURE_FILES.test(file)));
  const faults: string[] = [];
  for (const [file, text] of pure) {
    const code = withoutCommentsAndStrings(text);
    for (const match of code.matchAll(IMPURE_WORD))
      faults.push(`${file}:${lineAt(code, match.index)}: ${match[0]} in a pure part`);
  }
  for (const { from, line, specifier } of findImports(pure)) {
    if (specifier.startsWith('node:') && !PURE_MODULES.includes(specifier))
      faults.push(`${from}:${line}: ${specifier} in a pure part`);
  }
  return faults;
}
