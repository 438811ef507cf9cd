import { submitUntilFinal } from '../../client/submit-until-final.ts';
import { toHex } from '../../codec/bytes.ts';
import { formatAddress } from '../../crypto/address.ts';
import { OperatorError } from '../../node/operator-error.ts';
import type { Holder } from '../key-folder.ts';
import { isRegistered, signRegistration } from '../registration.ts';
import { mapBounded } from './bounded.ts';
import type { LoadContext, LoadProgress } from './context.ts';
import type { HospitalPlan, PlannedResource } from './plan.ts';

/** The accounts of a load's patients and doctors, each at one hospital. */
export interface LoadPeople {
  patient(resource: PlannedResource, organisation: Holder): Holder;
  author(resource: PlannedResource, organisation: Holder): Holder;
  /** How many of these there are at the hospital with this address text. */
  countAt(organisation: string): { readonly patients: number; readonly doctors: number };
}

const BATCH = 100;

/**
 * Draws the keys of everybody that the plans name, where there are none yet, and registers their accounts, where they
 * are not yet on the ledger: one account for each patient, and one for each doctor and hospital.
 */
export async function registerPeople(
  context: LoadContext,
  plans: readonly HospitalPlan[],
  progress: LoadProgress,
): Promise<LoadPeople> {
  const people = new Map<string, Holder>();
  const ensure = (role: 'patient' | 'doctor', name: string, organisation: Holder): Holder => {
    const { address } = organisation.identity;
    const key = `${role}\0${toHex(address)}\0${name}`;
    const known = people.get(key) ?? context.keys.ensurePerson(role, name, address);
    people.set(key, known);
    return known;
  };
  const patientOf = ({ resource }: PlannedResource, organisation: Holder) =>
    ensure('patient', resource.bundle.patient.id, organisation);
  const authorOf = ({ resource }: PlannedResource, organisation: Holder) =>
    ensure('doctor', resource.author, organisation);

  for (const { organisation, resources } of plans) {
    if (organisation === undefined) continue;
    for (const planned of resources) {
      patientOf(planned, organisation);
      authorOf(planned, organisation);
    }
  }
  const open = [...people.values()].filter(({ identity }) => !context.log.isRegistered(identity.address));
  progress.stage('Accounts', open.length);
  let done = 0;
  for (const { organisation } of plans) {
    if (organisation === undefined) continue;
    const home = toHex(organisation.identity.address);
    const ofHospital = open.filter((holder) => toHex(holder.organisation) === home);
    const batches = Array.from({ length: Math.ceil(ofHospital.length / BATCH) }, (_, place) =>
      ofHospital.slice(place * BATCH, (place + 1) * BATCH),
    );
    await mapBounded(batches, 2, async (batch) => {
      await register(context, organisation, batch);
      done += batch.length;
      progress.advance(done);
    });
  }
  return {
    patient: patientOf,
    author: authorOf,
    countAt(home) {
      const here = [...people.values()].filter((holder) => formatAddress(holder.organisation) === home);
      const patients = here.filter(({ role }) => role === 'patient').length;
      return { patients, doctors: here.length - patients };
    },
  };
}

async function register(context: LoadContext, organisation: Holder, accounts: readonly Holder[]): Promise<void> {
  const { ledger, log, nodes, patience, sending } = context;
  const signed = accounts.map((account) =>
    signRegistration(ledger.genesisHash, account, organisation, context.validUntilMs()),
  );
  const statuses = await sending.time(() =>
    submitUntilFinal(nodes.of(organisation), signed, patience.watch('accounts')),
  );
  patience.advanced();
  await log.append(
    accounts.flatMap(({ identity }, place) =>
      isRegistered(statuses[place]!) ? [{ kind: 'Registered', address: identity.address }] : [],
    ),
  );
  const refused = statuses.find((status) => !isRegistered(status));
  if (refused === undefined) return;
  const why =
    refused.status === 'Rejected' ? `${refused.code}, ${refused.detail}` : 'it expired before a block took it';
  throw new OperatorError(`An account of ${organisation.name} could not be registered: ${why}. Load again.`);
}
