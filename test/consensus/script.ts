import { concatBytes, toHex, utf8 } from '../../src/codec/bytes.ts';
import { admitMessage } from '../../src/consensus/admission.ts';
import { describeCore } from '../../src/consensus/describe.ts';
import type { Effect } from '../../src/consensus/effect.ts';
import type { Input, TimerName } from '../../src/consensus/input.ts';
import { decodeJournalRecord, encodeJournalRecord, type JournalRecord } from '../../src/consensus/journal-record.ts';
import { decodeMessage, encodeMessage, type Message, type Proposal } from '../../src/consensus/messages.ts';
import { DEFAULT_PARAMETERS } from '../../src/consensus/parameters.ts';
import { type Core, createCore } from '../../src/consensus/state.ts';
import { step } from '../../src/consensus/step.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { blockHash } from '../../src/ledger/block.ts';
import { contextAfter, makeProposal } from '../simulation/application.ts';
import { fakeSign, fakeValidators, fakeVerify, GENESIS_HASH } from '../simulation/keys.ts';
import { forgeMessage } from './forge.ts';

/** Timers that every script would otherwise repeat in each line. */
const QUIET_TIMERS: readonly string[] = ['retransmit', 'status', 'heartbeat'];

interface Player {
  core: Core;
  journal: Uint8Array[];
  unsynced: { readonly token: number; readonly records: readonly JournalRecord[] }[];
  readonly timers: Map<TimerName, number>;
  /** Messages sent and not yet delivered, to whom. */
  outbox: { readonly to: number; readonly message: Message }[];
  decided: Proposal | undefined;
}

/**
 * Cores whose every input stands in a script, as a conversation: a command a line, and what it made the cores do
 * below it. Blocks are called A, B, … in order of appearance.
 */
export class Script {
  readonly #names = new Map<string, string>();
  readonly #proposals = new Map<string, Proposal>();
  #players: Player[] = [];
  #validators = fakeValidators(1);
  #lines: string[] = [];

  /** What one command prints; throws on an unknown command. */
  run(command: string): string {
    this.#lines = [];
    const [verb, ...words] = command.split(/\s+/);
    const numbers = words.map(Number);
    const [first = 0] = numbers;
    switch (verb) {
      case 'cores':
        this.#begin(first);
        break;
      case 'pending':
        for (const node of numbers)
          this.#give(node, { kind: 'PendingChanged', height: this.#height(node), applicable: true });
        break;
      case 'idle':
        for (const node of numbers)
          this.#give(node, { kind: 'PendingChanged', height: this.#height(node), applicable: false });
        break;
      case 'rechecked':
        this.#give(first, {
          kind: 'PendingRechecked',
          height: this.#height(first),
          applicable: words[1] === 'applicable',
        });
        break;
      case 'built':
        this.#built(first, words[1] ?? 'A', words[2] === 'empty');
        break;
      case 'sync':
        for (const node of numbers) this.#sync(node);
        break;
      case 'deliver':
        this.#deliver(first, numbers[1] ?? 0, words.slice(2));
        break;
      case 'drop':
        for (const node of numbers) this.#player(node).outbox = [];
        break;
      case 'valid':
        this.#validated(first, words[1]!, { kind: 'valid' });
        break;
      case 'invalid':
        this.#validated(first, words[1]!, { kind: 'invalid', provable: words[2] === 'provable', code: 'execution' });
        break;
      case 'fetched':
        this.#fetched(first, words[1]!);
        break;
      case 'timeout':
        this.#timeout(first, words[1] as TimerName);
        break;
      case 'apply':
        for (const node of numbers) this.#apply(node);
        break;
      case 'crash':
        this.#restart(first);
        break;
      case 'connect':
        this.#give(first, { kind: 'Connected', peer: this.#keyOf(numbers[1]!) });
        break;
      case 'forge':
        this.#forge(first, words.slice(1));
        break;
      case 'settle':
        this.#settle();
        break;
      case 'show':
        this.#show(first);
        break;
      default:
        throw new Error(`unknown command: ${command}`);
    }
    return this.#lines.join('\n');
  }

  #begin(n: number): void {
    this.#validators = fakeValidators(n);
    this.#players = this.#validators.validators.map((_, node) => ({
      core: this.#newCore(node),
      journal: [],
      unsynced: [],
      timers: new Map(),
      outbox: [],
      decided: undefined,
    }));
    for (let node = 0; node < n; node += 1) this.#start(node, false);
  }

  #newCore(node: number): Core {
    const publicKey = this.#keyOf(node);
    const sign = (preimage: Uint8Array) => fakeSign(publicKey, preimage);
    return createCore({
      genesisHash: GENESIS_HASH,
      parameters: DEFAULT_PARAMETERS,
      publicKey,
      sign,
      verify: fakeVerify,
    });
  }

  #start(node: number, prints: boolean): void {
    const player = this.#player(node);
    const records = player.journal.map(decodeJournalRecord);
    const context = contextAfter(this.#validators, undefined);
    this.#give(node, { kind: 'Start', context, tip: null, records, journal: 'intact' }, prints);
    if (!prints) player.outbox = [];
  }

  #restart(node: number): void {
    const player = this.#player(node);
    player.unsynced = [];
    player.outbox = [];
    player.timers.clear();
    player.core = this.#newCore(node);
    this.#start(node, true);
  }

  #built(node: number, name: string, isEmpty: boolean): void {
    const { core } = this.#player(node);
    const { context, view } = core.height;
    const proposal = name === 'nothing' ? null : makeProposal(context, node, view, isEmpty ? [] : [sha256(utf8(name))]);
    if (proposal !== null) this.#learn(name, proposal);
    this.#give(node, { kind: 'Built', height: context.height, view, proposal });
  }

  #sync(node: number): void {
    const player = this.#player(node);
    for (const { token, records } of player.unsynced.splice(0)) {
      player.journal.push(...records.map(encodeJournalRecord));
      this.#give(node, { kind: 'Synced', token });
    }
  }

  /** `deliver FROM TO [KIND…]`: what FROM has sent to TO, all of it or of these kinds. */
  #deliver(from: number, to: number, kinds: readonly string[]): void {
    const sender = this.#player(from);
    const isMeant = (sent: { to: number; message: Message }) =>
      sent.to === to && (kinds.length === 0 || kinds.includes(sent.message.kind));
    const meant = sender.outbox.filter(isMeant);
    sender.outbox = sender.outbox.filter((sent) => !isMeant(sent));
    for (const { message } of meant) this.#receive(from, to, message);
  }

  #receive(from: number, to: number, message: Message): void {
    const { core } = this.#player(to);
    const decoded = decodeMessage(encodeMessage(message));
    const admission = admitMessage(core, decoded);
    const label = `${from}→${to} ${this.#labelOf(message)}`;
    if (admission.kind === 'drop') this.#lines.push(`${label}: dropped, ${admission.reason}`);
    else if (
      admission.direct !== null &&
      !fakeVerify(admission.direct.signature, admission.direct.preimage, admission.direct.publicKey)
    )
      this.#lines.push(`${label}: dropped, signature`);
    else {
      this.#lines.push(label);
      this.#give(to, {
        kind: 'Message',
        from: this.#keyOf(from),
        message: decoded,
        verified: admission.direct !== null,
      });
    }
  }

  #validated(node: number, name: string, result: Extract<Input, { kind: 'Validated' }>['result']): void {
    const { context, view } = this.#player(node).core.height;
    this.#give(node, { kind: 'Validated', height: context.height, view, blockHash: this.#hashOf(name), result });
  }

  #fetched(node: number, name: string): void {
    const proposal = this.#proposals.get(name)!;
    this.#give(node, { kind: 'Fetched', height: this.#height(node), blockHash: this.#hashOf(name), proposal });
  }

  #timeout(node: number, timer: TimerName): void {
    const token = this.#player(node).timers.get(timer);
    if (token === undefined) this.#lines.push(`${node}: no ${timer} timer runs`);
    else this.#give(node, { kind: 'Timeout', timer, token });
  }

  #apply(node: number): void {
    const { core, decided } = this.#player(node);
    const { certificate } = core.height.decided!;
    this.#give(node, { kind: 'Applied', context: contextAfter(this.#validators, decided!), certificate });
  }

  /** `forge TO AS KIND name=value…`: a message under the key of validator AS that no core has sent. */
  #forge(to: number, words: readonly string[]): void {
    const [as, ...rest] = words;
    const message = forgeMessage(
      this.#validators,
      Number(as),
      this.#height(to),
      rest,
      (name) => this.#proposals.get(name)!,
    );
    this.#receive(Number(as), to, message);
  }

  /** Syncs, delivers and finds valid until nothing more happens: for the uninteresting part of a script. */
  #settle(): void {
    const before = this.#lines.length;
    for (let round = 0; round < 50; round += 1) {
      let isQuiet = true;
      for (const [node, player] of this.#players.entries()) {
        isQuiet &&= player.unsynced.length === 0 && player.outbox.length === 0;
        this.#sync(node);
        for (const { to, message } of player.outbox.splice(0)) this.#receive(node, to, message);
        const { held } = player.core.height;
        if (held?.status === 'validating')
          this.#validated(node, this.#nameOf(held.message.blockHash), { kind: 'valid' });
      }
      if (isQuiet) break;
    }
    this.#lines = this.#lines
      .slice(0, before)
      .concat(this.#lines.slice(before).filter((line) => /decides|alarm|Evidence/.test(line)));
  }

  #show(node: number): void {
    const { core } = this.#player(node);
    const { height, view, proposal, preparedView, prepares, commits, viewChanges, counters } = describeCore(core);
    this.#lines.push(
      `${node}: height ${height} view ${view} proposal ${proposal?.status ?? 'none'} prepared ${preparedView ?? 'none'}` +
        ` prepares [${prepares.there}] commits [${commits.there}] left [${viewChanges.map((v) => `${v.signer}→${v.newView}`)}]`,
      `${node}: counted ${JSON.stringify(counters)}`,
    );
  }

  #give(node: number, input: Input, prints = true): void {
    const before = this.#lines.length;
    for (const effect of step(this.#player(node).core, input)) this.#take(node, effect);
    if (!prints) this.#lines.length = before;
  }

  #take(node: number, effect: Effect): void {
    const player = this.#player(node);
    if (effect.kind === 'Persist') player.unsynced.push(effect);
    else if (effect.kind === 'SetTimer') player.timers.set(effect.timer, effect.token);
    else if (effect.kind === 'CancelTimer') player.timers.delete(effect.timer);
    else if (effect.kind === 'Decide') player.decided = effect.proposal;
    else if (effect.kind === 'Send') player.outbox.push({ to: this.#indexOf(effect.to), message: effect.message });
    else if (effect.kind === 'Broadcast')
      for (const to of this.#players.keys()) if (to !== node) player.outbox.push({ to, message: effect.message });
    const text = this.#describe(effect);
    if (text !== undefined) this.#lines.push(`  ${node}: ${text}`);
  }

  #describe(effect: Effect): string | undefined {
    switch (effect.kind) {
      case 'Persist':
        return `writes ${effect.records.map((record) => this.#labelOfRecord(record)).join(', ')}`;
      case 'Broadcast':
        return effect.message.kind === 'Status' ? undefined : `sends all ${this.#labelOf(effect.message)}`;
      case 'Send':
        return effect.message.kind === 'Status'
          ? undefined
          : `sends ${this.#indexOf(effect.to)} ${this.#labelOf(effect.message)}`;
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

  #labelOf(message: Message): string {
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

  #labelOfRecord(record: JournalRecord): string {
    if (record.kind === 'Prepared') return `certificate of view ${record.certificate.view}`;
    if (record.kind === 'Proposal')
      return `${record.fresh ? 'fresh' : 're-proposed'} ${this.#nameOf(record.message.blockHash)}`;
    return 'message' in record ? this.#labelOf(record.message) : record.kind;
  }

  #learn(name: string, proposal: Proposal): void {
    this.#names.set(toHex(blockHash(proposal.header)), name);
    this.#proposals.set(name, proposal);
  }

  #nameOf(hash: Uint8Array): string {
    return this.#names.get(toHex(hash)) ?? 'unknown';
  }

  #hashOf(name: string): Uint8Array {
    const proposal = this.#proposals.get(name);
    return proposal === undefined ? sha256(concatBytes(utf8(name))) : blockHash(proposal.header);
  }

  #player(node: number): Player {
    const player = this.#players[node];
    if (player === undefined) throw new Error(`there is no core ${node}`);
    return player;
  }

  #height(node: number): number {
    return this.#player(node).core.height.context.height;
  }

  #keyOf(node: number): Uint8Array {
    return this.#validators.validators[node]!.publicKey;
  }

  #indexOf(publicKey: Uint8Array): number {
    return this.#validators.validators.findIndex((validator) => toHex(validator.publicKey) === toHex(publicKey));
  }
}
