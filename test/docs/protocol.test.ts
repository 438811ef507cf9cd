// docs/PROTOCOL.md against the code: its tables of numbers, lists and tags are those of the build.
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { COVERED_COMPONENTS } from '../../src/api/contract/request-signature.ts';
import { decodeMessage, messageSchema } from '../../src/consensus/messages.ts';
import { FAMILY_CODES } from '../../src/index/inner/entry.ts';
import { ACTION_CODES } from '../../src/ledger/action.ts';
import { BLOCK_FAULTS } from '../../src/ledger/block-check.ts';
import { PARAMETER_BOUNDS } from '../../src/ledger/parameters.ts';
import { REJECTIONS } from '../../src/ledger/rejection.ts';
import { FAMILIES } from '../../src/ledger/state.ts';
import { BATCH, CHANNEL, DEFAULT_LIMITS, GOSSIP, OUTBOX, REQUESTS, TOPICS } from '../../src/p2p/protocols.ts';
import { MUTANTS } from '../simulation/mutants.ts';
import { longLines, ROOT, tableOf, textOf } from './document.ts';

const PROTOCOL = textOf('docs/PROTOCOL.md');
const yesNo = (value: boolean) => (value ? 'yes' : 'no');

/** Folders whose constants are part of what nodes agree on. */
const AGREED = ['codec', 'crypto', 'ledger', 'ledger/actions', 'consensus', 'index/inner'];
const AGREED_NAME = /(?:_MAX|_MS|_COST|_VERSION|_AROUND|_BEHIND|_MARGIN|_ENTRIES|_PER_UNIT)$/;

/** So many rules of consensus.md stand for a failure that was seen elsewhere. */
const KNOWN_FAILURES = 17;

/** Source files of a folder under src/, not of its own folders. */
function filesIn(folder: string): readonly string[] {
  const names = readdirSync(path.join(ROOT, 'src', folder));
  return names.filter((name) => name.endsWith('.ts')).map((name) => `${folder}/${name}`);
}

/** The value of a product of numbers and of constants of the same file; undefined for what is computed otherwise. */
function productOf(expression: string, file: string): number | undefined {
  if (!/^\w+(?: \*\*? \w+)*$/.test(expression)) return undefined;
  const factors = expression.split(' * ').map((factor) => {
    const [base, exponent] = factor.split(' ** ').map((word) => numberOf(word, file));
    return base === undefined ? undefined : base ** (exponent ?? 1);
  });
  return factors.reduce((product, factor) =>
    product === undefined || factor === undefined ? undefined : product * factor,
  );
}

function numberOf(word: string, file: string): number | undefined {
  if (/^[0-9]/.test(word)) return Number(word.replaceAll('_', ''));
  const expression = new RegExp(`^(?:export )?const ${word} = (.+);$`, 'm').exec(textOf(`src/${file}`))?.[1];
  return expression === undefined ? undefined : productOf(expression, file);
}

/** The value of a constant of a file: the exported one, else what its text says. */
async function valueInCode(file: string, name: string): Promise<number | undefined> {
  const module = (await import(path.join(ROOT, 'src', file))) as Readonly<Record<string, unknown>>;
  const exported = module[name];
  return typeof exported === 'number' ? exported : numberOf(name, file);
}

/** Every number within a constant of the protocols, by its path. */
function numbersIn(value: object, at: string): readonly (readonly [string, string])[] {
  return Object.entries(value).flatMap(([key, inner]): readonly (readonly [string, string])[] => {
    if (typeof inner === 'number') return [[`${at}.${key}`, String(inner)]];
    return typeof inner === 'object' && inner !== null ? numbersIn(inner, `${at}.${key}`) : [];
  });
}

test('the rejections are those of the code, in their order', () => {
  const wanted = Object.entries(REJECTIONS).map(([code, { retryable, httpStatus, meaning }]) => [
    code,
    yesNo(retryable),
    String(httpStatus),
    meaning,
  ]);
  assert.equal(tableOf(PROTOCOL, '| code | again | HTTP | meaning |'), wanted);
});

test('the block faults are those of the code, in the order of the checks', () => {
  const wanted = Object.entries(BLOCK_FAULTS).map(([code, { isProvable, meaning }]) => [
    code,
    yesNo(isProvable),
    meaning,
  ]);
  assert.equal(tableOf(PROTOCOL, '| code | provable | meaning |'), wanted);
});

test('what the core refuses of a proposal is listed in its order', () => {
  const source = textOf('src/consensus/proposal.ts').split('export type ProposalFault =')[1]!.split(';')[0]!;
  const faults = [...source.matchAll(/'([A-Za-z]+)'/g)].map((match) => match[1]!);
  const paragraph = PROTOCOL.split('The core looks at header and list')[1]!.split('Besides the table')[0]!;
  const listed = [...paragraph.matchAll(/`([A-Za-z]+)`/g)].map((match) => match[1]!);
  assert.equal([...new Set(listed)], faults);
});

test('the tags are those that the code uses', () => {
  const used = new Set<string>();
  const folders = ['codec', 'crypto', 'ledger', 'ledger/actions', 'consensus', 'index/inner', 'index/outer'];
  for (const file of [...folders, 'client', 'node', 'storage', 'p2p', 'api'].flatMap(filesIn)) {
    const text = textOf(`src/${file}`);
    const calls = text.matchAll(/\b(?:taggedHash|domainPrefix|signedPreimage|votePreimage)\(\s*'([A-Z/-]+)'/g);
    const derived = text.matchAll(/\bderiveKey\(.+, '([A-Z]+)', /g);
    const texts = text.matchAll(/'medledger\/v1\/([A-Z/]+)'/g);
    for (const [, tag] of [...calls, ...derived, ...texts]) used.add(tag!);
  }
  const listed = tableOf(PROTOCOL, '| tag | use | over |').map(([tag]) => tag!);
  assert.equal(listed.toSorted(), [...used].sort());
});

test('the parameters have the bounds and defaults of the code', () => {
  const rows = tableOf(PROTOCOL, '| parameter | least | default | most | unit |');
  const wanted = Object.entries(PARAMETER_BOUNDS).map(([name, bounds]) => [name, ...bounds.map(String)]);
  assert.equal(
    rows.map((row) => row.slice(0, 4)),
    wanted,
  );
});

test('the constants have the values of the code', async () => {
  const rows = tableOf(PROTOCOL, '| constant | value | unit | scope | file |');
  assert.ok(rows.length > 50);
  for (const [name, value, , scope, file] of rows) {
    assert.ok(existsSync(path.join(ROOT, 'src', file!)), `${name}: there is no file ${file}`);
    assert.is(value, String(await valueInCode(file!, name!)), `${name} in ${file}`);
    assert.ok(scope === 'fixed' || scope === 'local', `${name} has the scope ${scope}`);
  }
});

test('no constant that nodes agree on is left out', () => {
  const rows = tableOf(PROTOCOL, '| constant | value | unit | scope | file |');
  const listed = new Set(rows.map(([name, , , , file]) => `${file} ${name}`));
  for (const file of AGREED.flatMap(filesIn))
    for (const [, name, expression] of textOf(`src/${file}`).matchAll(/^(?:export )?const ([A-Z0-9_]+) = (.+);$/gm)) {
      if (!AGREED_NAME.test(name!) || productOf(expression!, file) === undefined) continue;
      const entry = `${file} ${name}`;
      assert.ok(listed.has(entry), `${entry} is not in the table`);
    }
});

test('codes of actions, state families and index families are those of the code', () => {
  const codeAndName = (header: string) => tableOf(PROTOCOL, header).map(([code, name]) => [name, Number(code)]);
  assert.equal(codeAndName('| code | action | fields |'), Object.entries(ACTION_CODES));
  assert.equal(
    tableOf(PROTOCOL, '| code | family | key | value | most bytes |').map(([code, name, , , most]) => [
      name,
      Number(code),
      Number(most),
    ]),
    Object.entries(FAMILIES).map(([name, { code, bytesMax }]) => [name, code, bytesMax]),
  );
  assert.equal(
    tableOf(PROTOCOL, '| family | code | key |').map(([name, code]) => [name, Number(code)]),
    Object.entries(FAMILY_CODES),
  );
});

test('codes and caps of consensus messages are those of the code', () => {
  for (const [code, kind, , most] of tableOf(PROTOCOL, '| code | message | fields | most bytes |')) {
    const noFields = new RegExp(`^${kind}`);
    assert.throws(() => messageSchema.fromItem([Number(code), []], ''), noFields, `${kind} has another code`);
    const tooLong = new Uint8Array(Number(most) + 1);
    tooLong.set([0x82, Number(code)]);
    assert.throws(() => decodeMessage(tooLong), new RegExp(`, at most ${most} allowed`), `${kind} has another cap`);
  }
});

test('the protocols, topics and limits of the network are those of the code', () => {
  const header = '| protocol | request | most bytes asked | most bytes answered | per second | at once | deadline ms |';
  assert.equal(
    tableOf(PROTOCOL, header).map(([id, , ...numbers]) => [id, ...numbers.map(Number)]),
    Object.values(REQUESTS).map((protocol) => [
      protocol.id,
      protocol.requestBytesMax,
      protocol.responseBytesMax,
      protocol.requestsPerSecond,
      protocol.concurrentMax,
      protocol.deadlineMs,
    ]),
  );
  assert.equal(
    tableOf(PROTOCOL, '| topic | content |').map(([topic]) => topic),
    Object.values(TOPICS),
  );
  assert.equal(
    tableOf(PROTOCOL, '| limit | value | unit |').map(([name, value]) => [name, value]),
    Object.entries({ CHANNEL, GOSSIP, BATCH, OUTBOX, DEFAULT_LIMITS }).flatMap(([name, value]) =>
      numbersIn(value, name),
    ),
  );
  for (const id of [CHANNEL.id, ...COVERED_COMPONENTS]) assert.ok(PROTOCOL.includes(`\`${id}\``), `${id} is missing`);
});

/** Titles of the tests of a file under test/, as they stand in its source. */
function testTitles(file: string): readonly string[] {
  return [...textOf(`test/${file}`).matchAll(/\btest(?:Nodes)?\(\s*(['"`])(.+?)\1,/g)].map((match) => match[2]!);
}

const RULES = tableOf(PROTOCOL, '| § | rule | test |');

test('every rule names one test that exists', () => {
  for (const [, rule, place] of RULES) {
    const [, file, name] = /^(\S+?\.(?:txt|test\.ts))(?:: (.+))?$/.exec(place!) ?? [];
    assert.ok(file !== undefined && existsSync(path.join(ROOT, 'test', file)), `${rule}: there is no ${place}`);
    assert.is(name === undefined, file.endsWith('.txt'), `${rule}: a script has no test name, a test file needs one`);
    if (name === undefined) continue;
    const isMeant = (title: string) => (name.endsWith('…') ? title.startsWith(name.slice(0, -1)) : title === name);
    assert.is(testTitles(file).filter(isMeant).length, 1, `${rule}: ${file} has not one test "${name}"`);
  }
});

test('every section on consensus has rules, in order, and each is said once', () => {
  const sections = RULES.map(([section]) => Number(section!.replace(' ⚠', '')));
  assert.equal(
    sections,
    sections.toSorted((a, b) => a - b),
  );
  assert.equal([...new Set(sections)], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  const said = RULES.map(([section, rule]) => `${section} ${rule}`);
  assert.is(new Set(said).size, said.length);
});

test('every conversation stands for a rule, and every rule of a known failure has one', () => {
  const places = new Set(RULES.map(([, , place]) => place!));
  for (const file of readdirSync(path.join(ROOT, 'test/consensus')))
    if (file.endsWith('.txt')) assert.ok(places.has(`consensus/${file}`), `${file} stands for no rule`);
  const marked = RULES.filter(([section]) => section!.endsWith('⚠'));
  for (const [, rule, place] of marked) assert.match(place!, /^consensus\/.+\.txt$/, rule);
  assert.is(new Set(marked.map(([, , place]) => place)).size, KNOWN_FAILURES);
});

test('the planted bugs are those of the simulator, with what catches them and how soon', () => {
  const rows = tableOf(PROTOCOL, '| planted bug | what is broken | caught by | within seeds |');
  assert.equal(
    rows.map(([name, , caughtBy, seeds]) => [name, caughtBy, seeds]),
    Object.entries(MUTANTS).map(([name, { caughtBy, seeds }]) => [name, caughtBy.join(', '), String(seeds)]),
  );
});

test('no line is longer than 120 characters', () => {
  assert.equal(longLines(PROTOCOL), []);
});

test.run();
