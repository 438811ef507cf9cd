import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AddressError, formatAddress, parseAddress } from '../../src/crypto/address.ts';

const address = Uint8Array.from({ length: 32 }, (_, i) => i);

function refused(text: string, saying: string): void {
  assert.throws(
    () => parseAddress(text),
    (error: unknown) => error instanceof AddressError && error.message.includes(saying),
    text,
  );
}

test('an address has one text of 62 characters, and comes back from it', () => {
  const text = formatAddress(address);
  // Made with another implementation of BIP 350.
  assert.is(text, 'med1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0se3vfek');
  assert.is(text.length, 62);
  assert.equal(parseAddress(text), address);
  assert.equal(parseAddress(text.toUpperCase()), address, 'as QR codes write it');
});

test('every changed letter is found', () => {
  const text = formatAddress(address);
  for (let i = 4; i < text.length; i += 1) {
    const other = text[i] === 'q' ? 'p' : 'q';
    refused(`${text.slice(0, i)}${other}${text.slice(i + 1)}`, 'checksum');
  }
});

test('other texts are refused, saying why', () => {
  const text = formatAddress(address);
  refused('', 'starts with med1');
  refused(text.replace('med1', 'bc1'), 'starts with med1');
  refused(text.slice(0, -1), 'checksum');
  refused(`${text.slice(0, 20).toUpperCase()}${text.slice(20)}`, 'checksum');
  refused(`med1${'q'.repeat(1000)}`, 'checksum');
  assert.throws(() => formatAddress(address.subarray(1)), '32 bytes');
});

test('a correct checksum over another number of bytes is refused', () => {
  // bech32m of 20 bytes with the same prefix.
  refused('med1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnxrea3d', 'instead of 32');
});

test.run();
