import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes, fromHex, utf8 } from '../../src/codec/bytes.ts';
import { sha256 } from '../../src/crypto/hash.ts';

// Makes the signatures of src/crypto/speccheck.ts anew: fixed scalars, and the first message of a fixed sequence whose
// challenge h has the wanted remainder, so that the torsion parts of R and h·A cancel or not.
const { Point } = ed25519;
export const L = Point.Fn.ORDER;
export type EdwardsPoint = typeof Point.BASE;

const B = Point.BASE;
const IDENTITY = Point.ZERO;
/** A point of order 8. */
const T8 = Point.fromBytes(fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'), false);
/** The point (0, −1) of order 2, and its encoding with the sign bit set although x = 0. */
const T2 = times(T8, 4n);
const T2_NON_CANONICAL = fromHex(`${'ec'}${'ff'.repeat(31)}`);

export interface EdgeSignature {
  readonly message: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly signature: Uint8Array;
}

interface Recipe {
  readonly key: Uint8Array;
  readonly commitment: Uint8Array;
  /** What goes into the hash in place of the key or commitment, when not their own bytes. */
  readonly hashedKey?: Uint8Array;
  readonly hashedCommitment?: Uint8Array;
  wanted(h: bigint): boolean;
  s(h: bigint): bigint;
}

export function makeEdgeSignatures(): readonly EdgeSignature[] {
  return recipes().map(make);
}

/** h = SHA-512(R ‖ A ‖ M) mod L. */
export function challenge(commitment: Uint8Array, key: Uint8Array, message: Uint8Array): bigint {
  return fromLittleEndian(sha512(concatBytes(commitment, key, message))) % L;
}

export function times(point: EdwardsPoint, scalar: bigint): EdwardsPoint {
  let sum = IDENTITY;
  for (const bit of scalar.toString(2)) {
    sum = sum.double();
    if (bit === '1') sum = sum.add(point);
  }
  return sum;
}

export function fromLittleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}

function recipes(): readonly Recipe[] {
  const a = scalar('a');
  const r = scalar('r');
  const aB = times(B, a);
  const rB = times(B, r);
  const mixedKey = aB.add(T8).toBytes();
  const plain = { key: aB.toBytes(), commitment: rB.toBytes(), wanted: () => true };
  const equation = (h: bigint): bigint => (r + h * a) % L;
  const is = (remainder: bigint) => (h: bigint) => h % 8n === remainder;
  const minusT8 = T8.negate();
  return [
    { key: T8.toBytes(), commitment: minusT8.toBytes(), wanted: is(1n), s: () => 0n },
    { key: T8.toBytes(), commitment: rB.add(minusT8).toBytes(), wanted: is(1n), s: () => r },
    { key: mixedKey, commitment: minusT8.toBytes(), wanted: is(1n), s: (h) => (h * a) % L },
    { key: mixedKey, commitment: rB.add(minusT8).toBytes(), wanted: is(1n), s: equation },
    { key: mixedKey, commitment: rB.add(T8).toBytes(), wanted: is(1n), s: equation },
    {
      key: mixedKey,
      commitment: rB.toBytes(),
      wanted: (h) => h % 8n !== 0n && ((8n * h) % L) % 8n !== 0n,
      s: equation,
    },
    { ...plain, s: (h) => equation(h) + L },
    { ...plain, s: (h) => equation(h) + 2n * L },
    {
      key: mixedKey,
      commitment: T2_NON_CANONICAL,
      hashedCommitment: T2.toBytes(),
      wanted: is(4n),
      s: (h) => (h * a) % L,
    },
    { key: mixedKey, commitment: T2_NON_CANONICAL, wanted: is(4n), s: (h) => (h * a) % L },
    {
      key: T2_NON_CANONICAL,
      commitment: rB.add(T2).toBytes(),
      hashedKey: T2.toBytes(),
      wanted: (h) => h % 2n === 1n,
      s: () => r,
    },
    { key: T2_NON_CANONICAL, commitment: rB.add(T2).toBytes(), wanted: (h) => h % 2n === 1n, s: () => r },
    { ...plain, commitment: rB.add(T8).toBytes(), s: equation },
    { ...plain, commitment: IDENTITY.toBytes(), s: (h) => (h * a) % L },
    { ...plain, s: equation },
    { ...plain, s: (h) => (equation(h) + 1n) % L },
  ];
}

function make(recipe: Recipe, index: number): EdgeSignature {
  for (let attempt = 0; ; attempt += 1) {
    const message = sha256(utf8(`medledger edge signature ${index} message ${attempt}`));
    const h = challenge(recipe.hashedCommitment ?? recipe.commitment, recipe.hashedKey ?? recipe.key, message);
    if (!recipe.wanted(h)) continue;
    const signature = concatBytes(recipe.commitment, toLittleEndian(recipe.s(h)));
    return { message, publicKey: recipe.key, signature };
  }
}

function scalar(name: string): bigint {
  return fromLittleEndian(sha512(utf8(`medledger edge signature scalar ${name}`))) % L;
}

function toLittleEndian(value: bigint): Uint8Array {
  return fromHex(value.toString(16).padStart(64, '0')).reverse();
}
