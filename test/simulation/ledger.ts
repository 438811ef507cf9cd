import { equalBytes, toHex, utf8 } from '../../src/codec/bytes.ts';
import type { Proposal } from '../../src/consensus/messages.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import type { Certificate } from '../../src/ledger/certificate.ts';
import { eligiblePrimaries, skipTableAfter } from '../../src/ledger/proposer-skip.ts';
import { FAMILIES, type SkipEntry } from '../../src/ledger/state.ts';
import type { StateView } from '../../src/ledger/state-overlay.ts';
import type { ValidatorSet } from '../../src/ledger/validator-set.ts';
import { headerOf, type LedgerContext, stateRootAfter } from './application.ts';
import { fakeValidators, GENESIS_HASH, validatorSetOf } from './keys.ts';
import { SettingSlots, type Settings } from './settings.ts';

/** A made-up transaction: `txHash` is over the full encoding, so one id under two signature sets has two. */
export interface SimulatedTransaction {
  readonly txHash: Uint8Array;
  readonly id: number;
  /** Of transactions that name one thing only one can apply, whatever their ids. */
  readonly claims: string | undefined;
  readonly change: SeatChange | undefined;
  /** New values of some settings. */
  readonly settings?: Partial<Settings>;
}

/** A change of the validator set, by the numbers of the keys. */
export interface SeatChange {
  readonly joins: number | undefined;
  readonly leaves: number | undefined;
}

/** All transactions of a run: whoever holds a block can look up what is in it. */
export class TransactionPool {
  readonly #byHash = new Map<string, SimulatedTransaction>();

  make(id: number, signatures: number, claims?: string, change?: SeatChange): SimulatedTransaction {
    const txHash = sha256(utf8(`transaction ${id} signed ${signatures}`));
    const transaction = { txHash, id, claims, change };
    this.#byHash.set(toHex(txHash), transaction);
    return transaction;
  }

  /** A change of the settings. */
  makeSettings(id: number, settings: Partial<Settings>): SimulatedTransaction {
    const transaction = { ...this.make(id, 0), settings };
    this.#byHash.set(toHex(transaction.txHash), transaction);
    return transaction;
  }

  get(txHash: Uint8Array): SimulatedTransaction | undefined {
    return this.#byHash.get(toHex(txHash));
  }
}

/** The state of one node after its tip: what consensus depends on, and what has been executed. */
export class Ledger {
  readonly #pool: TransactionPool;
  readonly #ids = new Set<number>();
  readonly #claims = new Set<string>();
  /** Who holds or held a seat: none is admitted again. */
  readonly #seen: Set<number>;
  /** Who holds a seat in the set of the next height. */
  #seats: readonly number[];
  #skips: readonly SkipEntry[] = [];
  #mayChange = true;
  readonly #settings: SettingSlots;
  #hasChanged = false;
  /** Of the ledger, and the height that its first block builds on. */
  genesisHash: Uint8Array = GENESIS_HASH;
  startHeight = 0;
  context: LedgerContext;

  /** The ledger whose first validators have the numbers 0 … nodes − 1; `isEarly` as in SettingSlots. */
  constructor(pool: TransactionPool, nodes: number, isEarly = false) {
    this.#settings = new SettingSlots(isEarly);
    const genesis = fakeValidators(nodes);
    this.#pool = pool;
    this.#seats = Array.from({ length: nodes }, (_, number) => number);
    this.#seen = new Set(this.#seats);
    this.context = {
      height: 1,
      validators: genesis,
      nextValidators: genesis,
      eligible: genesis.validators.map((_, index) => index),
      previousHash: GENESIS_HASH,
      parentTimestampMs: 0,
      parameters: this.#settings.current,
    };
  }

  get height(): number {
    return this.context.height - 1;
  }

  /** A block changed the validators. */
  get hasChanged(): boolean {
    return this.#hasChanged;
  }

  /** The settings are not those of the genesis any more, or will not be. */
  get hasChangedSettings(): boolean {
    return this.#settings.hasChanged;
  }

  has(id: number): boolean {
    return this.#ids.has(id);
  }

  /** The first `most` of the candidates that can stand together in the next block; as many as it takes if not given. */
  applicable(
    candidates: Iterable<SimulatedTransaction>,
    most = this.#settings.current.blockTransactionsMax,
  ): readonly SimulatedTransaction[] {
    const chosen: SimulatedTransaction[] = [];
    for (const candidate of candidates) {
      if (chosen.length >= most) break;
      if (this.#fits(candidate, chosen)) chosen.push(candidate);
    }
    return chosen;
  }

  /** Why the block does not execute here, or undefined when it does. */
  executionFault(proposal: Proposal, extra?: Uint8Array): string | undefined {
    const chosen: SimulatedTransaction[] = [];
    if (proposal.txHashes.length > this.#settings.current.blockTransactionsMax) return 'overCap';
    for (const txHash of proposal.txHashes) {
      const transaction = this.#pool.get(txHash);
      if (transaction === undefined || !this.#fits(transaction, chosen)) return 'execution';
      chosen.push(transaction);
    }
    const { stateRoot } = headerOf(proposal).header;
    return equalBytes(stateRoot, stateRootAfter(this.context, proposal.txHashes, extra)) ? undefined : 'stateRoot';
  }

  /** Executes a decided block; returns why it cannot be the next one, if it cannot. */
  apply(proposal: Proposal, certificate: Certificate, extra?: Uint8Array): string | undefined {
    const { context } = this;
    const { header, hash } = headerOf(proposal);
    if (header.height !== context.height || certificate.height !== context.height) return 'height';
    if (!equalBytes(header.previousHash, context.previousHash)) return 'parent';
    if (!equalBytes(certificate.blockHash, hash)) return 'hash';
    const fault = this.executionFault(proposal, extra);
    if (fault !== undefined) return fault;
    let change: SeatChange | undefined;
    let settings: Partial<Settings> | undefined;
    for (const txHash of proposal.txHashes) {
      const transaction = this.#pool.get(txHash)!;
      this.#ids.add(transaction.id);
      if (transaction.claims !== undefined) this.#claims.add(transaction.claims);
      change ??= transaction.change;
      settings ??= transaction.settings;
    }
    this.#settings.advance(settings);
    this.#advance(header.timestampMs, header.proposer, hash, change);
    return undefined;
  }

  /** Goes on after the last block under another genesis hash, with those who hold these seats; nobody missed a turn. */
  restart(genesisHash: Uint8Array, seats: readonly number[]): void {
    const validators = validatorSetOf(seats);
    this.genesisHash = genesisHash;
    this.startHeight = this.height;
    this.#seats = seats;
    this.#skips = [];
    this.#mayChange = true;
    this.context = {
      ...this.context,
      genesisHash,
      validators,
      nextValidators: validators,
      eligible: validators.validators.map((_, index) => index),
      previousHash: genesisHash,
      parentTimestampMs: this.context.parentTimestampMs + 1,
    };
  }

  #advance(timestampMs: number, proposer: number, previousHash: Uint8Array, change: SeatChange | undefined): void {
    const { height, nextValidators } = this.context;
    this.#skips = skipTableAfter(skipView(this.context.validators, this.#skips), height, proposer);
    this.#mayChange = change === undefined;
    const afterNext = change === undefined ? nextValidators : this.#changed(change);
    this.context = {
      genesisHash: this.genesisHash,
      height: height + 1,
      validators: nextValidators,
      nextValidators: afterNext,
      eligible: eligiblePrimaries(skipView(nextValidators, this.#skips), height + 1),
      previousHash,
      parentTimestampMs: timestampMs,
      parameters: this.#settings.current,
    };
  }

  #fits(transaction: SimulatedTransaction, chosen: readonly SimulatedTransaction[]): boolean {
    const { id, claims, change, settings } = transaction;
    if (this.#ids.has(id) || (claims !== undefined && this.#claims.has(claims))) return false;
    if (chosen.some((other) => other.id === id || (claims !== undefined && other.claims === claims))) return false;
    if (settings !== undefined)
      return this.#settings.mayChange && chosen.every((other) => other.settings === undefined);
    if (change === undefined) return true;
    return this.#mayChange && chosen.every((other) => other.change === undefined) && this.#isPossible(change);
  }

  #isPossible({ joins, leaves }: SeatChange): boolean {
    if (joins !== undefined && this.#seen.has(joins)) return false;
    if (leaves === undefined) return true;
    return (joins !== undefined || this.#seats.length > 1) && this.#seats.includes(leaves);
  }

  #changed({ joins, leaves }: SeatChange): ValidatorSet {
    const stay = this.#seats.filter((seat) => seat !== leaves);
    this.#seats = joins === undefined ? stay : [...stay, joins];
    if (joins !== undefined) this.#seen.add(joins);
    this.#hasChanged = true;
    return validatorSetOf(this.#seats);
  }
}

/** The part of the state that the skip rule reads. */
export function skipView(set: ValidatorSet, skips: readonly SkipEntry[]): StateView {
  const read = (family: unknown) => (family === FAMILIES.validators ? set.validators : skips);
  return { read: read as StateView['read'] };
}
