import { uintBytes } from '../../src/codec/bytes.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import type { BlockRows, RecordRow } from '../../src/index/outer/rows.ts';

/** A small repeatable generator of numbers from 0 up to 1 (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The 32-byte name of the `number`th thing of a sort. */
export function sampleBytes(sort: number, number: number): Uint8Array {
  return sha256(Uint8Array.of(sort, ...uintBytes(number, 6)));
}

/** A low number more often than a high one, as clinical values are. */
function skewed(random: () => number, count: number): number {
  return Math.floor(count * random() ** 2);
}

const SYSTEMS = ['http://snomed.info/sct', 'http://loinc.org', 'http://hl7.org/fhir/sid/icd-10'];

export interface SampleShape {
  readonly patients: number;
  readonly codes: number;
}

/** Record `number` of a made-up ledger: seven in eight can be opened, one in twenty of these has no date. */
export function sampleRecord(random: () => number, number: number, height: number, shape: SampleShape): RecordRow {
  const organisation = skewed(random, 4);
  const codes = Array.from({ length: Math.floor(random() * 4) }, () => {
    const code = `${1000 + skewed(random, shape.codes)}`;
    return random() < 0.1 ? code : `${SYSTEMS[skewed(random, 3)]}|${code}`;
  });
  const day = new Date(Date.UTC(2015, 0, 1 + Math.floor(random() * 3650))).toISOString().slice(0, 10);
  const dates = [day, day, day, `${day}T10:15:00+02:00`, `${day}T23:30:00Z`, day.slice(0, 7), day.slice(0, 4)];
  return {
    recordId: sampleBytes(1, number).slice(0, 16),
    version: 1,
    patient: sampleBytes(2, skewed(random, shape.patients)),
    author: sampleBytes(3, organisation * 50 + skewed(random, 50)),
    organisation: sampleBytes(4, organisation),
    class: 1,
    status: 'active',
    timeMs: 1_700_000_000_000 + height * 1000,
    height,
    index: 0,
    txId: sampleBytes(5, number),
    fields:
      random() < 0.125
        ? null
        : {
            kind: `Kind${skewed(random, 10)}`,
            codes,
            date: random() < 0.05 ? '' : dates[Math.floor(random() * dates.length)]!,
            department: `department ${skewed(random, 30)}`,
            region: `R${skewed(random, 20)}`,
            title: `record ${number}`,
          },
  };
}

/** Blocks 1 to `blocks` with `perBlock` new records each. */
export function sampleBlocks(seed: number, blocks: number, perBlock: number, shape: SampleShape): BlockRows[] {
  const random = randomFrom(seed);
  return Array.from({ length: blocks }, (_, i) => ({
    height: i + 1,
    hash: sampleBytes(6, i + 1),
    records: Array.from({ length: perBlock }, (_, j) => sampleRecord(random, i * perBlock + j, i + 1, shape)),
    closed: [],
    disposed: [],
  }));
}
