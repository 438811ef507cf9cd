import { bytesUpTo, list, nullable, struct } from '../../codec/schema.ts';
import { SUBMISSION_BODY_BYTES_MAX, SUBMISSIONS_MAX } from './endpoints.ts';

/**
 * Body of a submission as `application/cbor`: an array of [encoded transaction, attachment or null]. Sizes of single
 * parts are checked afterwards, so that one that is too large is rejected alone.
 */
export const submissionListSchema = list(
  struct<{ readonly encoded: Uint8Array; readonly attachment: Uint8Array | null }>({
    encoded: bytesUpTo(SUBMISSION_BODY_BYTES_MAX),
    attachment: nullable(bytesUpTo(SUBMISSION_BODY_BYTES_MAX)),
  }),
  SUBMISSIONS_MAX,
);
