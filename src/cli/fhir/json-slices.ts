/** A piece of a JSON text: from `start` up to, not including, `end`, without white space around it. */
export interface JsonSlice {
  readonly start: number;
  readonly end: number;
}

/**
 * The members of the object at `slice`, by name, as pieces of the source text: what a parsed number has lost (the
 * decimals 1.0 and 1.00 differ in FHIR) still stands there. The text must be JSON that JSON.parse took, and the slice
 * an object; of a name that occurs twice the last counts, as for JSON.parse.
 */
export function memberSlices(json: string, slice: JsonSlice): ReadonlyMap<string, JsonSlice> {
  const members = new Map<string, JsonSlice>();
  let position = skipSpace(json, slice.start + 1);
  while (json[position] !== '}') {
    const nameEnd = stringEnd(json, position);
    const name = JSON.parse(json.slice(position, nameEnd)) as string;
    const start = skipSpace(json, skipSpace(json, nameEnd) + 1);
    const end = valueEnd(json, start);
    members.set(name, { start, end });
    position = skipSpace(json, end);
    if (json[position] === ',') position = skipSpace(json, position + 1);
  }
  return members;
}

/** The elements of the array at `slice`, in order. The same conditions as for `memberSlices`. */
export function elementSlices(json: string, slice: JsonSlice): readonly JsonSlice[] {
  const elements: JsonSlice[] = [];
  let position = skipSpace(json, slice.start + 1);
  while (json[position] !== ']') {
    const end = valueEnd(json, position);
    elements.push({ start: position, end });
    position = skipSpace(json, end);
    if (json[position] === ',') position = skipSpace(json, position + 1);
  }
  return elements;
}

/** The whole value of a JSON text, without the white space around it. */
export function wholeSlice(json: string): JsonSlice {
  const start = skipSpace(json, 0);
  return { start, end: valueEnd(json, start) };
}

function skipSpace(json: string, from: number): number {
  let position = from;
  while (json[position] === ' ' || json[position] === '\n' || json[position] === '\r' || json[position] === '\t')
    position += 1;
  return position;
}

const STRUCTURE = /["{}[\]]/g;

/** Position after the value at `start`. Without recursion: depth costs nothing. */
function valueEnd(json: string, start: number): number {
  const first = json[start];
  if (first === '"') return stringEnd(json, start);
  if (first !== '{' && first !== '[') return atomEnd(json, start);
  let depth = 0;
  let position = start;
  do {
    // From one character of structure to the next: most of a file is between them.
    STRUCTURE.lastIndex = position;
    STRUCTURE.test(json);
    position = STRUCTURE.lastIndex;
    const character = json[position - 1];
    if (character === '"') position = stringEnd(json, position - 1);
    else depth += character === '{' || character === '[' ? 1 : -1;
  } while (depth > 0);
  return position;
}

function stringEnd(json: string, start: number): number {
  let quote = json.indexOf('"', start + 1);
  while (isEscaped(json, quote)) quote = json.indexOf('"', quote + 1);
  return quote + 1;
}

/** True after an odd number of backslashes. */
function isEscaped(json: string, position: number): boolean {
  let backslashes = 0;
  while (json[position - 1 - backslashes] === '\\') backslashes += 1;
  return backslashes % 2 === 1;
}

function atomEnd(json: string, start: number): number {
  let position = start;
  while (position < json.length && !/[\s,\]}]/.test(json[position]!)) position += 1;
  return position;
}
