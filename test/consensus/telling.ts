import { describeCore } from '../../src/consensus/describe.ts';
import type { Effect } from '../../src/consensus/effect.ts';
import type { JournalRecord } from '../../src/consensus/journal-record.ts';
import type { Message } from '../../src/consensus/messages.ts';
import type { Core } from '../../src/consensus/state.ts';

/** Timers that every script would otherwise repeat in each line. */
const QUIET_TIMERS: readonly string[] = ['retransmit', 'status', 'heartbeat'];

/** Puts messages and effects into the words of the scripts. */
export class Telling {
  readonly #nameOf: (blockHash: Uint8Array) => string;
  readonly #indexOf: (publicKey: Uint8Array) => number;

  constructor(nameOf: (blockHash: Uint8Array) => string, indexOf: (publicKey: Uint8Array) => number) {
    this.#nameOf = nameOf;
    this.#indexOf = indexOf;
  }

  /** One line; undefined for what scripts leave out. */
  effect(effect: Effect): string | undefined {
    switch (effect.kind) {
      case 'Persist':
        return `writes ${effect.records.map((record) => this.#record(record)).join(', ')}`;
      case 'Broadcast':
        return effect.message.kind === 'Status' ? undefined : `sends all ${this.message(effect.message)}`;
      case 'Send':
        return effect.message.kind === 'Status'
          ? undefined
          : `sends ${this.#indexOf(effect.to)} ${this.message(effect.message)}`;
      case 'SetTimer':
        return QUIET_TIMERS.includes(effect.timer) ? undefined : `sets ${effect.timer} timer ${effect.afterMs} ms`;
      case 'CancelTimer':
        return QUIET_TIMERS.includes(effect.timer) ? undefined : `cancels ${effect.timer} timer`;
      case 'Build':
        return `builds for view ${effect.view}${effect.allowEmpty ? ', empty allowed' : ''}`;
      case 'Validate':
        return `validates ${this.#nameOf(effect.blockHash)}, ${effect.mode}, within ${effect.deadlineMs} ms`;
      case 'Fetch':
        return `fetches ${this.#nameOf(effect.blockHash)} from [${effect.from.map((key) => this.#indexOf(key))}]`;
      case 'Decide':
        return `decides ${this.#nameOf(effect.blockHash)} by [${effect.certificate.signatures.map(({ signer }) => signer)}] of view ${effect.certificate.view}`;
      case 'Truncate':
        return `truncates through ${effect.height}`;
      case 'Behind':
        return `may be behind: ${effect.height} from ${this.#indexOf(effect.from)}`;
      case 'Evidence':
        return `Evidence: ${effect.pair.statement} of ${effect.pair.signer} in view ${effect.pair.view}`;
      case 'ForwardPending':
        return 'forwards pending transactions';
      case 'RecheckPending':
        return 'rechecks pending transactions';
      case 'AskTips':
        return 'asks for tips';
      case 'Report':
        return effect.code === 'started'
          ? undefined
          : `${effect.level} ${effect.code}${effect.detail && `: ${effect.detail}`}`;
    }
  }

  /** Where a core stands, and what it has dropped so far. */
  core(core: Core): readonly string[] {
    const { height, view, primary, proposal, preparedView, prepares, commits, viewChanges, silentThrough, counters } =
      describeCore(core);
    const silence =
      silentThrough === null ? ' silent' : silentThrough < height ? '' : ` silent through ${silentThrough}`;
    return [
      `height ${height} view ${view} primary ${primary}${silence} proposal ${proposal?.status ?? 'none'}` +
        ` prepared ${preparedView ?? 'none'} prepares [${prepares.there}] commits [${commits.there}]` +
        ` left [${viewChanges.map((change) => `${change.signer}→${change.newView}`)}]`,
      `counted ${JSON.stringify(counters)}`,
    ];
  }

  message(message: Message): string {
    switch (message.kind) {
      case 'PrePrepare': {
        const parts = message.justification.viewChanges.map(({ signer }) => signer);
        return `PREPREPARE ${message.view} ${this.#nameOf(message.blockHash)}${parts.length > 0 ? ` justified by [${parts}]` : ''}`;
      }
      case 'Prepare':
      case 'Commit':
        return `${message.kind.toUpperCase()} ${message.view} ${this.#nameOf(message.blockHash)}`;
      case 'ViewChange': {
        const { preparedHash } = message;
        const claim =
          preparedHash === null ? 'nothing' : `${this.#nameOf(preparedHash)} of view ${message.preparedView}`;
        return `VIEWCHANGE ${message.newView} with ${claim}`;
      }
      case 'Status':
        return `STATUS ${message.height}`;
      case 'Decided':
        return `DECIDED ${message.certificate.height}`;
    }
  }

  #record(record: JournalRecord): string {
    if (record.kind === 'Prepared') return `certificate of view ${record.certificate.view}`;
    if (record.kind === 'Proposal')
      return `${record.fresh ? 'fresh' : 're-proposed'} ${this.#nameOf(record.message.blockHash)}`;
    return 'message' in record ? this.message(record.message) : record.kind;
  }
}
