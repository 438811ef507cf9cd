import { REJECTIONS, type RejectionCode } from '../../ledger/rejection.ts';
import type { Problem } from './schemas.ts';

/** Media type of error answers (RFC 9457). */
export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** One kind of error: what it means and what an operator or client does about it. */
export interface ProblemKind {
  /** HTTP status code. */
  readonly status: number;
  readonly meaning: string;
  readonly remedy: string;
  /** Whether the same request may succeed later without a change. */
  readonly retryable: boolean;
}

function kind(status: number, meaning: string, remedy: string, retryable = false): ProblemKind {
  return { status, meaning, remedy, retryable };
}

/** Errors of requests, as opposed to rejections of transactions. */
const REQUEST_PROBLEMS = {
  malformedRequest: kind(
    400,
    'The request or its body is not in the form that the endpoint takes.',
    'Compare it with /v1/openapi.json.',
  ),
  unknownParameter: kind(
    400,
    'A query parameter has a name that the endpoint does not know.',
    'Correct its spelling or leave it out; /v1/openapi.json lists the known ones.',
  ),
  badParameter: kind(
    400,
    'A parameter of the path or query is outside its bounds.',
    'Correct it; /v1/openapi.json has the bounds.',
  ),
  signatureMissing: kind(
    401,
    'The endpoint answers only to signed requests.',
    'Sign it with a key of an account (RFC 9421, tag medledger-v1).',
  ),
  signatureMalformed: kind(
    401,
    'The signature headers are not exactly one signature in strict form.',
    'Build them as docs/PROTOCOL.md says, with one signature.',
  ),
  signatureIncomplete: kind(
    401,
    'The signature leaves out a component or parameter that it must cover.',
    'Cover all six components and give all six parameters.',
  ),
  signatureOutdated: kind(
    401,
    'The signature is used before its time, after it, or lives too long.',
    'Set the clock of the client, and sign again for at most 60 seconds.',
  ),
  signatureWrong: kind(
    401,
    'The signature is not by a present key of an active account over this request.',
    'Check the key, its index, and that nothing between client and node rewrites the request.',
  ),
  nonceUsed: kind(401, 'The nonce was used before by this key.', 'Sign each request anew with a fresh nonce.'),
  digestMismatch: kind(
    400,
    'The body does not have the SHA-256 that Content-Digest says.',
    'Send the bytes that were signed; a proxy may have changed them.',
  ),
  notPermitted: kind(
    403,
    'The account that signed is no party to what it asked for.',
    'Ask as the author, the patient or the organisation concerned.',
  ),
  notFound: kind(
    404,
    'The ledger holds nothing under that name at this height.',
    'Check the name; what was submitted just now appears once it is committed.',
    true,
  ),
  unknownPath: kind(404, 'There is no such endpoint.', 'See /v1/openapi.json for those that exist.'),
  notHeld: kind(
    404,
    'The record exists but this node does not hold these bytes.',
    "Ask a node of the author's organisation, or again once it has been copied here.",
    true,
  ),
  beforeHistory: kind(
    410,
    'What was asked for stands in a block that this node does not hold: it joined by a snapshot after it.',
    'Ask another member; historyFrom in /v1/status says from which height on a node holds blocks.',
  ),
  notAcceptable: kind(
    406,
    'The Accept header refuses the only form that the endpoint has.',
    'Leave out Accept or name the media type in /v1/openapi.json.',
  ),
  requestTimeout: kind(408, 'The request did not arrive in time.', 'Send it again over a better line.', true),
  foreignLedger: kind(
    409,
    'The request is meant for another ledger: its medledger-genesis is not the genesis hash of this node.',
    'Use a node of that ledger, or the genesis of this one (/v1/genesis).',
  ),
  bodyTooLarge: kind(413, 'The body has more bytes than the endpoint takes.', 'Send less at a time.'),
  tooManyTransactions: kind(413, 'More than 1,000 transactions in one request.', 'Divide them among several requests.'),
  unsupportedMediaType: kind(
    415,
    'The endpoint does not read bodies of this media type.',
    'Set Content-Type to one that /v1/openapi.json names.',
  ),
  cidMismatch: kind(
    422,
    'The bytes do not have the CID in the path.',
    'Compute the CID over the ciphertext (UnixFS profile unixfs-v1-2025) and send all of it.',
  ),
  rateLimited: kind(
    429,
    'More requests from this address than the node allows.',
    'Wait as long as Retry-After says; an operator can raise the limit.',
    true,
  ),
  headersTooLarge: kind(431, 'The headers of the request are too large.', 'Send fewer or shorter headers.'),
  internal: kind(
    500,
    'The node failed to answer for a reason of its own.',
    'Find the request id in the log of the node and report it.',
    true,
  ),
  notReady: kind(
    503,
    'The node is starting, catching up, without a quorum, or shutting down.',
    'Try again shortly or use another node; /readyz says what is missing.',
    true,
  ),
  tooManyStreams: kind(
    503,
    'The node serves as many event streams as it may.',
    'Close one, or follow the events of another node.',
    true,
  ),
  storageFull: kind(
    507,
    'The node has no room for more payloads.',
    'Free or add disk space on the node, or use another.',
    true,
  ),
} as const satisfies Readonly<Record<string, ProblemKind>>;

/** What to do about each rejection of a transaction; its meaning and status come from the ledger's own list. */
const REJECTION_REMEDIES: Readonly<Record<RejectionCode, string>> = {
  malformed: 'Encode it with the SDK of this version, or compare with docs/PROTOCOL.md.',
  oversized: 'Move what is large into the payload; a transaction and its attachment take 16 KiB each.',
  unsupportedVersion: 'Use a client of the version that the network runs, or upgrade the network.',
  signatureOrder: 'Sort the signatures by account and key index, each once.',
  invalidAction: 'Correct the field that the detail names and sign anew.',
  attachmentMissing: 'Send the attachment beside the transaction.',
  attachmentMismatch: 'Send exactly the attachment whose hash was signed, or none.',
  expired: 'Sign it anew with a later validUntilMs; check the clock of the client.',
  validityTooFar: 'Sign it anew with an earlier validUntilMs; check the clock of the client.',
  duplicateId: 'Nothing: it was applied already; ask for its status.',
  unknownAccount: 'Register the account first, or correct the address.',
  inactiveAccount: 'Its organisation reinstates the account.',
  wrongRole: 'Use an account of the role that the detail names.',
  wrongOrganisation: 'Use an account of that organisation, or name the right one.',
  accountExists: 'Nothing: the account can be used.',
  invalidControl: 'Name an active guardian, or the home organisation of the patient.',
  inadmissibleKey: 'Generate another key with a sound Ed25519 library.',
  recordExists: 'Draw a fresh salt, seal and sign again.',
  unknownRecord: 'Check the record id; one just created appears once it is committed.',
  versionConflict: 'Read the newest version, and amend that one.',
  retentionShortened: 'Keep the retention of the version before, or a later one.',
  seatChangeInFlight: 'Wait until the change is in force, two blocks after its own, and sign anew.',
  unknownValidator: 'Name a key that /v1/validators lists for that height.',
  keySpent: 'Draw a new validator key; a key that left the set stays out.',
  validatorCount: 'Keep between one and 64 validators.',
  toleranceMisstated: 'Read /v1/validators again, tell the signers what the change does, and sign anew.',
  candidateNotReady: 'Let the node of the candidate catch up and state its readiness anew.',
  evidenceOutsideWindow: 'Hand evidence in within 10,000 heights.',
  evidenceKnown: 'Nothing: the members know of it; /v1/evidence lists it.',
  parameterChangeInFlight: 'Wait until the change is in force, two blocks after its own, and sign anew.',
  parametersConflict: 'Read /v1/parameters again, let the members judge the change anew, and sign that.',
  versionOutOfTurn: 'Announce the version after the one in force, for a height well ahead.',
  unknownKey: 'Sign with a key that the account has now; /v1/accounts lists them.',
  badSignature: 'Sign with the key of that index, over the preimage of this ledger.',
  surplusSignature: 'Leave out the signature that the detail names.',
  unsigned: 'Obtain the signatures that the detail names.',
  poolFull: 'Send it again after a few seconds, and slower.',
};

/** Every error code of the API: of requests, and of rejected transactions. */
export type ProblemCode = keyof typeof REQUEST_PROBLEMS | RejectionCode;

/** The codes with which a transaction can be rejected. */
export const REJECTION_CODES = Object.keys(REJECTIONS) as readonly RejectionCode[];

/** The closed list. A code never changes its meaning. */
export const PROBLEMS: Readonly<Record<ProblemCode, ProblemKind>> = {
  ...REQUEST_PROBLEMS,
  ...(Object.fromEntries(
    REJECTION_CODES.map((code) => {
      const { httpStatus, meaning, retryable } = REJECTIONS[code];
      return [code, kind(httpStatus, meaning, REJECTION_REMEDIES[code], retryable)];
    }),
  ) as Record<RejectionCode, ProblemKind>),
};

/** True for a code of the closed list. */
export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(PROBLEMS, code);
}

/** The problem document of one failed request. `detail` says what happened here; `retryable` as the code has it. */
export function problemDocument(
  code: ProblemCode,
  detail: string,
  requestId: string,
  retryable = PROBLEMS[code].retryable,
): Problem {
  const { status, meaning, remedy } = PROBLEMS[code];
  return {
    type: `/v1/problems#${code}`,
    code,
    title: meaning,
    status,
    detail: detail === '' ? remedy : `${sentence(detail)} ${remedy}`,
    requestId,
    retryable,
  };
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
