import fc from 'fast-check';
import { toHex } from '../../src/codec/bytes.ts';
import { type Form, mutate } from './mutate.ts';

/** Real messages to change, and how. */
export interface CaseSource {
  readonly name: string;
  readonly form: Form;
  readonly corpus: readonly Uint8Array[];
}

/** Whole numbers that stand for one case; they shrink to fewer and simpler changes. */
const recipes = fc.record({
  message: fc.nat(),
  other: fc.nat(),
  steps: fc.array(fc.tuple(fc.nat(10_000), fc.nat(0xffffffff)), { minLength: 1, maxLength: 4 }),
});
type Recipe = typeof recipes extends fc.Arbitrary<infer R> ? R : never;

const BYTES_SHOWN = 4_000;

/** The message of the corpus that a recipe names, and the same changed. */
function caseOf({ form, corpus }: CaseSource, { message, other, steps }: Recipe) {
  const original = corpus[message % corpus.length]!;
  return { original, changed: mutate(form, original, corpus[other % corpus.length]!, steps) };
}

/** Gives `cases` changed messages to `check`. What it throws is thrown again with seed, path and bytes of the case. */
export function runCases(
  source: CaseSource,
  seed: number,
  cases: number,
  check: (changed: Uint8Array, original: Uint8Array, recipe: Recipe) => void,
): void {
  const property = fc.property(recipes, (recipe) => {
    const { original, changed } = caseOf(source, recipe);
    check(changed, original, recipe);
  });
  report(source, fc.check(property, { seed, numRuns: cases }));
}

/** The same for a check that takes its time. */
export async function runAsyncCases(
  source: CaseSource,
  seed: number,
  cases: number,
  check: (changed: Uint8Array, original: Uint8Array, recipe: Recipe) => Promise<void>,
): Promise<void> {
  const property = fc.asyncProperty(recipes, async (recipe) => {
    const { original, changed } = caseOf(source, recipe);
    await check(changed, original, recipe);
  });
  report(source, await fc.check(property, { seed, numRuns: cases }));
}

function report(source: CaseSource, details: fc.RunDetails<[Recipe]>): void {
  const recipe = details.counterexample?.[0];
  if (!details.failed || recipe === undefined) return;
  const { changed } = caseOf(source, recipe);
  const hex = `${toHex(changed.subarray(0, BYTES_SHOWN))}${changed.length > BYTES_SHOWN ? '…' : ''}`;
  const error = details.errorInstance;
  throw new Error(
    `${source.name}: ${error instanceof Error ? error.stack : String(error)}\n` +
      `  again with seed ${details.seed}, path ${details.counterexamplePath}: ${JSON.stringify(recipe)}\n` +
      `  ${changed.length} bytes: ${hex}`,
  );
}
