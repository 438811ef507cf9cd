import { ed25519 } from '@noble/curves/ed25519.js';
import * as fc from 'fast-check';
import sodium from 'sodium-native';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { equalBytes, fromHex, toHex, utf8 } from '../../src/codec/bytes.ts';
import { signingKeyFault as signingKeyFaultByNoble } from '../../src/crypto/key-admission.ts';
import { verifySignature as verifyWithNoble } from '../../src/crypto/noble-verify.ts';
import { signingKeyFault } from '../../src/crypto/node/key-admission.ts';
import { sodiumSigner } from '../../src/crypto/node/sign.ts';
import { verifySignature } from '../../src/crypto/node/verify.ts';
import { hasSmallOrder, makeVerify, type Verify } from '../../src/crypto/signature-rule.ts';
import { nobleSigner } from '../../src/crypto/signer.ts';
import { edgeCases, signatureSelfTest } from '../../src/crypto/speccheck.ts';
import { challenge, type EdwardsPoint, fromLittleEndian, L, makeEdgeSignatures, times } from './edge-signatures.ts';

const { Point } = ed25519;
const seed = fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60');

/** The point that bytes encode when y is taken modulo p and the sign of x = 0 ignored. */
function lenientPoint(encoded: Uint8Array): EdwardsPoint {
  try {
    return Point.fromBytes(encoded, true);
  } catch {
    return Point.fromBytes(
      encoded.map((byte, i) => (i === 31 ? byte & 127 : byte)),
      true,
    );
  }
}

test('the edge cases are made by their recipes', () => {
  const made = makeEdgeSignatures();
  assert.is(made.length, edgeCases().length);
  edgeCases().forEach((edge, i) => {
    assert.equal(edge.message, made[i]!.message, `message ${i}`);
    assert.equal(edge.publicKey, made[i]!.publicKey, `key ${i}`);
    assert.equal(edge.signature, made[i]!.signature, `signature ${i}`);
  });
});

// One row a case: order of A and of R (small, mixed, or the prime L), whether S < L, whether the equation with and
// without cofactor holds. From the condition table of the paper; 12 and up are this project's.
const CONDITIONS = [
  'small small inRange cofactored cofactorless',
  'small mixed inRange cofactored cofactorless',
  'mixed small inRange cofactored cofactorless',
  'mixed mixed inRange cofactored cofactorless',
  'mixed mixed inRange cofactored -',
  'mixed L inRange cofactored -',
  'L L above cofactored cofactorless',
  'L L above cofactored cofactorless',
  'mixed small inRange cofactored cofactorless',
  'mixed small inRange cofactored cofactorless',
  'small mixed inRange cofactored cofactorless',
  'small mixed inRange cofactored cofactorless',
  'L mixed inRange cofactored -',
  'L small inRange cofactored cofactorless',
  'L L inRange cofactored cofactorless',
  'L L inRange - -',
];

function orderOf(point: EdwardsPoint): string {
  if (point.isSmallOrder()) return 'small';
  return times(point, L).is0() ? 'L' : 'mixed';
}

test('each edge case meets its condition', () => {
  edgeCases().forEach(({ message, publicKey, signature }, index) => {
    const a = lenientPoint(publicKey);
    const r = lenientPoint(signature.subarray(0, 32));
    const s = fromLittleEndian(signature.subarray(32));
    // Numbers 8 and 10 hash the reduced encoding of a point that is not given in it.
    const hashedR = index === 8 ? r.toBytes() : signature.subarray(0, 32);
    const h = challenge(hashedR, index === 10 ? a.toBytes() : publicKey, message);
    const difference = times(Point.BASE, s).subtract(r.add(times(a, h)));
    const condition = [
      orderOf(a),
      orderOf(r),
      s < L ? 'inRange' : 'above',
      difference.isSmallOrder() ? 'cofactored' : '-',
      difference.is0() ? 'cofactorless' : '-',
    ];
    assert.is(condition.join(' '), CONDITIONS[index], `case ${index}`);
  });
});

test('of the twelve published conditions only number 3 is accepted, by both verifiers', () => {
  for (const verify of [verifySignature, verifyWithNoble]) {
    signatureSelfTest(verify);
    const accepted = edgeCases().flatMap(({ signature, message, publicKey }, i) =>
      verify(signature, message, publicKey) ? [i] : [],
    );
    assert.equal(accepted, [3, 14]);
  }
});

test('the self-test refuses a verifier with cofactor, one that takes all and one that takes none', () => {
  const cofactored: Verify = (signature, message, publicKey) => {
    try {
      return ed25519.verify(signature, message, publicKey);
    } catch {
      return false;
    }
  };
  assert.throws(() => signatureSelfTest(makeVerify(cofactored)), 'accepts edge case 4');
  assert.throws(() => signatureSelfTest(() => true), 'accepts edge case 0');
  assert.throws(() => signatureSelfTest(() => false), 'refuses edge case 3');
  const raw: Verify = (signature, message, publicKey) =>
    sodium.crypto_sign_verify_detached(signature, message, publicKey);
  assert.not.throws(() => signatureSelfTest(makeVerify(raw)));
});

test('wrong lengths are false and never reach the verifier', () => {
  const verify = makeVerify(() => true);
  const { signature, message, publicKey } = edgeCases()[14]!;
  assert.ok(verify(signature, message, publicKey));
  for (const length of [0, 32, 63, 65]) assert.not(verify(new Uint8Array(length).fill(9), message, publicKey));
  for (const length of [0, 31, 33, 64]) assert.not(verify(signature, message, new Uint8Array(length).fill(9)));
  assert.not(verifySignature(new Uint8Array(0), new Uint8Array(0), new Uint8Array(0)));
});

test('the small-order list is exactly the encodings of the eight small-order points', () => {
  const p = 2n ** 255n - 19n;
  let t = Point.ZERO;
  const t8 = Point.fromBytes(fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'), false);
  const ys = new Set<bigint>();
  for (let i = 0; i < 8; i += 1) {
    assert.ok(t.isSmallOrder());
    ys.add(t.toAffine().y);
    t = t.add(t8);
  }
  assert.is(ys.size, 5);
  let listed = 0;
  for (const reduced of ys) {
    for (const y of [reduced, reduced + p]) {
      if (y >= 2n ** 255n) continue;
      for (const sign of [0n, 1n]) {
        const value = y + (sign << 255n);
        const encoded = fromHex(value.toString(16).padStart(64, '0')).reverse();
        assert.ok(hasSmallOrder(encoded));
        encoded[7]! ^= 1;
        assert.not(hasSmallOrder(encoded));
        listed += 1;
      }
    }
  }
  assert.is(listed, 14);
});

test('a key is admitted only when canonical, of prime order and 32 bytes long, by both rules', () => {
  const key = sodiumSigner(seed).publicKey;
  const cases = edgeCases();
  // y = p + 3 encodes, not canonically, the same point as y = 3.
  assert.is(Point.fromBytes(fromHex(`03${'00'.repeat(31)}`), false).is0(), false);
  for (const fault of [signingKeyFault, signingKeyFaultByNoble]) {
    assert.is(fault(key), undefined);
    assert.is(fault(key.subarray(1)), 'length');
    assert.is(fault(cases[0]!.publicKey), 'smallOrder');
    assert.is(fault(cases[3]!.publicKey), 'torsion');
    assert.is(fault(cases[10]!.publicKey), 'smallOrder');
    assert.is(fault(Point.ZERO.toBytes()), 'smallOrder');
    assert.is(fault(fromHex(`02${'00'.repeat(31)}`)), 'encoding', 'not on the curve');
    assert.is(fault(fromHex(`f0${'ff'.repeat(30)}7f`)), 'encoding');
  }
});

test('both rules of admission agree on any bytes, and on every sum of a point and one of small order', () => {
  const agree = (key: Uint8Array) => assert.is(signingKeyFault(key), signingKeyFaultByNoble(key), toHex(key));
  const anyBytes = fc.property(fc.uint8Array({ minLength: 31, maxLength: 33 }), (key) => {
    agree(key);
  });
  void fc.assert(anyBytes, { numRuns: 300 });
  const torsion = Point.fromBytes(fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'), true);
  const faults = new Map<string | undefined, number>();
  for (let number = 1; number <= 12; number += 1) {
    let point = Point.fromBytes(sodiumSigner(seed.map((byte) => byte ^ number)).publicKey, false);
    for (let multiple = 0; multiple < 8; multiple += 1, point = point.add(torsion)) {
      const key = point.toBytes();
      agree(key);
      const fault = signingKeyFault(key);
      faults.set(fault, (faults.get(fault) ?? 0) + 1);
    }
  }
  assert.equal(
    [...faults],
    [
      [undefined, 12],
      ['torsion', 84],
    ],
  );
});

test('both signers give the same RFC 8032 signatures, and both verifiers take them', () => {
  // RFC 8032 §7.1, test 1.
  const native = sodiumSigner(seed);
  assert.equal(native.publicKey, fromHex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'));
  const empty = native.sign(new Uint8Array(0));
  assert.equal(
    empty,
    fromHex(
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    ),
  );
  assert.ok(verifySignature(empty, new Uint8Array(0), native.publicKey));
  assert.ok(verifyWithNoble(empty, new Uint8Array(0), native.publicKey));
  const plain = nobleSigner(seed);
  assert.equal(plain.publicKey, native.publicKey);
  assert.equal(plain.sign(utf8('a')), native.sign(utf8('a')));
  assert.throws(() => sodiumSigner(seed.subarray(1)), 'a signing seed has 32 bytes');
  assert.throws(() => nobleSigner(seed.subarray(1)));
});

test('a change anywhere makes a signature invalid, and both verifiers agree', () => {
  const signer = sodiumSigner(seed);
  const property = fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat({ max: 511 }), (message, bit) => {
    const signature = signer.sign(message);
    const bent = signature.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
    assert.not(equalBytes(bent, signature));
    for (const verify of [verifySignature, verifyWithNoble]) {
      assert.ok(verify(signature, message, signer.publicKey));
      assert.not(verify(bent, message, signer.publicKey));
    }
  });
  void fc.assert(property, { numRuns: 25 });
});

test.run();
