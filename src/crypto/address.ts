import { bech32m } from '@scure/base';

const PREFIX = 'med';
const ADDRESS_BYTES = 32;

/** A text that is not an account address; the message says what is wrong with it. */
export class AddressError extends Error {
  override readonly name = 'AddressError';
}

/** The text of a 32-byte account address: bech32m (BIP 350) with the prefix `med`, 62 characters `med1…`. */
export function formatAddress(address: Uint8Array): string {
  if (address.length !== ADDRESS_BYTES)
    throw new RangeError(`an address has ${ADDRESS_BYTES} bytes, not ${address.length}`);
  return bech32m.encodeFromBytes(PREFIX, address);
}

/** The 32 bytes of an address text. Throws an AddressError on any other text; the checksum finds mistyped letters. */
export function parseAddress(text: string): Uint8Array {
  if (!/^med1/i.test(text)) throw new AddressError(`"${shown(text)}" is no address: an address starts with med1`);
  let bytes: Uint8Array;
  try {
    const decoded = bech32m.decodeToBytes(text);
    // The separator is the last 1, so another prefix may begin with ours.
    if (decoded.prefix !== PREFIX) throw new Error(`the prefix is ${decoded.prefix}`);
    bytes = decoded.bytes;
  } catch (cause) {
    const message = `"${shown(text)}" is no address: mistyped or incomplete, its checksum does not match`;
    throw new AddressError(message, { cause });
  }
  if (bytes.length !== ADDRESS_BYTES)
    throw new AddressError(
      `"${shown(text)}" is no address: it holds ${bytes.length} bytes instead of ${ADDRESS_BYTES}`,
    );
  return bytes;
}

function shown(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 80)}…`;
}
