'use strict';
// Runs one of the project's TypeScript entry points: node bin/run.cjs test/run.ts [arguments].
const path = require('node:path');
const { launch } = require('./launch.cjs');

const [entry, ...args] = process.argv.slice(2);
if (entry === undefined) {
  console.error('Usage: node bin/run.cjs FILE.ts [arguments]');
  process.exit(2);
}
launch(path.resolve(entry), args);
