// Shows with real processes what the node promises: node bin/run.cjs test/e2e/run.ts [devnet|sample-data|refusals…]
import { showDevnet } from './devnet.ts';
import { showRefusals } from './refusals.ts';
import { Report } from './report.ts';
import { showSampleData } from './sample-data.ts';

const SECTIONS: Readonly<Record<string, readonly [title: string, show: (report: Report) => Promise<void>]>> = {
  devnet: ['npm start: four hospitals on this machine', showDevnet],
  'sample-data': ['42 FHIR bundles: load, load again, search', showSampleData],
  refusals: ['requests and bytes that nobody honest sends', showRefusals],
};

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => SECTIONS[name] === undefined);
if (unknown !== undefined) {
  console.error(`There is no part called ${unknown}; there are ${Object.keys(SECTIONS).join(', ')}.`);
  process.exit(2);
}

const report = new Report();
for (const [name, [title, show]] of Object.entries(SECTIONS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  report.section(title);
  try {
    await show(report);
  } catch (error) {
    report.broken(error);
  }
}
process.exitCode = report.end();
