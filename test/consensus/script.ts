import { concatBytes, toHex, utf8 } from '../../src/codec/bytes.ts';
import { admitMessage } from '../../src/consensus/admission.ts';
import type { Effect } from '../../src/consensus/effect.ts';
import type { Input, TimerName } from '../../src/consensus/input.ts';
import {
  decodeJournalRecord,
  encodeJournalRecord,
  type JournalRecord,
  journalRecordHeight,
} from '../../src/consensus/journal-record.ts';
import { decodeMessage, encodeMessage, type Message, type Proposal } from '../../src/consensus/messages.ts';
import { DEFAULT_INTERVALS } from '../../src/consensus/parameters.ts';
import { journalVerdict } from '../../src/consensus/recovery.ts';
import { type Core, createCore } from '../../src/consensus/state.ts';
import { step } from '../../src/consensus/step.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { blockHash } from '../../src/ledger/block.ts';
import type { Certificate } from '../../src/ledger/certificate.ts';
import { makeProposal } from '../simulation/application.ts';
import { fakeSign, fakeValidators, fakeVerify, GENESIS_HASH } from '../simulation/keys.ts';
import { forgeCertificate, forgeMessage } from './forge.ts';
import { ScriptLedger, settingsOf } from './script-ledger.ts';
import { Telling } from './telling.ts';

interface Player {
  core: Core;
  ledger: ScriptLedger;
  journal: Uint8Array[];
  unsynced: { readonly token: number; readonly records: readonly JournalRecord[] }[];
  readonly timers: Map<TimerName, number>;
  /** Messages sent and not yet delivered, to whom. */
  outbox: { readonly to: number; readonly message: Message }[];
  decided: { readonly proposal: Proposal; readonly certificate: Certificate } | undefined;
}

const BIRTH = encodeJournalRecord({ kind: 'Birth' });

/**
 * Cores whose every input stands in a script, as a conversation: a command a line, and what it made the cores do
 * below it. Blocks have the names under which they were built.
 */
export class Script {
  readonly #names = new Map<string, string>();
  readonly #proposals = new Map<string, Proposal>();
  readonly #changes = new Map<string, ReturnType<typeof settingsOf>>();
  #players: Player[] = [];
  #validators = fakeValidators(1);
  #lines: string[] = [];
  readonly #telling = new Telling(
    (blockHash) => this.#nameOf(blockHash),
    (publicKey) => this.#indexOf(publicKey),
  );

  /** What one command prints; throws on an unknown command. */
  run(command: string): string {
    this.#lines = [];
    const [verb = '', ...words] = command.split(/\s+/);
    const act = this.#commands[verb];
    if (act === undefined) throw new Error(`unknown command: ${command}`);
    act(words, words.map(Number));
    return this.#lines.join('\n');
  }

  /** Every command, with its words and the same as numbers; the first one is a core nearly always. */
  readonly #commands: Readonly<Record<string, (words: readonly string[], numbers: readonly number[]) => void>> = {
    cores: (_, [n]) => this.#begin(n!),
    pending: (_, nodes) => this.#pending(nodes, true),
    idle: (_, nodes) => this.#pending(nodes, false),
    rechecked: ([, answer], [node]) => this.#rechecked(node!, answer === 'applicable'),
    built: ([, name, size], [node]) => this.#built(node!, name!, size === 'empty'),
    sync: (_, nodes) =>
      nodes.forEach((node) => {
        this.#sync(node);
      }),
    deliver: ([, , ...kinds], [from, to]) => this.#deliver(from!, to!, kinds),
    drop: (_, nodes) =>
      nodes.forEach((node) => {
        this.#drop(node);
      }),
    valid: ([, name], [node]) => this.#validated(node!, name!, { kind: 'valid' }),
    invalid: ([, name, proof], [node]) =>
      this.#validated(node!, name!, { kind: 'invalid', provable: proof === 'provable', code: 'execution' }),
    fetched: ([, name], [node]) => this.#fetched(node!, name!),
    timeout: ([, timer], [node]) => this.#timeout(node!, timer as TimerName),
    late: ([, kind, name], [node, , , height, view]) => this.#late(node!, kind!, name!, height!, view!),
    apply: (_, nodes) =>
      nodes.forEach((node) => {
        this.#apply(node);
      }),
    catchup: ([, name], [node]) => this.#catchUp(node!, name!),
    crash: (_, [node]) => this.#restart(node!),
    lose: (_, [node]) => this.#lose(node!),
    tip: (_, [node, peer, height]) =>
      this.#give(node!, { kind: 'TipShown', peer: this.#keyOf(peer!), height: height! }),
    connect: (_, [node, peer]) => this.#give(node!, { kind: 'Connected', peer: this.#keyOf(peer!) }),
    forge: ([, ...words], [to]) => this.#forge(to!, words),
    settle: () => this.#settle(),
    show: (_, [node]) => this.#show(node!),
    changes: ([name, ...words]) => this.#changes.set(toHex(this.#hashOf(name!)), settingsOf(words)),
  };

  #begin(n: number): void {
    this.#validators = fakeValidators(n);
    this.#players = this.#validators.validators.map((_, node) => ({
      core: this.#newCore(node),
      ledger: new ScriptLedger(this.#validators, this.#changes),
      journal: [BIRTH],
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
      intervals: DEFAULT_INTERVALS,
      publicKey,
      sign,
      verify: fakeVerify,
    });
  }

  #start(node: number, prints: boolean): void {
    const player = this.#player(node);
    const records = player.journal.map(decodeJournalRecord);
    const { context, tip } = player.ledger;
    const verdict = journalVerdict(records, context.height - 1, 0);
    const journal = verdict === 'fresh' ? 'intact' : verdict;
    this.#give(node, { kind: 'Start', context, tip, records, journal }, prints);
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

  /** The journal is gone, the store is not. */
  #lose(node: number): void {
    this.#player(node).journal = [];
    this.#restart(node);
  }

  #pending(nodes: readonly number[], applicable: boolean): void {
    for (const node of nodes) this.#give(node, { kind: 'PendingChanged', height: this.#height(node), applicable });
  }

  #rechecked(node: number, applicable: boolean): void {
    this.#give(node, { kind: 'PendingRechecked', height: this.#height(node), applicable });
  }

  #drop(node: number): void {
    this.#player(node).outbox = [];
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
    const label = `${from}→${to} ${this.#telling.message(message)}`;
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

  /** `late NODE built|validated|fetched NAME HEIGHT VIEW`: an answer to what was asked for then. */
  #late(node: number, kind: string, name: string, height: number, view: number): void {
    const blockHash = this.#hashOf(name);
    const proposal = this.#proposals.get(name)!;
    if (kind === 'built') this.#give(node, { kind: 'Built', height, view, proposal });
    else if (kind === 'fetched') this.#give(node, { kind: 'Fetched', height, blockHash, proposal });
    else this.#give(node, { kind: 'Validated', height, view, blockHash, result: { kind: 'valid' } });
  }

  #apply(node: number): void {
    const { ledger, decided } = this.#player(node);
    const { proposal, certificate } = decided!;
    ledger.apply(proposal, certificate);
    this.#give(node, { kind: 'Applied', context: ledger.context, certificate });
  }

  /** Catch-up brings a block with a certificate of its own, of view 0 by everybody. */
  #catchUp(node: number, name: string): void {
    const { ledger } = this.#player(node);
    const vote = { height: this.#height(node), view: 0, blockHash: this.#hashOf(name) };
    const certificate = forgeCertificate(this.#validators, 'COMMIT', vote, [...this.#players.keys()]);
    ledger.apply(this.#proposals.get(name)!, certificate);
    this.#give(node, { kind: 'Applied', context: ledger.context, certificate });
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
    this.#lines.push(...this.#telling.core(this.#player(node).core).map((line) => `${node}: ${line}`));
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
    else if (effect.kind === 'Decide') player.decided = effect;
    else if (effect.kind === 'Truncate') this.#truncate(player, effect);
    else if (effect.kind === 'Send') player.outbox.push({ to: this.#indexOf(effect.to), message: effect.message });
    else if (effect.kind === 'Broadcast')
      for (const to of this.#players.keys()) if (to !== node) player.outbox.push({ to, message: effect.message });
    const text = this.#telling.effect(effect);
    if (text !== undefined) this.#lines.push(`  ${node}: ${text}`);
  }

  #truncate(player: Player, { height, blockHash }: Extract<Effect, { kind: 'Truncate' }>): void {
    const live = player.journal.filter((record) => journalRecordHeight(decodeJournalRecord(record)) > height);
    player.journal = [encodeJournalRecord({ kind: 'Truncated', height, blockHash }), ...live];
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
