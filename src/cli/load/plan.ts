import { accountAddress } from '../../ledger/account.ts';
import type { GenesisDocument } from '../../ledger/genesis.ts';
import { hospitalOf } from '../fhir/assignment.ts';
import type { BundleScan, ScannedResource } from '../fhir/scan.ts';
import type { Holder, KeyFolder } from '../key-folder.ts';

/** A resource with all that its record needs but the keys of people. */
export interface PlannedResource {
  /** Recognises the resource in the load log. */
  readonly mark: Uint8Array;
  readonly resource: ScannedResource;
}

/** What falls to one hospital. */
export interface HospitalPlan {
  readonly name: string;
  /** Undefined when nothing falls to it, so that its key need not be there. */
  readonly organisation: Holder | undefined;
  readonly resources: readonly PlannedResource[];
}

/**
 * Divides resources among the organisations of a genesis, in its order: each patient's bundle whole (assignment.ts).
 * Throws an OperatorError when the key of an organisation is missing to which something falls.
 */
export function planLoad(scan: BundleScan, genesis: GenesisDocument, keys: KeyFolder): readonly HospitalPlan[] {
  const hospitals = genesis.organisations.length;
  const groups = Array.from({ length: hospitals }, (): PlannedResource[] => []);
  for (const resource of scan.resources) {
    const mark = keys.mark('resource', `${resource.type}/${resource.id}`);
    groups[hospitalOf(resource.bundle.patient.id, hospitals)]!.push({ mark, resource });
  }
  return genesis.organisations.map(({ name, keyDocument }, index) => {
    const resources = groups[index]!;
    const organisation = resources.length === 0 ? undefined : keys.organisation(accountAddress(keyDocument));
    return { name, organisation, resources };
  });
}
