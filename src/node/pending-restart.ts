import { existsSync } from 'node:fs';
import type { DataFolder } from '../storage/data-folder.ts';
import { OperatorError } from './operator-error.ts';

/** Throws an OperatorError while a restart is applied to this folder only in part: nothing in it may be used before. */
export function refuseHalfDone({ root, restart }: DataFolder): void {
  if (existsSync(restart))
    throw new OperatorError(
      `A restart was begun in ${root} and not finished: run "medledger restart apply ${restart} --data ${root}" again.`,
    );
}
