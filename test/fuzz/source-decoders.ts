import { readSourceFiles } from '../tidy/source-files.ts';
import { withoutComments } from '../tidy/source-text.ts';

/** The verbs by which functions of src/ that read bytes or text from outside are named. */
const DECODER = /^export (?:async )?function\*? ((?:decode|read|parse)[A-Z]\w*)|^export async function\* (read\w+)/gm;
/** A use of the codec with a schema: a format without a function of its own. */
const SCHEMA_USE = /\bimport \{[^}]*\bdecode\b[^}]*\} from '[./]*codec\/cbor\.ts'/;
/** Classes that read a file when they are made. */
const READING_CLASSES: readonly string[] = ['src/cli/people-list.ts#PeopleList'];

/** Every decoder of the sources, as `file#name`; `file#decode` for a use of the codec. */
export function decodersOfSource(): readonly string[] {
  const found = new Set<string>(READING_CLASSES);
  for (const [file, text] of readSourceFiles(['src'])) {
    if (file.startsWith('src/codec/')) continue;
    const code = withoutComments(text);
    for (const match of code.matchAll(DECODER)) found.add(`${file}#${match[1] ?? match[2]}`);
    if (SCHEMA_USE.test(code)) found.add(`${file}#decode`);
  }
  return [...found].sort();
}
