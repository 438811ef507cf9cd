import { closeSync, existsSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { writeNewFile } from '../crypto/node/new-file.ts';
import { OperatorError } from '../node/operator-error.ts';

const personSchema = Type.Object(
  {
    role: Type.Union([Type.Literal('patient'), Type.Literal('doctor'), Type.Literal('researcher')]),
    name: Type.String({ minLength: 1, description: 'what the organisation calls the person' }),
    organisation: Type.String({ pattern: '^med1[a-z0-9]{58}$' }),
    address: Type.String({ pattern: '^med1[a-z0-9]{58}$', description: 'pseudonym on the ledger' }),
  },
  { additionalProperties: false },
);

/** Who is behind a pseudonym. */
export type Person = Readonly<Static<typeof personSchema>>;
export type PersonRole = Person['role'];

/**
 * The map from person to pseudonym: a file of JSON lines, each synced before it counts, read whole at opening. A line
 * that a crash cut short is dropped; the key files tell what it said.
 */
export class PeopleList {
  readonly #file: string;
  readonly #people = new Map<string, Person>();
  readonly #byName = new Map<string, Person[]>();
  /** Length of the whole lines. */
  #length = 0;

  constructor(file: string) {
    this.#file = file;
    if (!existsSync(file)) return;
    const content = readFileSync(file);
    const end = content.lastIndexOf(0x0a) + 1;
    const lines = content.toString('utf8', 0, end).split('\n').slice(0, -1);
    for (const [index, line] of lines.entries()) this.#remember(parsePerson(line, `${file}:${index + 1}`));
    this.#length = end;
  }

  find(role: PersonRole, name: string, organisation: string): Person | undefined {
    return this.#people.get(keyOf(role, name, organisation));
  }

  /** Everybody whom the organisations call so, or the one with this address. */
  named(nameOrAddress: string): readonly Person[] {
    return this.#byName.get(nameOrAddress) ?? [];
  }

  /** Adds a person durably. */
  add(person: Person): void {
    if (!existsSync(this.#file)) writeNewFile(this.#file, new Uint8Array(0));
    const line = Buffer.from(`${JSON.stringify(person)}\n`);
    const file = openSync(this.#file, 'r+');
    try {
      ftruncateSync(file, this.#length);
      let written = 0;
      while (written < line.length)
        written += writeSync(file, line, written, line.length - written, this.#length + written);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    this.#length += line.length;
    this.#remember(person);
  }

  #remember(person: Person): void {
    this.#people.set(keyOf(person.role, person.name, person.organisation), person);
    for (const name of new Set([person.name, person.address]))
      this.#byName.set(name, [...(this.#byName.get(name) ?? []), person]);
  }
}

function keyOf(role: PersonRole, name: string, organisation: string): string {
  return `${role}\0${organisation}\0${name}`;
}

function parsePerson(line: string, place: string): Person {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    value = undefined;
  }
  if (!Value.Check(personSchema, value))
    throw new OperatorError(`${place} is no entry of the list of people: restore the file from a backup.`);
  return value;
}
