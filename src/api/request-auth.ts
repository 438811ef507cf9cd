import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { toHex } from '../codec/bytes.ts';
import { parseAddress } from '../crypto/address.ts';
import type { Account } from '../ledger/account.ts';
import type { NodePorts } from '../node/ports.ts';
import {
  CLOCK_SKEW_SECONDS,
  contentDigestText,
  freshnessFault,
  type ParsedSignature,
  parseSignature,
  signatureBase,
} from './contract/request-signature.ts';
import { ProblemError } from './problem-response.ts';

/** The account that signed a request. */
export interface Caller {
  readonly address: Uint8Array;
  readonly account: Account;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on signed endpoints before the body is read. */
    caller: Caller | null;
  }
}

/** What the check of signed requests needs beside the ports. */
export interface RequestAuthOptions {
  /** Host names, with port where not the scheme's own, under which this node may be addressed; lower case. */
  readonly authorities: () => ReadonlySet<string>;
  /** Milliseconds since the Unix epoch. */
  readonly nowMs: () => number;
}

/** The two hooks of a signed endpoint: `signature` before the body is read, `digest` once it is. */
export interface RequestAuth {
  signature(request: FastifyRequest): Promise<void>;
  digest(request: FastifyRequest, reply: FastifyReply): Promise<void>;
}

/**
 * Checks of signed requests (request-signature.ts). The signature is checked before a byte of the body is read, so
 * that only accounts of the ledger can make the node hold a large one.
 */
export function makeRequestAuth(ports: NodePorts, options: RequestAuthOptions): RequestAuth {
  return {
    async signature(request) {
      const parsed = readSignature(request);
      const nowSeconds = options.nowMs() / 1000;
      const stale = freshnessFault(parsed, nowSeconds);
      if (stale !== undefined) throw new ProblemError('signatureOutdated', `Of this signature, ${stale}.`);
      const authority = checkedAuthority(request, options.authorities());
      request.caller = callerOf(ports, parsed, requestBase(request, authority, parsed));
      // Last, so that nobody but the holder of a key can use up its nonces.
      const keptUntilMs = (parsed.expires + CLOCK_SKEW_SECONDS + 1) * 1000;
      const isFresh = await ports.useNonce(`${parsed.address}#${parsed.keyIndex}/${parsed.nonce}`, keptUntilMs);
      if (!isFresh) throw new ProblemError('nonceUsed');
    },
    async digest(request) {
      const body = request.body instanceof Uint8Array ? request.body : new Uint8Array(0);
      const digest = contentDigestText(createHash('sha256').update(body).digest());
      if (request.headers['content-digest'] !== digest) throw new ProblemError('digestMismatch');
    },
  };
}

/** Refuses a request that says it is for another ledger; one that says nothing passes. */
export function checkLedger(ports: NodePorts, request: FastifyRequest): void {
  const genesis = request.headers['medledger-genesis'];
  if (genesis !== undefined && genesis !== toHex(ports.genesisHash)) throw new ProblemError('foreignLedger');
}

/** The signer of a request on a signed endpoint. */
export function callerOfRequest(request: FastifyRequest): Caller {
  if (request.caller === null) throw new Error('a handler asked for the caller of an open endpoint');
  return request.caller;
}

function readSignature(request: FastifyRequest): ParsedSignature {
  const input = headerText(request, 'signature-input');
  const signature = headerText(request, 'signature');
  if (input === undefined && signature === undefined) throw new ProblemError('signatureMissing');
  if (input === undefined || signature === undefined)
    throw new ProblemError('signatureMalformed', 'One of Signature and Signature-Input is missing.');
  const parsed = parseSignature(input, signature);
  if ('kind' in parsed) {
    const code = parsed.kind === 'malformed' ? 'signatureMalformed' : 'signatureIncomplete';
    throw new ProblemError(code, `In this request, ${parsed.detail}.`);
  }
  return parsed;
}

function requestBase(request: FastifyRequest, authority: string, parsed: ParsedSignature): Uint8Array {
  const contentDigest = headerText(request, 'content-digest');
  const genesis = headerText(request, 'medledger-genesis');
  if (contentDigest === undefined || genesis === undefined)
    throw new ProblemError('signatureIncomplete', 'The headers Content-Digest and Medledger-Genesis are both needed.');
  const target = request.raw.url ?? '/';
  const mark = target.indexOf('?');
  const components = {
    method: request.method,
    authority,
    path: mark < 0 ? target : target.slice(0, mark),
    query: mark < 0 ? '?' : target.slice(mark),
    contentDigest,
    genesis,
  };
  return signatureBase(components, parsed.covered, parsed.signedParameters);
}

/**
 * The authority that the request was sent to. It must be one of this node's: else a node could pass a request signed
 * for itself on to another, and read there in the signer's name.
 */
function checkedAuthority(request: FastifyRequest, authorities: ReadonlySet<string>): string {
  const host = (headerText(request, 'host') ?? '').toLowerCase();
  const authority = host.replace(request.protocol === 'https' ? /:443$/ : /:80$/, '');
  if (authorities.has(authority)) return authority;
  const detail = 'The host name that it was signed for is none of this node: address it by another, or add it to the';
  throw new ProblemError('signatureWrong', `${detail} authorities in its configuration.`);
}

function callerOf(ports: NodePorts, parsed: ParsedSignature, base: Uint8Array): Caller {
  let address: Uint8Array;
  try {
    address = parseAddress(parsed.address);
  } catch {
    throw new ProblemError('signatureMalformed', 'The address in keyid is mistyped: its checksum does not match.');
  }
  const account = ports.account(address);
  const isGenuine =
    account?.status === 'active' && ports.verifyAccountSignature(address, parsed.keyIndex, base, parsed.signature);
  if (account === undefined || !isGenuine) throw new ProblemError('signatureWrong');
  return { address, account };
}

function headerText(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}
