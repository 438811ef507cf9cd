import { base64urlnopad } from '@scure/base';
import {
  COVERED_COMPONENTS,
  contentDigestText,
  SIGNATURE_LIFETIME_SECONDS_MAX,
  signatureBase,
  signatureHeaders,
  signatureParametersText,
} from '../api/contract/request-signature.ts';
import { toHex } from '../codec/bytes.ts';
import { formatAddress } from '../crypto/address.ts';
import { sha256 } from '../crypto/hash.ts';
import type { AccountIdentity } from './keys.ts';

/** A request to be signed. */
export interface UnsignedRequest {
  /** Upper case. */
  readonly method: string;
  readonly url: URL;
  /** No bytes for a request without a body. */
  readonly body: Uint8Array;
}

/**
 * The headers by which a request is known to be of an account of one ledger: good for one minute and one use. Signs
 * with the first key of the identity. Throws an Error when it has none.
 */
export function signRequest(
  identity: Pick<AccountIdentity, 'address' | 'signers'>,
  genesisHash: Uint8Array,
  request: UnsignedRequest,
  nowMs: number,
): Readonly<Record<string, string>> {
  const [key] = identity.signers;
  if (key === undefined) throw new Error('an account without a signing key can not sign requests');
  const contentDigest = contentDigestText(sha256(request.body));
  const genesis = toHex(genesisHash);
  const created = Math.floor(nowMs / 1000);
  const parameters = signatureParametersText({
    created,
    expires: created + SIGNATURE_LIFETIME_SECONDS_MAX,
    nonce: base64urlnopad.encode(crypto.getRandomValues(new Uint8Array(18))),
    address: formatAddress(identity.address),
    keyIndex: key.keyIndex,
  });
  const { host, pathname, search } = request.url;
  const base = signatureBase(
    {
      method: request.method,
      authority: host,
      path: pathname,
      query: search === '' ? '?' : search,
      contentDigest,
      genesis,
    },
    COVERED_COMPONENTS,
    parameters,
  );
  return {
    'content-digest': contentDigest,
    'medledger-genesis': genesis,
    ...signatureHeaders(parameters, key.signer.sign(base)),
  };
}
