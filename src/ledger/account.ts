import { encode } from '../codec/cbor.ts';
import { bytes, enumeration, list, struct, text, uint, union } from '../codec/schema.ts';
import { taggedHash } from '../crypto/hash.ts';

/** Length of an account address in bytes. */
export const ADDRESS_BYTES = 32;
/** Most signing keys of one account. */
const ACCOUNT_KEYS_MAX = 16;

/** What an account is on the ledger (ledger.md §2). */
export type Role = 'patient' | 'doctor' | 'researcher' | 'organisation' | 'regulator';
/** Wire form of a role. */
export const roleSchema = enumeration<Role>({ patient: 0, doctor: 1, researcher: 2, organisation: 3, regulator: 4 });

/** Class of action; an account sets a threshold for each. */
export type ActionClass = 'routine' | 'sensitive' | 'keys';

/** A signing key of an account. */
export interface AccountKey {
  readonly algorithm: 'ed25519';
  readonly publicKey: Uint8Array;
  /** 1 to 255; signatures of an account count by the sum of their keys' weights. */
  readonly weight: number;
  readonly label: string;
}

/** Weight that signatures must reach together, per class of action; 1 to 65,535. */
export interface Thresholds {
  readonly routine: number;
  readonly sensitive: number;
  readonly keys: number;
}

/** The keys of an account: what its address is derived from, when first registered. */
export interface KeyDocument {
  /** X25519 public key for sealing to this account, 32 bytes. */
  readonly sealingKey: Uint8Array;
  readonly keys: readonly AccountKey[];
  readonly thresholds: Thresholds;
}

/** Who acts for a patient: the patient, a guardian for some time, or an organisation (ledger.md §2). */
export type Control =
  | { readonly kind: 'self' }
  | { readonly kind: 'guardian'; readonly account: Uint8Array; readonly untilMs: number }
  | { readonly kind: 'custodial'; readonly organisation: Uint8Array };

/** An account as it stands in the state. */
export interface Account {
  readonly role: Role;
  /** Home organisation; an organisation's own address for an organisation. */
  readonly organisation: Uint8Array;
  readonly status: 'active' | 'suspended';
  readonly control: Control;
  readonly keyDocument: KeyDocument;
  /** Height at which it was registered; 0 for genesis. */
  readonly registeredAt: number;
}

const accountKeySchema = struct<AccountKey>({
  algorithm: enumeration<'ed25519'>({ ed25519: 0 }),
  publicKey: bytes(32),
  weight: uint(255),
  label: text(64),
});

const thresholdsSchema = struct<Thresholds>({ routine: uint(0xffff), sensitive: uint(0xffff), keys: uint(0xffff) });

/** Wire form of a key document; what the address of an account is the hash of. */
export const keyDocumentSchema = struct<KeyDocument>({
  sealingKey: bytes(32),
  keys: list(accountKeySchema, ACCOUNT_KEYS_MAX),
  thresholds: thresholdsSchema,
});

/** Wire form of who acts for a patient. */
export const controlSchema = union<Control>({
  self: [0, struct<object>({})],
  guardian: [1, struct({ account: bytes(32), untilMs: uint() })],
  custodial: [2, struct({ organisation: bytes(32) })],
});

/** Form of an account in the state. */
export const accountSchema = struct<Account>({
  role: roleSchema,
  organisation: bytes(32),
  status: enumeration<'active' | 'suspended'>({ active: 0, suspended: 1 }),
  control: controlSchema,
  keyDocument: keyDocumentSchema,
  registeredAt: uint(),
});

/** SHA-256 over the first key document under the domain ACCOUNT, 32 bytes. */
export function accountAddress(document: KeyDocument): Uint8Array {
  return taggedHash('ACCOUNT', encode(keyDocumentSchema, document));
}

/** An account document that stands outside the bounds of ledger.md §2, in words; undefined when it is well formed. */
export function keyDocumentFault(document: KeyDocument): string | undefined {
  if (document.keys.length === 0) return 'an account has at least one key';
  let total = 0;
  const seen = new Set<string>();
  for (const key of document.keys) {
    if (key.weight === 0) return 'a key has a weight of at least 1';
    const name = key.publicKey.join();
    if (seen.has(name)) return 'a key stands twice';
    seen.add(name);
    total += key.weight;
  }
  for (const name of ['routine', 'sensitive', 'keys'] as const) {
    const threshold = document.thresholds[name];
    if (threshold === 0 || threshold > total) return `the threshold for ${name} can not be met`;
  }
  return undefined;
}
