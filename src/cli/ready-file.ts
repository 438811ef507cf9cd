import { readFileSync } from 'node:fs';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { equalBytes, fromHex, toHex, utf8 } from '../codec/bytes.ts';
import { parseAddress } from '../crypto/address.ts';
import { writeNewFile } from '../crypto/node/new-file.ts';
import { OperatorError } from '../node/operator-error.ts';

const key = Type.String({ pattern: '^[0-9a-f]{64}$' });

const readyFileSchema = Type.Object(
  {
    type: Type.Literal('medledger-ready'),
    genesisHash: key,
    publicKey: key,
    organisation: Type.String({ pattern: '^med1' }),
    replaces: Type.Union([key, Type.Null()]),
    addresses: Type.Array(Type.String()),
    height: Type.Integer({ minimum: 0 }),
    signature: Type.String({ pattern: '^[0-9a-f]{128}$' }),
  },
  { additionalProperties: false },
);

/** What a candidate hands to the members: no secret, and worth nothing without their signatures. */
export type ReadyFile = Static<typeof readyFileSchema>;

/** The seat that a candidate asks for, as the actions take it. */
export interface ReadySeat {
  readonly publicKey: Uint8Array;
  readonly organisation: Uint8Array;
  readonly replaces: Uint8Array | null;
  readonly addresses: readonly string[];
  readonly ready: { readonly height: number; readonly signature: Uint8Array };
}

/** Writes a candidate's word to a new file. */
export function writeReadyFile(file: string, ready: ReadyFile): void {
  writeNewFile(file, utf8(`${JSON.stringify(ready, null, 2)}\n`));
}

/** Reads what a candidate handed over. Throws an OperatorError when it is none, or of another ledger. */
export function readReadyFile(file: string, genesisHash: Uint8Array): ReadySeat {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new OperatorError(
      `Cannot read ${file} (${(error as Error).message}): make it with "medledger validator ready".`,
    );
  }
  if (!Value.Check(readyFileSchema, parsed))
    throw new OperatorError(`${file} is no statement of readiness: make it with "medledger validator ready".`);
  const { publicKey, organisation, replaces, addresses, height, signature } = parsed;
  if (!equalBytes(fromHex(parsed.genesisHash), genesisHash))
    throw new OperatorError(`${file} is for the ledger ${parsed.genesisHash}, not for ${toHex(genesisHash)}.`);
  return {
    publicKey: fromHex(publicKey),
    organisation: addressIn(file, organisation),
    replaces: replaces === null ? null : fromHex(replaces),
    addresses,
    ready: { height, signature: fromHex(signature) },
  };
}

function addressIn(file: string, text: string): Uint8Array {
  try {
    return parseAddress(text);
  } catch (error) {
    throw new OperatorError(`${file}: ${(error as Error).message}. Make it anew with "medledger validator ready".`);
  }
}
