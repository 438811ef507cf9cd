import { getHeapStatistics } from 'node:v8';
import { equalBytes, toHex } from '../../src/codec/bytes.ts';
import { type CaseSource, runCases } from './cases.ts';

/** A constructor of errors. */
type ErrorClass = abstract new (...parameters: never[]) => Error;

/** One decoder at the border of the node, with real messages to change. */
export interface DecoderCase extends CaseSource {
  /** The only errors that it may throw. */
  readonly refusals: readonly ErrorClass[];
  /**
   * Decodes; returns the encoding of what was decoded, which must be the input again, or undefined where the format has
   * several encodings of one value.
   */
  decode(bytes: Uint8Array): Uint8Array | undefined;
}

/** A decoder said no in another way than by throwing. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/** What became of the messages of one decoder; `unchanged` are those that the changes left as they were. */
export interface DecoderCount {
  taken: number;
  refused: number;
  unchanged: number;
}

/** No case may take longer: they are small, and a decoder is linear in its input. */
const CASE_MS_MAX = 250;
/** Growth of memory in one case: this, and so many times the input. */
const CASE_BYTES_MAX = 24 * 2 ** 20;
const CASE_BYTES_FACTOR = 64;

/**
 * Runs `cases` changed messages through a decoder. Throws on another error than the declared ones, on a value whose
 * encoding is not the input, on a case that takes too long or too much memory.
 */
export function runDecoder(decoder: DecoderCase, seed: number, cases: number): DecoderCount {
  const count = { taken: 0, refused: 0, unchanged: 0 };
  runCases(decoder, seed, cases, (bytes, original) => {
    if (equalBytes(bytes, original)) {
      count.unchanged += 1;
      if (attempt(decoder, bytes) === 'refused') throw new Error('refuses a message that nothing was done to');
    } else count[checkCase(decoder, bytes)] += 1;
  });
  return count;
}

function checkCase(decoder: DecoderCase, bytes: Uint8Array): 'taken' | 'refused' {
  const before = memoryBytes();
  const startMs = performance.now();
  const encoded = attempt(decoder, bytes);
  const tookMs = performance.now() - startMs;
  const grown = memoryBytes() - before;
  if (encoded instanceof Uint8Array && !equalBytes(encoded, bytes))
    throw new Error(`takes what is not canonical; the encoding would be ${toHex(encoded.subarray(0, 200))}`);
  if (tookMs > CASE_MS_MAX && repeatedMs(decoder, bytes) > CASE_MS_MAX)
    throw new Error(`takes ${tookMs.toFixed(0)} ms for ${bytes.length} bytes`);
  if (grown > CASE_BYTES_MAX + CASE_BYTES_FACTOR * bytes.length)
    throw new Error(`takes ${grown} bytes of memory for ${bytes.length} bytes`);
  return encoded === 'refused' ? 'refused' : 'taken';
}

function attempt(decoder: DecoderCase, bytes: Uint8Array): Uint8Array | undefined | 'refused' {
  const given = bytes.slice();
  let decoded: Uint8Array | undefined | 'refused';
  try {
    decoded = decoder.decode(given);
  } catch (error) {
    if (!decoder.refusals.some((refusal) => error instanceof refusal)) throw error;
    decoded = 'refused';
  }
  if (!equalBytes(given, bytes)) throw new Error('changes its input');
  return decoded;
}

/** The machine may have paused: the fastest of three repetitions tells what the case itself takes. */
function repeatedMs(decoder: DecoderCase, bytes: Uint8Array): number {
  const timesMs = [1, 2, 3].map(() => {
    const startMs = performance.now();
    attempt(decoder, bytes);
    return performance.now() - startMs;
  });
  return Math.min(...timesMs);
}

function memoryBytes(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}
