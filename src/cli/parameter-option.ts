import { InvalidArgumentError } from 'commander';
import { PARAMETER_NAMES, type Parameters } from '../ledger/parameters.ts';
import { nearestWord } from '../node/suggestion.ts';

/** Takes `name=value` into the parameters given before it. Throws an InvalidArgumentError that says what to write. */
export function addParameter(text: string, before: Partial<Parameters>): Partial<Parameters> {
  const [, name = '', value] = /^([^=]+)=([0-9]{1,15})$/.exec(text) ?? [];
  if (value === undefined) throw new InvalidArgumentError('Write it as name=value, the value a whole number.');
  const known: readonly string[] = PARAMETER_NAMES;
  if (known.includes(name)) return { ...before, [name]: Number(value) };
  const nearest = nearestWord(name, known);
  const hint = nearest === undefined ? `There are ${known.join(', ')}.` : `Did you mean "${nearest}"?`;
  throw new InvalidArgumentError(`There is no parameter ${name}. ${hint}`);
}
