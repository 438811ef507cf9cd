import { concatBytes, fromHex } from '../codec/bytes.ts';
import type { Verify } from './signature-rule.ts';

/** A signature on which Ed25519 libraries disagree, or an ordinary one, with this ledger's pinned answer. */
export interface EdgeCase {
  readonly name: string;
  readonly accepted: boolean;
  readonly message: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly signature: Uint8Array;
}

/** The verifier of this machine does not follow the signature rule: a node with it would fork off the ledger. */
class SignatureRuleError extends Error {
  override readonly name = 'SignatureRuleError';
}

/**
 * Runs every edge case through `verify`. Throws a SignatureRuleError at the first answer that is not the pinned one: a
 * process must not start then. About 2 ms.
 */
export function signatureSelfTest(verify: Verify): void {
  for (const [index, { name, accepted, message, publicKey, signature }] of edgeCases().entries()) {
    if (verify(signature, message, publicKey) === accepted) continue;
    throw new SignatureRuleError(
      `the signature verifier ${accepted ? 'refuses' : 'accepts'} edge case ${index} (${name}) against the rule of this ` +
        'ledger. It must not be used: reinstall with exactly the pinned packages (npm ci) and run on a supported platform.',
    );
  }
}

/**
 * The edge cases. 0 to 11 meet, in this order, the twelve conditions of Chalkias, Garillot, Nikolaenko, "Taming the
 * many EdDSAs" (2020), §5, of which a verifier without cofactor that refuses small orders accepts only number 3; the
 * keys, messages and signatures are this project's own (test/crypto/edge-signatures.ts makes and checks them). Then
 * torsion in R alone, the identity as R, an ordinary signature and a wrong one.
 */
export function edgeCases(): readonly EdgeCase[] {
  return TABLE.map(([name, accepted, message, publicKey, r, s]) => ({
    name,
    accepted,
    message: fromHex(message),
    publicKey: fromHex(publicKey),
    signature: concatBytes(fromHex(r), fromHex(s)),
  }));
}

type Row = readonly [name: string, accepted: boolean, message: string, publicKey: string, r: string, s: string];

const TABLE: readonly Row[] = [
  [
    'A and R of small order, S = 0',
    false,
    '9531ca9111957a1ee9a8ea0cefa4d166d78f0b7d286a9278c900eee3faf2973f',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
    '0000000000000000000000000000000000000000000000000000000000000000',
  ],
  [
    'A of small order',
    false,
    '935b286ce4d41bb92988e4ea3ec7a2599957c8e42c5e84a47fd7ec45259e6d13',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    '7d1772ffc319b9c28799a0b85a2bd2c6a1cbdf4df352a63974ff67b185179fb4',
    'fc486db49c8002c50959bec20901e83a97e5face267e4d8d4e9390a0dbf6510c',
  ],
  [
    'R of small order',
    false,
    '870d3fc6678d196bd0c842ba874311557c2911e813b22fd8cc9a3590e7633d99',
    'e24da215b5eafc9a57d2cc58edc6489ba86e936f4351a98d2ef6df924f039061',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
    '983ccaba69f9125f6e1bf271871d814e79bb37fc1837d6fc8ebf471c6bfde50e',
  ],
  [
    'torsion in A and R cancels',
    true,
    '6abc503ee12707db4d21a8274ecc48339f85b42574761786e332cd372a547058',
    'e24da215b5eafc9a57d2cc58edc6489ba86e936f4351a98d2ef6df924f039061',
    '7d1772ffc319b9c28799a0b85a2bd2c6a1cbdf4df352a63974ff67b185179fb4',
    '873cc50d20091c93b6efc14e90587b0db64826fcea50ac50840181d4b6478a03',
  ],
  [
    'torsion in A and R remains: only with cofactor',
    false,
    '33acccd8b55932c5376d6a65faa364aefc5a0c7fc1cc3affd83e2ba2917589fc',
    'e24da215b5eafc9a57d2cc58edc6489ba86e936f4351a98d2ef6df924f039061',
    '36886543139e900de4aff2fbbc28e7c5ba900ab30923f900ccd255bda69c3143',
    'be37f76bc0a06d4b76ed03d2dd500cebbf169bdb879ab2343264ca2b5a28ad0c',
  ],
  [
    'torsion in A remains: only with cofactor',
    false,
    'f559e777b9cc01365d8f2d3b331dfdebb27eae94fecd84571283fc0938ae974a',
    'e24da215b5eafc9a57d2cc58edc6489ba86e936f4351a98d2ef6df924f039061',
    'c958b46f122281d4de45e557ee9ba4a1c5f384bb94ab8be12a1eae086173a06a',
    '38bb843c43889a14b1d25ea3b4f515d9e21f4dea03f8a0d52e505dc651bfa308',
  ],
  [
    'S between L and 2L',
    false,
    '1dd251007938a5fd8b970a79c9e08aed65f3842fce6e52e750e3769920b9a0f3',
    '2e6b61d003ce497b095c7ab0a38409995e214117f25bd4fa5e6b05b172adf680',
    'c958b46f122281d4de45e557ee9ba4a1c5f384bb94ab8be12a1eae086173a06a',
    '531de3dc3e35624f46aee65c2290a99f9ee00814921fc826b9cfabd538ddc11e',
  ],
  [
    'S above 2L',
    false,
    'fbbf7ebad0ce35ef66be1a0ca14b8108aec166856b01f49b1de1c7a025f6c9fa',
    '2e6b61d003ce497b095c7ab0a38409995e214117f25bd4fa5e6b05b172adf680',
    'c958b46f122281d4de45e557ee9ba4a1c5f384bb94ab8be12a1eae086173a06a',
    'd80cdcea7478486fd676f481f6e2774bf358048abc314a1b8a453032ff281a28',
  ],
  [
    'R non-canonical, hashed reduced',
    false,
    '3e42fdd5695c4ef5024d78aa0191781f207c5225841c8f42bcd892173a78bd67',
    'e24da215b5eafc9a57d2cc58edc6489ba86e936f4351a98d2ef6df924f039061',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
    '66613fd9fcf0d93ff2cb50fda8ccc31443b8ea09fecf4c1f5b984e262efde00c',
  ],
  [
    'R non-canonical, hashed as it is',
    false,
    '9456931179c387be01489e404e241efc46d6791165f2ddbacb89a92f5eaa4003',
    'e24da215b5eafc9a57d2cc58edc6489ba86e936f4351a98d2ef6df924f039061',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
    'e770e5299d5030540c55630fb664155acd4275305d73191ef3d9a005e9ae8701',
  ],
  [
    'A non-canonical, hashed reduced',
    false,
    '8718aa105955790db16ac335b409eaf7be0751a17e0d51f80b202a3c2b9f979a',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
    '24a74b90eddd7e2b21ba1aa811645b5e3a0c7b446b54741ed5e151f79e8c5f95',
    'fc486db49c8002c50959bec20901e83a97e5face267e4d8d4e9390a0dbf6510c',
  ],
  [
    'A non-canonical, hashed as it is',
    false,
    '3a933485d8228285e37cae001f5b1688a0ec0ddc52c190c2882e28cd4797b8ba',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
    '24a74b90eddd7e2b21ba1aa811645b5e3a0c7b446b54741ed5e151f79e8c5f95',
    'fc486db49c8002c50959bec20901e83a97e5face267e4d8d4e9390a0dbf6510c',
  ],
  [
    'torsion in R alone: only with cofactor',
    false,
    'c5f744784c50905e60c1a3fa2e7e9706d3e0405f59839d9628d42795421576bb',
    '2e6b61d003ce497b095c7ab0a38409995e214117f25bd4fa5e6b05b172adf680',
    '36886543139e900de4aff2fbbc28e7c5ba900ab30923f900ccd255bda69c3143',
    '2c7615c1816181b3e8989c458888e5b98cb54d20eee146df40b462b982610701',
  ],
  [
    'R the identity',
    false,
    '8a1abfee3ee4d1c8fe8d3ebf2b6307869edd5fcbd9a8de125bd309e3586cda76',
    '2e6b61d003ce497b095c7ab0a38409995e214117f25bd4fa5e6b05b172adf680',
    '0100000000000000000000000000000000000000000000000000000000000000',
    '2e5be4e07a2089f4313f3d95ac3dc1358dcc8a27a0a5df235da3bc252d51f906',
  ],
  [
    'an ordinary signature',
    true,
    'f628f1fbead510343dee248ef94ee5bdaee5043fafb0ea520a0223f241129261',
    '2e6b61d003ce497b095c7ab0a38409995e214117f25bd4fa5e6b05b172adf680',
    'c958b46f122281d4de45e557ee9ba4a1c5f384bb94ab8be12a1eae086173a06a',
    '72da4d087178f6c13eecd370e6fd8821ae73dc2db01075d07e2d0a2a2cbff90e',
  ],
  [
    'an ordinary signature with S + 1',
    false,
    '99818664ac9e3d2e4dcd0cc78e2fddff5961da2f1743962ff69772d5722fe58b',
    '2e6b61d003ce497b095c7ab0a38409995e214117f25bd4fa5e6b05b172adf680',
    'c958b46f122281d4de45e557ee9ba4a1c5f384bb94ab8be12a1eae086173a06a',
    '3b8a96ffad297392fe0c929fbea45bffd47441683799742417112a8809d39407',
  ],
];
