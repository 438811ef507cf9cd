import { checkedNumber, risingNumbers, someOf } from '../option-values.ts';

/** What a run can measure, in this order. */
export const PARTS = ['size', 'crash', 'down', 'flood', 'catch-up'] as const;
/** One of them. */
export type Part = (typeof PARTS)[number];

/** What a consensus run is to do. */
export interface ConsensusOptions {
  readonly parts: readonly Part[];
  /** Validators of each network that is measured by size, rising. */
  readonly sizes: readonly number[];
  /** Of each rate at each size. */
  readonly repeats: number;
  readonly rampMs: number;
  readonly intervalMs: number;
  readonly warmUpMs: number;
  /** Planned transactions a second at four nodes that saturate the machine. */
  readonly rate: number;
  /** Planned transactions a second where latency counts, and beside crashes and the flood. */
  readonly lowRate: number;
  /** Kills to measure that take the primary's turn. */
  readonly crashes: number;
  /** Length of each phase with a node down, and of the flood. */
  readonly phaseMs: number;
  /** Frames a second to each flooded node. */
  readonly floodRate: number;
  /** Blocks made while a node is away. */
  readonly blocks: number;
  readonly seed: number;
  /** API port of the first node. */
  readonly port: number;
  readonly folder: string | undefined;
  /** Whether the data folders stay. */
  readonly isKept: boolean;
}

/** The options of this benchmark alone, as the command line gives them. */
type ConsensusValues = Readonly<
  Partial<
    Record<
      | 'parts'
      | 'sizes'
      | 'repeats'
      | 'ramp'
      | 'interval'
      | 'warm-up'
      | 'rate'
      | 'low-rate'
      | 'crashes'
      | 'seconds'
      | 'flood-rate'
      | 'blocks',
      string | undefined
    >
  >
>;

const SIZES = [4, 7, 10, 13];
/** Fewest validators that bear a fault. */
const SIZE_MIN = 4;

/** Reads them; `quick` shortens everything, to see that it works. Throws an Error that names the fault. */
export function readConsensusOptions(
  values: ConsensusValues,
  quick: boolean,
): Omit<ConsensusOptions, 'seed' | 'port' | 'folder' | 'isKept'> {
  const number = (option: keyof ConsensusValues, usual: number, quickly = usual) =>
    checkedNumber(option, values[option], quick ? quickly : usual);
  const whole = (option: keyof ConsensusValues, usual: number, quickly = usual) => {
    const read = number(option, usual, quickly);
    if (!Number.isInteger(read)) throw new Error(`--${option} takes a whole number, not "${values[option]}"`);
    return read;
  };
  const sizes = risingNumbers('sizes', values.sizes, quick ? [SIZE_MIN] : SIZES);
  if (sizes.some((size) => !Number.isInteger(size) || size < SIZE_MIN))
    throw new Error(`--sizes takes whole numbers from ${SIZE_MIN} on, not "${values.sizes}"`);
  return {
    parts: someOf('parts', values.parts, PARTS),
    sizes,
    repeats: whole('repeats', 5, 1),
    rampMs: 1_000 * number('ramp', 2, 0.5),
    intervalMs: 1_000 * number('interval', 10, 3),
    warmUpMs: 1_000 * number('warm-up', 10, 2),
    rate: number('rate', 600),
    lowRate: number('low-rate', 20),
    crashes: whole('crashes', 20, 2),
    phaseMs: 1_000 * number('seconds', 60, 5),
    floodRate: number('flood-rate', 2_000),
    blocks: whole('blocks', 500, 50),
  };
}
