import type { InstallRecord } from '../storage/schema.ts';
import type { SnapshotInstall } from '../storage/snapshot-install.ts';
import type { DerivedState } from './derived-state.ts';

/** A whole state that was fetched and verified, ready to take the place of the present one. */
export interface FetchedState {
  readonly staging: SnapshotInstall;
  /** Where it stands; `gapFrom` is one above the tip that it was fetched for. */
  readonly record: InstallRecord;
  readonly state: DerivedState;
  readonly timestampMs: number;
}
