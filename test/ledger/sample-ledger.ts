import { compareBytes, concatBytes, utf8 } from '../../src/codec/bytes.ts';
import { encode } from '../../src/codec/cbor.ts';
import { sha256, taggedHash } from '../../src/crypto/hash.ts';
import { signingKeyFault } from '../../src/crypto/key-admission.ts';
import { verifySignature } from '../../src/crypto/node/verify.ts';
import { nobleSigner, type Signer } from '../../src/crypto/signer.ts';
import { accountAddress, type Control, type KeyDocument, type Thresholds } from '../../src/ledger/account.ts';
import {
  ACTION_CODES,
  type AccountRegister,
  type Action,
  type ActionKind,
  type RecordAmend,
  type RecordCreate,
} from '../../src/ledger/action.ts';
import { RETENTION_QUARTER_MS } from '../../src/ledger/actions/record-version.ts';
import { type BlockCheck, type BlockOccasion, checkBlock } from '../../src/ledger/block-check.ts';
import {
  type BuiltBlock,
  buildBlock,
  type ExecutedBlock,
  type ExecutionParts,
  type ParentBlock,
  parentOf,
} from '../../src/ledger/block-execution.ts';
import { defaultRequirement } from '../../src/ledger/default-requirements.ts';
import { encodeGenesis, type GenesisDocument, genesisParent, genesisState } from '../../src/ledger/genesis.ts';
import type { LedgerStart } from '../../src/ledger/ledger-start.ts';
import { MemoryState } from '../../src/ledger/memory-state.ts';
import { DEFAULT_PARAMETERS, type Parameters } from '../../src/ledger/parameters.ts';
import { eligiblePrimaries, primaryOf } from '../../src/ledger/proposer-skip.ts';
import { restartState } from '../../src/ledger/restart-state.ts';
import type { StateMap } from '../../src/ledger/state-map.ts';
import { StateOverlay } from '../../src/ledger/state-overlay.ts';
import {
  type AttachmentReference,
  type DecodedTransaction,
  decodeTransaction,
  recordIdOf,
  type TransactionBody,
  transactionPreimage,
  transactionSchema,
} from '../../src/ledger/transaction.ts';

/** Someone with keys: what tests sign with. Everything follows from the name. */
export interface Person {
  readonly address: Uint8Array;
  readonly keyDocument: KeyDocument;
  readonly signers: readonly Signer[];
}

export function person(name: string, keys = 1, thresholds?: Thresholds): Person {
  const signers = Array.from({ length: keys }, (_, i) => nobleSigner(sha256(utf8(`${name} key ${i}`))));
  const keyDocument: KeyDocument = {
    sealingKey: sha256(utf8(`${name} sealing`)),
    keys: signers.map(({ publicKey }, i) => ({ algorithm: 'ed25519', publicKey, weight: 1, label: `key ${i}` })),
    thresholds: thresholds ?? { routine: 1, sensitive: 1, keys: 1 },
  };
  return { address: accountAddress(keyDocument), keyDocument, signers };
}

export const START_MS = 1_790_000_000_000;
const SELF: Control = { kind: 'self' };

export const hospitals = ['North', 'East', 'South', 'West'].map((name) => person(`hospital ${name}`));
export const [north, east] = hospitals as [Person, Person, Person, Person];
export const regulator = person('regulator');
export const doctor = person('doctor of North');
export const colleague = person('second doctor of North');
export const stranger = person('doctor of East');
export const researcher = person('researcher of North');
export const patient = person('patient of North');
export const parent = person('parent, patient of North');
export const child = person('child, patient of North');
export const infant = person('infant, patient of North');
export const foreigner = person('patient of East');
export const validatorSigners = [0, 1, 2, 3].map((i) => nobleSigner(sha256(utf8(`validator ${i}`))));
export const guardianUntilMs = START_MS + 3_600_000;

export function genesisDocument(parameters: Partial<Parameters> = {}): GenesisDocument {
  const of = (role: 'doctor' | 'patient' | 'researcher', who: Person, organisation: Person, control = SELF) => ({
    role,
    organisation: organisation.address,
    control,
    keyDocument: who.keyDocument,
  });
  return {
    version: 1,
    ledger: 'sample',
    createdMs: START_MS,
    organisations: ['North', 'East', 'South', 'West'].map((name, i) => ({
      name,
      keyDocument: hospitals[i]!.keyDocument,
    })),
    regulator: { name: 'Regulator', keyDocument: regulator.keyDocument },
    validators: validatorSigners.map(({ publicKey }, i) => ({ publicKey, organisation: hospitals[i]!.address })),
    accounts: [
      of('doctor', doctor, north),
      of('doctor', colleague, north),
      of('doctor', stranger, east),
      of('researcher', researcher, north),
      of('patient', patient, north),
      of('patient', parent, north),
      of('patient', child, north, { kind: 'guardian', account: parent.address, untilMs: guardianUntilMs }),
      of('patient', infant, north, { kind: 'custodial', organisation: north.address }),
      of('patient', foreigner, east),
    ],
    parameters: { ...DEFAULT_PARAMETERS, ...parameters },
    requirements: (Object.keys(ACTION_CODES) as ActionKind[]).map((action) => ({
      action,
      requirement: defaultRequirement(action, regulator.address),
    })),
  };
}

const payload = {
  cid: concatBytes(Uint8Array.of(1, 0x55, 0x12, 0x20), sha256(utf8('ciphertext'))),
  bytes: 4096,
  keyCommitment: sha256(utf8('commitment')),
};

export function createAction(change: Partial<RecordCreate> = {}): RecordCreate {
  return {
    kind: 'record.create',
    author: doctor.address,
    organisation: north.address,
    patient: patient.address,
    class: 7,
    retainUntilMs: 260 * RETENTION_QUARTER_MS,
    payload,
    ...change,
  };
}

export function amendAction(recordId: Uint8Array, change: Partial<RecordAmend> = {}): RecordAmend {
  return {
    kind: 'record.amend',
    recordId,
    expectedVersion: 1,
    author: doctor.address,
    class: 7,
    retainUntilMs: 260 * RETENTION_QUARTER_MS,
    payload,
    ...change,
  };
}

export function registerAction(who: Person, change: Partial<AccountRegister> = {}): AccountRegister {
  return {
    kind: 'account.register',
    role: 'patient',
    organisation: north.address,
    control: SELF,
    keyDocument: who.keyDocument,
    ...change,
  };
}

function saltOf(name: string): Uint8Array {
  return sha256(utf8(`salt ${name}`)).slice(0, 16);
}

/** Who signs, each with all keys or with those named. */
export type SignedBy = readonly (Person | readonly [Person, ...number[]])[];

const plainIndexOf: ExecutionParts['indexOf'] = (keys) => {
  const parts = keys.map(({ family, key, txIndex }) => concatBytes(utf8(`${txIndex} ${family} `), key));
  return { root: taggedHash('TEST-INDEX', ...parts), pages: new Uint8Array(0) };
};

/** A ledger in memory with one state, growing block by block. */
export class SampleLedger {
  genesisHash: Uint8Array;
  readonly state = new MemoryState();
  parts: ExecutionParts;
  map: StateMap;
  parent: ParentBlock;

  /** `indexOf` in place of an index that shows at a glance what it is made of. */
  constructor(document: GenesisDocument = genesisDocument(), indexOf: ExecutionParts['indexOf'] = plainIndexOf) {
    const encoded = encodeGenesis(document);
    const { changes, map } = genesisState(document);
    this.parent = genesisParent(encoded);
    this.genesisHash = this.parent.hash;
    this.state.apply(changes);
    this.map = map;
    this.parts = {
      genesisHash: this.genesisHash,
      checks: {
        isSignatureValid: (preimage, publicKey, signature) => verifySignature(signature, preimage, publicKey),
        signingKeyFault,
      },
      indexOf,
    };
  }

  get view(): StateOverlay {
    return new StateOverlay(this.state);
  }

  get ledgerState() {
    return { reader: this.state, map: this.map };
  }

  /** A signed transaction; its salt follows from `salt`. */
  transaction(
    action: Action,
    signedBy: SignedBy,
    change: { salt?: string; validUntilMs?: number; attachment?: AttachmentReference | null; version?: number } = {},
  ): DecodedTransaction {
    const body: TransactionBody = {
      version: change.version ?? 1,
      validUntilMs: change.validUntilMs ?? this.parent.timestampMs + 60_000,
      salt: saltOf(change.salt ?? 'usual'),
      action,
      attachment: change.attachment ?? null,
    };
    const preimage = transactionPreimage(this.genesisHash, body);
    const signatures = signedBy.flatMap((entry) => {
      const [who, ...places] = 'address' in entry ? ([entry, ...entry.signers.keys()] as const) : entry;
      return places.map((keyIndex) => ({
        account: who.address,
        keyIndex,
        bytes: who.signers[keyIndex]!.sign(preimage),
      }));
    });
    signatures.sort((a, b) => compareBytes(a.account, b.account) || a.keyIndex - b.keyIndex);
    return decodeTransaction(this.genesisHash, encode(transactionSchema, { ...body, signatures }));
  }

  /** The block that view 0's primary would build, 1 s after the parent unless said otherwise. */
  build(candidates: readonly DecodedTransaction[], change: { timestampMs?: number; view?: number } = {}): BuiltBlock {
    const height = this.parent.height + 1;
    const proposer = primaryOf(eligiblePrimaries(this.view, height), height, change.view ?? 0);
    const timestampMs = change.timestampMs ?? this.parent.timestampMs + 1_000;
    return buildBlock(this.ledgerState, { parent: this.parent, timestampMs, proposer }, candidates, this.parts);
  }

  check(block: ExecutedBlock, change: Partial<ExecutedBlock['header']> = {}, occasion?: BlockOccasion): BlockCheck {
    const header = { ...block.header, ...change };
    const judged = occasion ?? { kind: 'fresh', view: 0, nowMs: block.header.timestampMs };
    return checkBlock(this.ledgerState, this.parent, header, block.transactions, judged, this.parts);
  }

  commit(block: ExecutedBlock): void {
    this.state.apply(block.changes);
    this.map = block.map;
    this.parent = parentOf(block);
  }

  /** Goes on as a restart says, which is taken to hold. */
  restart(start: LedgerStart): void {
    const { changes, map } = restartState(this.ledgerState, start.restart!);
    this.state.apply(changes);
    this.map = map;
    this.parent = start.parent;
    this.genesisHash = start.genesisHash;
    this.parts = { ...this.parts, genesisHash: start.genesisHash };
  }

  /** Builds and commits; throws when any of the candidates is refused. */
  advance(
    candidates: readonly DecodedTransaction[] = [],
    change: { timestampMs?: number; view?: number } = {},
  ): ExecutedBlock {
    const { block, refused } = this.build(candidates, change);
    const [first] = refused;
    if (first !== undefined) throw new Error(`${first.rejection.code}: ${first.rejection.detail}`);
    this.commit(block);
    return block;
  }

  /** The code with which one transaction is refused at the head, or 'applied'. */
  verdict(decoded: DecodedTransaction, timestampMs?: number): string {
    const { refused } = this.build([decoded], timestampMs === undefined ? {} : { timestampMs });
    return refused[0]?.rejection.code ?? 'applied';
  }

  recordId(author: Person, salt = 'usual'): Uint8Array {
    return recordIdOf(this.genesisHash, author.address, saltOf(salt));
  }
}
