import { utf8 } from '../../src/codec/bytes.ts';
import type { Prng } from '../simulation/prng.ts';

const PIECES = [
  '',
  '0',
  '-1',
  '1e999',
  '9007199254740993',
  '1.0',
  'null',
  'true',
  '"',
  '\\',
  '\\u0000',
  '\\ud800',
  '\u0000',
  '\ufeff',
  '\u202e',
  'é',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  ';',
  '=',
  '#',
  '\n',
  '\r\n',
  '__proto__',
  'constructor',
  '{"__proto__":{"x":1}}',
  'a'.repeat(300),
  '['.repeat(3000),
  '9999-12-31T23:59:59.999Z',
  '0000-00-00',
  '+275760-09-13',
];

type TextMutator = (text: string, other: string, prng: Prng) => string;

const asText = new TextDecoder();

/** The words of a text with what stands between them. */
function wordsOf(text: string): string[] {
  return text.match(/[A-Za-z0-9_-]+|[^A-Za-z0-9_-]/g) ?? [];
}

const MUTATORS_OF_WORDS: readonly TextMutator[] = [
  function insertPiece(text, _, prng) {
    const at = prng.between(0, text.length);
    return text.slice(0, at) + prng.pick(PIECES) + text.slice(at);
  },
  function replaceWord(text, other, prng) {
    const words = wordsOf(text);
    const donors = prng.chance(0.5) ? PIECES : wordsOf(other);
    if (words.length === 0 || donors.length === 0) return text;
    words[prng.between(0, words.length - 1)] = prng.pick(donors);
    return words.join('');
  },
  function swapWords(text, _, prng) {
    const words = wordsOf(text);
    if (words.length === 0) return text;
    const [a, b] = [prng.between(0, words.length - 1), prng.between(0, words.length - 1)];
    [words[a], words[b]] = [words[b]!, words[a]!];
    return words.join('');
  },
  function repeatOrRemoveLine(text, _, prng) {
    const lines = text.split('\n');
    const at = prng.between(0, lines.length - 1);
    lines.splice(at, prng.pick([0, 1]), ...(prng.chance(0.5) ? [lines[at]!] : []));
    return lines.join('\n');
  },
  function changeCase(text, _, prng) {
    return prng.chance(0.5) ? text.toUpperCase() : text.toLowerCase();
  },
];

/** Changes of a text as a text, whatever its grammar. */
export const TEXT_MUTATORS = MUTATORS_OF_WORDS.map(
  (change) => (bytes: Uint8Array, other: Uint8Array, prng: Prng) =>
    utf8(change(asText.decode(bytes), asText.decode(other), prng)),
);
