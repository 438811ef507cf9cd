import { toHex } from '../../src/codec/bytes.ts';
import type { Commit } from '../../src/consensus/messages.ts';
import { COMMIT_VIEWS_BEHIND, PREPARE_VIEWS_AROUND } from '../../src/consensus/parameters.ts';
import type { Core } from '../../src/consensus/state.ts';
import { Violation } from './invariants.ts';

/**
 * COMMITs that one life of a node heard at its height, kept beside the core: on q of one view for one block it must
 * decide, in whatever view it is itself.
 */
export class CommitWatch {
  #height = 0;
  /** Hash in hex by signer, by view: the first that was said counts. */
  #said = new Map<number, Map<number, string>>();
  #due: { readonly height: number; readonly view: number } | undefined;

  hear(commit: Commit, ownView: number, quorum: number): void {
    if (commit.height !== this.#height) {
      this.#height = commit.height;
      this.#said = new Map();
      this.#due = undefined;
    }
    const { view } = commit;
    if (view < ownView - COMMIT_VIEWS_BEHIND || view > ownView + PREPARE_VIEWS_AROUND) return;
    let bySigner = this.#said.get(view);
    if (bySigner === undefined) {
      bySigner = new Map();
      this.#said.set(view, bySigner);
    }
    const hash = toHex(commit.blockHash);
    if (!bySigner.has(commit.signer)) bySigner.set(commit.signer, hash);
    let same = 0;
    for (const other of bySigner.values()) if (other === hash) same += 1;
    if (same >= quorum) this.#due = { height: commit.height, view };
  }

  /** After the core took the last of them. */
  check(node: number, core: Core): void {
    if (this.#due === undefined) return;
    const { height, view } = this.#due;
    if (core.height.context.height !== height || core.height.decided !== null) return;
    if (view < core.height.view - COMMIT_VIEWS_BEHIND) return;
    throw new Violation('decision', `node ${node} heard q COMMITs of view ${view} at height ${height} and goes on`);
  }
}
