import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { OperatorError } from '../../node/operator-error.ts';
import { BUNDLE_BYTES_MAX, type FhirBundle, parseBundle } from './bundle.ts';

/**
 * Reads and checks bundle files, in order of their names without folders. Throws an OperatorError for a file that
 * cannot be read or is no bundle of one patient, before anything is loaded.
 */
export function readBundles(files: readonly string[]): readonly FhirBundle[] {
  const named = files.map((file) => ({ file, name: path.basename(file) }));
  named.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  named.forEach(({ name, file }, index) => {
    const previous = named[index - 1];
    if (previous?.name === name)
      throw new OperatorError(
        `${previous.file} and ${file} have one name; which is first decides on repeats: rename one.`,
      );
  });
  return named.map(({ file, name }) => parseBundle(readBounded(file), name));
}

function readBounded(file: string): Uint8Array {
  try {
    const { size } = statSync(file);
    if (size > BUNDLE_BYTES_MAX)
      throw new OperatorError(`${file} has ${size} bytes; a bundle may have ${BUNDLE_BYTES_MAX}. Split it.`);
    return readFileSync(file);
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    throw new OperatorError(`Cannot read ${file} (${(error as NodeJS.ErrnoException).code}).`);
  }
}
