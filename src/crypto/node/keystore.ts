import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { equalBytes, fromHex, toHex, utf8 } from '../../codec/bytes.ts';
import { parseAddress } from '../address.ts';
import { sealingPublicKey } from '../hpke.ts';
import { writeNewFile } from './new-file.ts';
import { sodiumSigner } from './sign.ts';

/** The keys of one account, for its owner's tools. */
export interface AccountKeyFile {
  /** What the owner calls it; at most 64 characters. */
  readonly name: string;
  /** The account's role, as in the ledger. */
  readonly role: string;
  /** Address text, `med1…`. */
  readonly address: string;
  /** Ed25519 seed, 32 bytes. */
  readonly signingSeed: Uint8Array;
  /** X25519 secret key, 32 bytes. */
  readonly sealingSecret: Uint8Array;
}

/** The signing key of one validator. */
export interface ValidatorKeyFile {
  readonly name: string;
  /** Ed25519 seed, 32 bytes. */
  readonly signingSeed: Uint8Array;
}

/** A key file that can not be read or written as it is; the message names the file and what to do. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
}

const ACCOUNT_TYPE = 'medledger-account-key';
const VALIDATOR_TYPE = 'medledger-validator-key';
const VERSION = 1;
const FILE_BYTES_MAX = 4096;
const TEXT_MAX = 64;

/**
 * Writes an account's keys to a new file, readable by its owner only. Never replaces a file. Throws a KeyFileError
 * when the path is taken or can not be written, a RangeError on keys of another length or texts that do not fit.
 */
export function writeAccountKey(path: string, key: AccountKeyFile): void {
  const { name, role, address } = key;
  checkText(name);
  checkText(role);
  parseAddress(address);
  write(path, {
    type: ACCOUNT_TYPE,
    version: VERSION,
    name,
    role,
    address,
    signingSeed: toHex(key.signingSeed),
    signingPublicKey: toHex(sodiumSigner(key.signingSeed).publicKey),
    sealingSecret: toHex(key.sealingSecret),
    sealingPublicKey: toHex(sealingPublicKey(key.sealingSecret)),
  });
}

/**
 * Reads an account's keys. Throws a KeyFileError when the file is missing, readable by others, of another type, or
 * its secrets do not belong to the public keys beside them (a damaged or edited file).
 */
export function readAccountKey(path: string): AccountKeyFile {
  const fields = read(path, ACCOUNT_TYPE);
  const address = textField(path, fields, 'address');
  try {
    parseAddress(address);
  } catch (cause) {
    throw malformed(path, 'address', { cause });
  }
  const sealingSecret = bytesField(path, fields, 'sealingSecret');
  if (!equalBytes(sealingPublicKey(sealingSecret), bytesField(path, fields, 'sealingPublicKey')))
    throw mismatch(path, 'sealing');
  return {
    name: textField(path, fields, 'name'),
    role: textField(path, fields, 'role'),
    address,
    signingSeed: signingSeed(path, fields),
    sealingSecret,
  };
}

/** Writes a validator's key to a new file; otherwise as `writeAccountKey`. */
export function writeValidatorKey(path: string, key: ValidatorKeyFile): void {
  checkText(key.name);
  write(path, {
    type: VALIDATOR_TYPE,
    version: VERSION,
    name: key.name,
    signingSeed: toHex(key.signingSeed),
    signingPublicKey: toHex(sodiumSigner(key.signingSeed).publicKey),
  });
}

/** Reads a validator's key; otherwise as `readAccountKey`. */
export function readValidatorKey(path: string): ValidatorKeyFile {
  const fields = read(path, VALIDATOR_TYPE);
  return { name: textField(path, fields, 'name'), signingSeed: signingSeed(path, fields) };
}

type Fields = Readonly<Record<string, unknown>>;

function write(path: string, fields: Fields): void {
  try {
    writeNewFile(path, utf8(`${JSON.stringify(fields, null, 2)}\n`));
  } catch (cause) {
    const code = errorCode(cause);
    if (code === 'EEXIST')
      throw new KeyFileError(`${path} exists and is not replaced: move it away or choose another path`, { cause });
    if (code === 'ENOENT')
      throw new KeyFileError(`${path}: its folder does not exist: create it first (mkdir -p -m 700)`, { cause });
    throw new KeyFileError(`${path} can not be written (${code}): check the folder's permissions and free space`, {
      cause,
    });
  }
}

function read(path: string, type: string): Fields {
  const content = readOwnerOnly(path);
  let fields: unknown;
  try {
    fields = JSON.parse(content);
  } catch {
    // The parser's message would quote the file, which holds secrets.
    throw new KeyFileError(`${path} is no key file (not JSON): restore it from a backup`);
  }
  if (typeof fields !== 'object' || fields === null) throw new KeyFileError(`${path} is no key file`);
  const known = fields as Fields;
  if (known['type'] !== type)
    throw new KeyFileError(`${path} is of type ${JSON.stringify(known['type'])}, but a ${type} is needed here`);
  if (known['version'] !== VERSION)
    throw new KeyFileError(`${path} has version ${JSON.stringify(known['version'])}: this build reads ${VERSION}`);
  return known;
}

/** The text of a small regular file that nobody but its owner may read. */
function readOwnerOnly(path: string): string {
  let file: number;
  try {
    // Without O_NONBLOCK, opening a pipe in place of the file would wait for ever; Windows has no such flag.
    file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (cause) {
    const code = errorCode(cause);
    const remedy = code === 'ENOENT' ? 'check the path, or create the key first' : "check the file's owner";
    throw new KeyFileError(`${path} can not be read (${code}): ${remedy}`, { cause });
  }
  try {
    const { mode, size } = statRegular(path, file);
    // Asked of the open file, not the path, which may be exchanged in between. Windows has no such modes.
    if (process.platform !== 'win32' && (mode & 0o077) !== 0)
      throw new KeyFileError(`${path} holds secret keys but other users may open it: chmod 600 ${path}`);
    if (size > FILE_BYTES_MAX) throw new KeyFileError(`${path} is no key file: it has ${size} bytes`);
    const content = Buffer.alloc(FILE_BYTES_MAX);
    return content.toString('utf8', 0, readSync(file, content));
  } finally {
    closeSync(file);
  }
}

function statRegular(path: string, file: number): { readonly mode: number; readonly size: number } {
  const stat = fstatSync(file);
  if (!stat.isFile()) throw new KeyFileError(`${path} is not a regular file`);
  return stat;
}

function signingSeed(path: string, fields: Fields): Uint8Array {
  const seed = bytesField(path, fields, 'signingSeed');
  if (!equalBytes(sodiumSigner(seed).publicKey, bytesField(path, fields, 'signingPublicKey')))
    throw mismatch(path, 'signing');
  return seed;
}

function bytesField(path: string, fields: Fields, name: string): Uint8Array {
  const value = fields[name];
  if (typeof value !== 'string' || !/^[0-9a-f]{64}$/.test(value)) throw malformed(path, name);
  return fromHex(value);
}

function textField(path: string, fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string' || value.length === 0 || value.length > TEXT_MAX) throw malformed(path, name);
  return value;
}

function checkText(value: string): void {
  if (value.length === 0 || value.length > TEXT_MAX) throw new RangeError(`a text of 1 to ${TEXT_MAX} characters`);
}

function malformed(path: string, field: string, options?: ErrorOptions): KeyFileError {
  return new KeyFileError(`${path}: the field ${field} is missing or malformed: restore it from a backup`, options);
}

function mismatch(path: string, kind: string): KeyFileError {
  return new KeyFileError(`${path}: the ${kind} secret is not that of the public key beside it: restore a backup`);
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
