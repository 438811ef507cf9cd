import type { ValidatorsView } from '../api/contract/schemas.ts';
import { fromBase64url } from '../api/contract/text.ts';
import { fromHex } from '../codec/bytes.ts';
import { parseAddress } from '../crypto/address.ts';
import type { VerifySignature } from '../ledger/certificate.ts';
import type { Validator } from '../ledger/validator-set.ts';
import type { NodeClient } from './node-client.ts';
import { BlockProofError, type TrustedFrom, trustedAfter } from './verify-block.ts';

/**
 * Follows the validators from a trusted height up to `toHeight`: at each change the block before it, certified by the
 * set before, announces the set after. The node's word on who changed when is a hint that saves the blocks between; a
 * change that it hides makes `verifyBlock` refuse what comes after. Start from `trustedStart(…)`.
 * Throws a BlockProofError, a DecodeError, or what the client throws.
 */
export async function followValidators(
  client: Pick<NodeClient, 'validators' | 'block'>,
  from: TrustedFrom,
  toHeight: number,
  signal?: AbortSignal,
  verify?: VerifySignature,
): Promise<TrustedFrom> {
  const { validators } = await client.validators(signal);
  let { trusted, height } = from;
  for (const changeHeight of changesBetween(validators, from.height, toHeight)) {
    const { header, certificate } = await client.block(changeHeight - 1, signal);
    const block = { header: fromBase64url(header), certificate: fromBase64url(certificate) };
    trusted = trustedAfter(block, setAt(validators, changeHeight), trusted, verify);
    height = changeHeight;
  }
  return { height, trusted };
}

/** Heights in (from, to] at which another set comes into force, ascending. */
function changesBetween(keys: ValidatorsView['validators'], from: number, to: number): readonly number[] {
  const heights = new Set(keys.flatMap(({ fromHeight, untilHeight }) => [fromHeight, untilHeight ?? fromHeight]));
  return [...heights].filter((height) => height > from && height <= to).sort((a, b) => a - b);
}

function setAt(keys: ValidatorsView['validators'], height: number): readonly Validator[] {
  const set = keys
    .filter(({ fromHeight, untilHeight }) => fromHeight <= height && (untilHeight === null || height < untilHeight))
    .map(({ publicKey, organisation }) => ({
      publicKey: fromHex(publicKey),
      organisation: parseAddress(organisation),
    }));
  if (set.length === 0) throw new BlockProofError(`the node names no validators for height ${height}`);
  return set;
}
