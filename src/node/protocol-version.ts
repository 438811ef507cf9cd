import type { Logger } from 'pino';
import { type Parameters, protocolVersionAt } from '../ledger/parameters.ts';
import type { Slots } from '../ledger/slots.ts';
import { OperatorError } from './operator-error.ts';

/** So many blocks lie between two warnings of one switch. */
const BLOCKS_BETWEEN_WARNINGS = 100;

/**
 * First height whose blocks this build can not make or judge, by what the members announced; null where every version
 * announced is known.
 */
export function updateBefore({ scheduled }: Slots<Parameters>, newestVersion: number): number | null {
  return scheduled.protocolVersion > newestVersion ? scheduled.protocolVersionFrom : null;
}

/** Throws an OperatorError when block `height` is of a version that this build does not know: it must not go on. */
export function requireKnownVersion(parameters: Parameters, height: number, newestVersion: number): void {
  const version = protocolVersionAt(parameters, height);
  if (version > newestVersion)
    throw new OperatorError(
      `Block ${height} is of protocol version ${version}, and this build knows ${newestVersion}: update the node. ` +
        'Nothing is lost; it goes on from here.',
    );
}

/** Warns of an announced version that this build does not know: at once, at each start, and again and again. */
export class VersionWatch {
  readonly #log: Pick<Logger, 'error'>;
  readonly #updateBefore: () => number | null;
  #warned: { readonly before: number; readonly atHeight: number } | undefined;

  constructor(log: Pick<Logger, 'error'>, updateBefore: () => number | null) {
    this.#log = log;
    this.#updateBefore = updateBefore;
  }

  /** Block `height` is the tip. */
  tipIs(height: number): void {
    const before = this.#updateBefore();
    const warned = this.#warned;
    if (before === null) {
      this.#warned = undefined;
      return;
    }
    if (warned?.before === before && height < warned.atHeight + BLOCKS_BETWEEN_WARNINGS) return;
    this.#warned = { before, atHeight: height };
    this.#log.error(
      { height, updateBefore: before },
      'the members announced a protocol version that this build does not know: update the node before that height',
    );
  }
}
