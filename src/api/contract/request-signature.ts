import { base64 } from '@scure/base';
import { utf8 } from '../../codec/bytes.ts';

/**
 * HTTP Message Signatures (RFC 9421) in the one profile of this API: Ed25519, exactly one signature, the six covered
 * components below, all six parameters. Text only: clock, digest and key operations belong to the caller.
 */

/** What a signature covers; all of these, each once, in any order. */
export const COVERED_COMPONENTS = [
  '@method',
  '@authority',
  '@path',
  '@query',
  'content-digest',
  'medledger-genesis',
] as const;
type Component = (typeof COVERED_COMPONENTS)[number];

const SIGNATURE_TAG = 'medledger-v1';
/** Longest time from created to expires, and how far a clock may be off, in seconds. */
export const SIGNATURE_LIFETIME_SECONDS_MAX = 60;
export const CLOCK_SKEW_SECONDS = 30;
/** Longest Signature-Input or Signature header that is read. */
const SIGNATURE_HEADER_CHARS_MAX = 1024;

/** Values of the covered components of one request. */
export interface RequestComponents {
  /** Upper case. */
  readonly method: string;
  /** Host as the client addressed it: lower case, port only where it is not the scheme's own. */
  readonly authority: string;
  /** Path as sent, not decoded. */
  readonly path: string;
  /** Query as sent with its question mark; `?` alone when there is none. */
  readonly query: string;
  /** Content-Digest field value. */
  readonly contentDigest: string;
  /** Genesis hash of the ledger, hex: a signature for one ledger says nothing to another. */
  readonly genesis: string;
}

/** The parameters of a request signature (RFC 9421 §2.3), as this ledger uses them. */
export interface SignatureParameters {
  /** Unix time in whole seconds. */
  readonly created: number;
  /** At most SIGNATURE_LIFETIME_SECONDS_MAX after `created`. */
  readonly expires: number;
  /** 16 to 64 characters of A–Z a–z 0–9 _ -, never used twice by a key. */
  readonly nonce: string;
  /** Account address in text form. */
  readonly address: string;
  readonly keyIndex: number;
}

/** A signature as read from the headers; `signedParameters` is the exact text that the signature covers. */
export interface ParsedSignature extends SignatureParameters {
  readonly covered: readonly Component[];
  readonly signedParameters: string;
  readonly signature: Uint8Array;
}

/** Why a signature can not be read: not in the form of RFC 9421, or without a part that we ask for. */
export type SignatureFault =
  | { readonly kind: 'malformed'; readonly detail: string }
  | { readonly kind: 'incomplete'; readonly detail: string };

/** The value of @signature-params, and after `sig=` of Signature-Input, that a client signs and sends. */
export function signatureParametersText(parameters: SignatureParameters): string {
  const { created, expires, nonce, address, keyIndex } = parameters;
  const components = COVERED_COMPONENTS.map((name) => `"${name}"`).join(' ');
  return `(${components});created=${created};expires=${expires};nonce="${nonce}";alg="ed25519";keyid="${address}#${keyIndex}";tag="${SIGNATURE_TAG}"`;
}

/** The bytes that are signed (RFC 9421 §2.5). */
export function signatureBase(
  components: RequestComponents,
  covered: readonly Component[],
  signedParameters: string,
): Uint8Array {
  const values: Readonly<Record<Component, string>> = {
    '@method': components.method,
    '@authority': components.authority,
    '@path': components.path,
    '@query': components.query,
    'content-digest': components.contentDigest,
    'medledger-genesis': components.genesis,
  };
  const lines = covered.map((name) => `"${name}": ${values[name]}`);
  return utf8([...lines, `"@signature-params": ${signedParameters}`].join('\n'));
}

/** The two headers of a signed request. */
export function signatureHeaders(
  signedParameters: string,
  signature: Uint8Array,
): { readonly 'signature-input': string; readonly signature: string } {
  return { 'signature-input': `sig=${signedParameters}`, signature: `sig=:${base64.encode(signature)}:` };
}

/** Content-Digest (RFC 9530) of a body whose SHA-256 is `digest`. A request without a body carries that of no bytes. */
export function contentDigestText(digest: Uint8Array): string {
  return `sha-256=:${base64.encode(digest)}:`;
}

const INPUT = /^([a-z*][a-z0-9_.*-]{0,31})=(\(((?:"[@a-z-]{1,32}"(?: "[@a-z-]{1,32}"){0,15})?)\)((?:;[^,;]+)*))$/;
const PARAMETER = /^([a-z]+)=(?:(0|[1-9][0-9]{0,14})|"([A-Za-z0-9_#.-]{0,128})")$/;
const SIGNATURE = /^([a-z*][a-z0-9_.*-]{0,31})=:([A-Za-z0-9+/]{86}==):$/;
const KEY_ID = /^(med1[a-z0-9]{6,90})#(0|[1-9][0-9]{0,2})$/;
const NONCE = /^[A-Za-z0-9_-]{16,64}$/;

/**
 * Reads the two headers. The grammar takes only the strict serialization of RFC 8941, so that the text as received
 * is the text that was signed; a second signature, an unknown or repeated component or parameter is malformed, a
 * missing one incomplete.
 */
export function parseSignature(signatureInput: string, signatureField: string): ParsedSignature | SignatureFault {
  if (Math.max(signatureInput.length, signatureField.length) > SIGNATURE_HEADER_CHARS_MAX)
    return malformed(`a signature header has more than ${SIGNATURE_HEADER_CHARS_MAX} characters`);
  const input = INPUT.exec(signatureInput);
  if (input === null) return malformed('Signature-Input is not one signature in strict form');
  const field = SIGNATURE.exec(signatureField);
  if (field === null) return malformed('Signature is not one Ed25519 signature of 64 bytes in base64');
  if (field[1] !== input[1]) return malformed('Signature and Signature-Input have different labels');
  const covered = parseComponents(input[3]!);
  if ('kind' in covered) return covered;
  const parameters = parseParameters(input[4]!);
  if ('kind' in parameters) return parameters;
  try {
    return { ...parameters, covered, signedParameters: input[2]!, signature: base64.decode(field[2]!) };
  } catch {
    return malformed('Signature is not canonical base64');
  }
}

/** Why a signature may not be used at `nowSeconds`, in words; undefined when it may. */
export function freshnessFault(parameters: SignatureParameters, nowSeconds: number): string | undefined {
  const { created, expires } = parameters;
  if (expires <= created) return 'expires is not after created';
  if (expires - created > SIGNATURE_LIFETIME_SECONDS_MAX)
    return `it is valid for more than ${SIGNATURE_LIFETIME_SECONDS_MAX} seconds`;
  if (created > nowSeconds + CLOCK_SKEW_SECONDS) return 'it was created in the future; set the clock of the client';
  if (expires < nowSeconds - CLOCK_SKEW_SECONDS) return 'it has expired; sign anew and check the clock of the client';
  return undefined;
}

function malformed(detail: string): SignatureFault {
  return { kind: 'malformed', detail };
}

function parseComponents(text: string): readonly Component[] | SignatureFault {
  const names = text === '' ? [] : text.split(' ').map((quoted) => quoted.slice(1, -1));
  for (const [place, name] of names.entries()) {
    if (!COVERED_COMPONENTS.some((known) => known === name)) return malformed(`${name} is no component of the profile`);
    if (names.indexOf(name) !== place) return malformed(`${name} is covered twice`);
  }
  const missing = COVERED_COMPONENTS.filter((name) => !names.includes(name));
  if (missing.length > 0) return { kind: 'incomplete', detail: `the signature does not cover ${missing.join(', ')}` };
  return names as readonly Component[];
}

function parseParameters(text: string): SignatureParameters | SignatureFault {
  const numbers = new Map<string, number>();
  const strings = new Map<string, string>();
  for (const part of text.split(';').slice(1)) {
    const match = PARAMETER.exec(part);
    if (match === null) return malformed('a signature parameter is not in strict form');
    const name = match[1]!;
    if (numbers.has(name) || strings.has(name)) return malformed(`the parameter ${name} stands twice`);
    if (match[2] === undefined) strings.set(name, match[3]!);
    else numbers.set(name, Number(match[2]));
  }
  const [created, expires] = [numbers.get('created'), numbers.get('expires')];
  const [nonce, alg, keyId, tag] = ['nonce', 'alg', 'keyid', 'tag'].map((name) => strings.get(name));
  if (
    created === undefined ||
    expires === undefined ||
    nonce === undefined ||
    alg === undefined ||
    keyId === undefined ||
    tag === undefined
  )
    return { kind: 'incomplete', detail: 'the parameters created, expires, nonce, alg, keyid and tag are all needed' };
  if (numbers.size + strings.size > 6) return malformed('a signature parameter is no part of the profile');
  if (alg !== 'ed25519') return malformed('alg is not ed25519');
  if (tag !== SIGNATURE_TAG) return malformed(`tag is not ${SIGNATURE_TAG}`);
  if (!NONCE.test(nonce)) return malformed('nonce is not 16 to 64 characters of A-Z a-z 0-9 _ -');
  const key = KEY_ID.exec(keyId);
  if (key === null || Number(key[2]) > 255) return malformed('keyid is not address#index');
  return { created, expires, nonce, address: key[1]!, keyIndex: Number(key[2]) };
}
