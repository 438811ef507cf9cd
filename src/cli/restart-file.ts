import { readFileSync, renameSync } from 'node:fs';
import { toHex } from '../codec/bytes.ts';
import { DecodeError } from '../codec/decode-error.ts';
import { formatAddress } from '../crypto/address.ts';
import { writeNewFile } from '../crypto/node/new-file.ts';
import { compareSignatures } from '../ledger/execution.ts';
import { readLedgerStart } from '../ledger/ledger-start.ts';
import { encodeRestart, type RestartFile } from '../ledger/restart.ts';
import { type EndedLedger, restartFault, restartSigners } from '../ledger/restart-check.ts';
import { validatorsBefore } from '../ledger/restart-state.ts';
import { StateOverlay } from '../ledger/state-overlay.ts';
import { faultyMax, quorumSize } from '../ledger/validator-set.ts';
import { OperatorError } from '../node/operator-error.ts';
import { SIGNATURE_CHECKS } from '../node/signature-checks.ts';
import { formatTable } from './output.ts';

/** A restart for people and for programs. */
export interface RestartView {
  readonly ledger: string;
  /** Genesis hashes of the ledger that ends and of the one that goes on. */
  readonly oldGenesisHash: string;
  readonly genesisHash: string;
  readonly height: number;
  readonly blockHash: string;
  readonly createdMs: number;
  readonly stateRoot: string;
  readonly validators: readonly { readonly publicKey: string; readonly organisation: string }[];
  readonly quorum: number;
  readonly faultyMax: number;
  readonly suspended: readonly string[];
  /** Addresses whose signatures are in the file. */
  readonly signedBy: readonly string[];
  /** By the state of the old ledger; absent where that is not at hand. */
  readonly against?: {
    readonly validatorsBefore: number;
    readonly faultyMaxBefore: number;
    readonly signers: readonly {
      readonly address: string;
      readonly name: string;
      readonly isNeeded: boolean;
      readonly hasSigned: boolean;
    }[];
    /** Why it can not be applied yet; null when it can. */
    readonly fault: string | null;
  };
}

/** Reads a restart. Throws an OperatorError when the file is none. */
export function readRestartFile(file: string): { readonly encoded: Uint8Array; readonly restart: RestartFile } {
  let encoded: Uint8Array;
  try {
    encoded = new Uint8Array(readFileSync(file));
  } catch (error) {
    throw new OperatorError(`Cannot read ${file} (${(error as NodeJS.ErrnoException).code}): name the restart.`);
  }
  try {
    const { restart } = readLedgerStart(encoded);
    if (restart !== undefined) return { encoded, restart };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new OperatorError(`${file} is no restart (${error.message}): make one with "medledger restart propose".`);
  }
  throw new OperatorError(`${file} is the genesis of a founding, not a restart.`);
}

/** Writes a restart with its signatures in order, in place of the file there or, with `isNew`, as a new one. */
export function writeRestartFile(file: string, restart: RestartFile, isNew: boolean): void {
  const encoded = encodeRestart({ ...restart, signatures: [...restart.signatures].sort(compareSignatures) });
  const target = isNew ? file : `${file}.${process.pid}.new`;
  try {
    writeNewFile(target, encoded);
    if (!isNew) renameSync(target, file);
  } catch (error) {
    throw new OperatorError(`Cannot write ${target} (${(error as NodeJS.ErrnoException).code}): name another file.`);
  }
}

/** What there is to say of a restart, with the ledger that it ends where that is at hand. */
export function restartView(encoded: Uint8Array, ended: EndedLedger | undefined): RestartView {
  const start = readLedgerStart(encoded);
  const { before, genesisHash, validators } = start;
  const restart = start.restart!;
  const view = {
    ledger: restart.ledger,
    oldGenesisHash: toHex(before!.genesisHash),
    genesisHash: toHex(genesisHash),
    height: restart.origin.height,
    blockHash: toHex(restart.origin.blockHash),
    createdMs: restart.createdMs,
    stateRoot: toHex(restart.stateRoot),
    validators: validators.map(({ publicKey, organisation }) => ({
      publicKey: toHex(publicKey),
      organisation: formatAddress(organisation),
    })),
    quorum: quorumSize(validators.length),
    faultyMax: faultyMax(validators.length),
    suspended: restart.suspended.map(formatAddress),
    signedBy: [...new Set(restart.signatures.map(({ account }) => formatAddress(account)))],
  };
  if (ended === undefined) return view;
  const count = validatorsBefore(new StateOverlay(ended.state.reader)).length;
  const signers = restartSigners(restart, restart.signatures, ended);
  return {
    ...view,
    against: {
      validatorsBefore: count,
      faultyMaxBefore: faultyMax(count),
      signers: signers.map(({ address, ...signer }) => ({ address: formatAddress(address), ...signer })),
      fault: restartFault(start, ended, SIGNATURE_CHECKS) ?? null,
    },
  };
}

/** The view as text. */
export function describeRestart(view: RestartView): string {
  const { against, validators } = view;
  const lines = [
    `ledger        ${view.ledger} (${view.oldGenesisHash})`,
    `goes on as    ${view.genesisHash}`,
    `from block    ${view.height} (${view.blockHash}), at ${new Date(view.createdMs).toISOString()}`,
    `validators    ${against === undefined ? '' : `${against.validatorsBefore} to `}${validators.length}; ` +
      `${view.quorum} agree, ${against === undefined ? '' : `${against.faultyMaxBefore} to `}${view.faultyMax} may be faulty`,
    ...validators.map(({ publicKey, organisation }) => `              ${publicKey} of ${organisation}`),
    `suspended     ${view.suspended.join('\n              ') || 'nobody'}`,
    `signed by     ${view.signedBy.join('\n              ') || 'nobody yet'}`,
  ];
  if (against === undefined) return lines.join('\n');
  const rows = against.signers.map(({ name, address, isNeeded, hasSigned }) => [
    name,
    address,
    isNeeded ? 'must sign' : 'may sign',
    hasSigned ? 'signed' : '',
  ]);
  const verdict = against.fault === null ? 'It can be applied.' : `It can not be applied: ${against.fault}.`;
  return [...lines, '', formatTable(['who', 'address', '', ''], rows), '', verdict].join('\n');
}
