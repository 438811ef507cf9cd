/** A number above 0, or the usual one when none is given. Throws an Error that names the option. */
export function checkedNumber(option: string, value: string | undefined, usual: number): number {
  if (value === undefined) return usual;
  const read = Number(value);
  if (!(read > 0) || !Number.isFinite(read)) throw new Error(`--${option} takes a number above 0, not "${value}"`);
  return read;
}

/** Rising numbers above 0, separated by commas. */
export function risingNumbers(option: string, value: string | undefined, usual: readonly number[]): readonly number[] {
  if (value === undefined) return usual;
  const numbers = value.split(',').map((number) => checkedNumber(option, number, 0));
  if (numbers.some((number, place) => place > 0 && number <= numbers[place - 1]!))
    throw new Error(`--${option} takes rising ${option}`);
  return numbers;
}

/** Some of these words, separated by commas; all of them when none is given. */
export function someOf<W extends string>(option: string, value: string | undefined, words: readonly W[]): readonly W[] {
  if (value === undefined) return words;
  return value.split(',').map((name) => {
    const word = words.find((known) => known === name);
    if (word === undefined) throw new Error(`--${option} takes ${words.join(', ')}, not "${name}"`);
    return word;
  });
}
