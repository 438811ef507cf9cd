import { fromHex } from '../codec/bytes.ts';
import { decode } from '../codec/cbor.ts';
import { DecodeError } from '../codec/decode-error.ts';
import type { Submission } from '../node/ports.ts';
import { SUBMISSION_BODY_BYTES_MAX, SUBMISSIONS_MAX } from './contract/endpoints.ts';
import type { SubmissionBody } from './contract/schemas.ts';
import { submissionListSchema } from './contract/submission-list.ts';
import { fromBase64url } from './contract/text.ts';
import { ProblemError } from './problem-response.ts';

/**
 * The submissions in a parsed body: bytes for CBOR, an object that has passed its schema for JSON. Throws a
 * ProblemError when it holds none, too many, or is not in the form of the contract.
 */
export function readSubmissions(body: unknown): readonly Submission[] {
  if (body === undefined || body === null) throw new ProblemError('malformedRequest', 'The body is empty.');
  const submissions = body instanceof Uint8Array ? fromCbor(body) : fromJson(body as SubmissionBody);
  if (submissions.length === 0) throw new ProblemError('malformedRequest', 'The body holds no transaction.');
  return submissions;
}

function fromCbor(body: Uint8Array): readonly Submission[] {
  if (arrayLength(body) > SUBMISSIONS_MAX) throw new ProblemError('tooManyTransactions');
  try {
    return decode(submissionListSchema, body, SUBMISSION_BODY_BYTES_MAX);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new ProblemError('malformedRequest', `The body is not the list of the contract: ${error.message}.`);
  }
}

/** The number of elements that a CBOR array announces (RFC 8949 §3), read before any of them; 0 for anything else. */
function arrayLength(body: Uint8Array): number {
  const initial = body[0] ?? 0;
  if (initial < 0x80 || initial > 0x9b) return 0;
  const info = initial - 0x80;
  if (info < 24) return info;
  let length = 0;
  for (const byte of body.subarray(1, 1 + 2 ** (info - 24))) length = length * 256 + byte;
  return length;
}

function fromJson(body: SubmissionBody): readonly Submission[] {
  if (body.transactions.length > SUBMISSIONS_MAX) throw new ProblemError('tooManyTransactions');
  const read = body.encoding === 'hex' ? fromHex : fromBase64url;
  return body.transactions.map(({ encoded, attachment }, place) => {
    try {
      return { encoded: read(encoded), attachment: typeof attachment === 'string' ? read(attachment) : null };
    } catch {
      throw new ProblemError('malformedRequest', `Transaction ${place} is not in the encoding that the body names.`);
    }
  });
}
