import path from 'node:path';
import { formatAddress } from '../../crypto/address.ts';
import { ledgerLine } from '../../ledger/ledger-start.ts';
import { holdFolder } from '../../node/folder-hold.ts';
import { readLedger } from '../connect.ts';
import type { FhirBundle } from '../fhir/bundle.ts';
import { scanBundles } from '../fhir/scan.ts';
import { openKeyFolder } from '../key-folder.ts';

import { Patience } from '../patience.ts';
import type { LoadContext, LoadProgress } from './context.ts';
import { finishPending } from './finish-pending.ts';
import { HospitalLoad } from './hospital-load.ts';
import { type LoadLog, openLoadLog } from './load-log.ts';
import { connectNodes } from './nodes.ts';
import { type HospitalPlan, planLoad } from './plan.ts';
import { registerPeople } from './register-people.ts';
import type { LoadReport } from './report.ts';
import { Stopwatch } from './stopwatch.ts';

/** What to load, and where to. */
export interface LoadOptions {
  readonly bundles: readonly FhirBundle[];
  /** Nodes to send to: a hospital's records go to its own node where that is named, otherwise to the first. */
  readonly nodeUrls: readonly string[];
  readonly keysFolder: string;
  /** How long nodes may stand still before the load gives up. */
  readonly patienceMs: number;
  /** Seconds that reading the bundles took. */
  readonly readingSeconds: number;
  /** Milliseconds since the Unix epoch; the system's clock when absent. */
  readonly nowMs?: () => number;
}

const LOG_FILE = 'load.log';
/** Of the longest validity that the ledger takes, so that clocks may differ a little. */
const VALIDITY_SHARE = 0.9;
const FAILURES_SHOWN = 10;

/**
 * Turns every resource of the bundles into a record of one of the ledger's hospitals, once: what an earlier load
 * added, or began to, is recognised. May be killed at any instruction and started again. Rejects with an OperatorError
 * when the nodes stand still for too long; nothing is lost then.
 */
export async function loadBundles(options: LoadOptions, progress: LoadProgress): Promise<LoadReport> {
  const startMs = performance.now();
  const keys = openKeyFolder(options.keysFolder);
  const hold = holdFolder(keys.folder, 'A load');
  const patience = new Patience(
    options.patienceMs,
    'See its log, then load again: what was added stays, nothing is lost.',
  );
  let log: LoadLog | undefined;
  try {
    const [firstUrl = ''] = options.nodeUrls;
    const ledger = await patience.untilAnswered(() => readLedger(firstUrl, keys.genesisDocument));
    log = await openLoadLog(
      path.join(keys.folder, LOG_FILE),
      ledger.genesisHash,
      ledgerLine(ledger.start).map(({ genesisHash }) => genesisHash),
    );
    const nodes = await connectNodes(options.nodeUrls, ledger, patience);
    const { maxValidityMs } = ledger;
    const nowMs = options.nowMs ?? Date.now;
    const context: LoadContext = {
      ledger,
      keys,
      log,
      nodes,
      patience,
      sealing: new Stopwatch(),
      sending: new Stopwatch(),
      nowMs,
      validUntilMs: () => nowMs() + Math.floor(VALIDITY_SHARE * maxValidityMs),
    };
    return await run(context, options, progress, startMs);
  } finally {
    patience.close();
    await log?.close();
    hold.release();
  }
}

async function run(
  context: LoadContext,
  options: LoadOptions,
  progress: LoadProgress,
  startMs: number,
): Promise<LoadReport> {
  const scan = scanBundles(options.bundles);
  const plans = planLoad(scan, context.ledger.genesis, context.keys);
  const alreadyThere = plans.map(
    ({ resources }) => resources.filter((planned) => isCommitted(context, planned)).length,
  );
  const ofTheseFiles = new Set(plans.flatMap(({ resources }) => resources.map(({ mark }) => mark.join())));
  const finished = await finishPending(context, progress);
  const resumed = finished.filter((mark) => !ofTheseFiles.has(mark.join())).length;

  const registering = new Stopwatch();
  const people = await registering.time(() => registerPeople(context, plans, progress));
  const loads = plans.map((plan) => new HospitalLoad(context, plan, people));
  progress.stage(
    'Records',
    plans.reduce((sum, plan) => sum + openResources(context, plan), 0),
  );
  await Promise.all(
    loads.map((load) => load.run(() => progress.advance(loads.reduce((sum, { done }) => sum + done, 0)))),
  );

  const hospitals = plans.map(({ name, organisation, resources }, place) => {
    const failed = loads[place]!.failures.length;
    const home = organisation === undefined ? '' : formatAddress(organisation.identity.address);
    const { patients, doctors } = people.countAt(home);
    const before = alreadyThere[place]!;
    const added = resources.length - before - failed;
    return { name, patients, doctors, resources: resources.length, alreadyThere: before, added, failed };
  });
  const sum = (count: (hospital: (typeof hospitals)[number]) => number) =>
    hospitals.reduce((total, hospital) => total + count(hospital), 0);
  const { sealing, sending } = context;
  return {
    bundles: options.bundles.length,
    read: scan.resources.length + scan.repeats.length,
    distinct: scan.resources.length,
    repeats: scan.repeats.length,
    alreadyThere: sum((hospital) => hospital.alreadyThere),
    added: sum((hospital) => hospital.added),
    failed: sum((hospital) => hospital.failed),
    resumed,
    hospitals,
    failures: loads.flatMap((load) => load.failures).slice(0, FAILURES_SHOWN),
    seconds: {
      reading: options.readingSeconds,
      registering: registering.seconds,
      sealing: sealing.seconds,
      sending: sending.seconds,
      total: options.readingSeconds + (performance.now() - startMs) / 1_000,
    },
  };
}

function isCommitted({ log }: LoadContext, { mark }: { readonly mark: Uint8Array }): boolean {
  return log.resource(mark)?.kind === 'committed';
}

function openResources(context: LoadContext, { resources }: HospitalPlan): number {
  return resources.filter((planned) => !isCommitted(context, planned)).length;
}
