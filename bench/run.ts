// Runs a benchmark: npm run bench -- NAME [options]; `npm run bench -- --help` lists them.
import path from 'node:path';
import { compareResults } from './compare.ts';
import { runConsensus } from './consensus/consensus.ts';
import { FLOODER } from './consensus/flood-process.ts';
import { serveFlood } from './consensus/serve-flood.ts';
import { runIngest } from './ingest.ts';
import { LOAD_GENERATOR } from './load/client-process.ts';
import { serveLoad } from './load/generator.ts';
import { type BenchRequest, HELP, readOptions } from './options.ts';
import { type Section, sectionText } from './report/report.ts';
import { type BenchResult, readResult, writeResult } from './results.ts';
import { runRetrieval } from './retrieval.ts';

const RESULTS = path.join(import.meta.dirname, 'results');
const ENTRY = import.meta.filename;

if (process.argv[2] === LOAD_GENERATOR) serveLoad();
else if (process.argv[2] === FLOODER) serveFlood();
else await main();

async function main(): Promise<void> {
  const request = readOptions(process.argv.slice(2));
  if (request.kind === 'help') {
    process.stdout.write(HELP);
    process.exitCode = request.fault === undefined ? 0 : 2;
    if (request.fault !== undefined) process.stderr.write(`${request.fault}\n`);
    return;
  }
  if (request.kind === 'compare') {
    process.stdout.write(sectionText(compareResults(readResult(request.a), readResult(request.b))));
    return;
  }
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const { result, sections } = await run(request, say);
  const folder = writeResult(RESULTS, result, sections);
  process.stdout.write(`${sections.map(sectionText).join('\n\n')}\n`);
  say(`written: ${path.relative(process.cwd(), folder)}/results.json and index.html`);
}

type Measured = { readonly result: BenchResult; readonly sections: readonly Section[] };

function run(
  request: Extract<BenchRequest, { readonly options: unknown }>,
  say: (line: string) => void,
): Promise<Measured> {
  switch (request.kind) {
    case 'ingest':
      return runIngest(request.options, ENTRY, say);
    case 'consensus':
      return runConsensus(request.options, ENTRY, say);
    case 'retrieval':
      return runRetrieval(request.options, ENTRY, say);
  }
}
