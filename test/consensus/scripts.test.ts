// Conversations with the core as plain text: each command starts with '>', and what follows is what it must print.
// MEDLEDGER_REWRITE_SCRIPTS=1 writes what it does print into the files, for reading the difference.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Script } from './script.ts';

const folder = import.meta.dirname;
const rewrites = process.env['MEDLEDGER_REWRITE_SCRIPTS'] === '1';

for (const file of readdirSync(folder).filter((name) => name.endsWith('.txt'))) {
  test(file.replace('.txt', '').replaceAll('-', ' '), () => {
    const wanted = readFileSync(path.join(folder, file), 'utf8');
    const script = new Script();
    const told: string[] = [];
    for (const line of wanted.split('\n')) {
      if (line.startsWith('#') || line === '') told.push(line);
      if (!line.startsWith('>')) continue;
      told.push(line);
      const printed = script.run(line.slice(1).trim());
      if (printed !== '') told.push(printed);
    }
    const actual = told.join('\n');
    assert.match(actual, /^# /, 'a script begins with the rule that it shows');
    assert.match(actual, /^> .+\n[^#>\n]/m, 'a script makes the cores do something');
    if (rewrites) writeFileSync(path.join(folder, file), actual);
    else assert.fixture(actual, wanted);
  });
}

test.run();
