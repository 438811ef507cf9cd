import type { DecoderCase } from './decoder-run.ts';
import { interfaceDecoders } from './decoders-interface.ts';
import { storedDecoders } from './decoders-stored.ts';
import { wireDecoders } from './decoders-wire.ts';

/** A decoder of the table, with the functions of src/ that it stands for, as `file#name`. */
export interface TableEntry extends DecoderCase {
  readonly covers: readonly string[];
}

/** Every decoder of what comes from outside: from peers, from disk, from clients and operators. */
export const DECODERS: readonly TableEntry[] = [...wireDecoders, ...storedDecoders, ...interfaceDecoders];

/** Functions named as decoders that the table leaves out, and why. */
export const EXEMPT: Readonly<Record<string, string>> = {
  'src/storage/schema.ts#readU64': 'reads at a place that its callers, which are in the table, have checked',
  'src/node/config.ts#readConfig': 'reads a file and gives its text to parseConfig',
  'src/node/identity.ts#readIdentity': 'reads files and gives them to readLedgerStart and the readers of key files',
  'src/node/identity.ts#readGenesisFile': 'reads a file',
  'src/node/identity.ts#readStart': 'gives the bytes to readLedgerStart',
  'src/cli/restart-file.ts#readRestartFile': 'reads a file and gives it to readLedgerStart',
  'src/node/identity.ts#readFolderIdentity': 'opens a folder and calls readIdentity',
  'src/node/evidence.ts#decode': 'takes apart what this node encoded itself',
  'src/node/testnet-folder.ts#readTestnet': 'reads files and gives them to parseConfig and the readers of key files',
  'src/cli/fhir/read-bundles.ts#readBundles': 'reads files and gives them to parseBundle',
  'src/cli/key-folder.ts#readKeyFile': 'gives the file to readAccountKey',
  'src/cli/connect.ts#readLedger': 'asks a node through the client and gives its answer to readLedgerStart',
  'src/client/event-stream.ts#readEventStream': 'asynchronous; handlers.test.ts runs it',
  'src/node/payload-dag.ts#readPayload': 'asynchronous; handlers.test.ts runs it',
  'src/storage/start-state-file.ts#readStartState': 'asynchronous; restart/apply.test.ts changes a byte at every place',
  'src/node/start-state.ts#decode': 'a list and a certificate, by schemas that are in the table',
  'src/p2p/frame.ts#readFrame': 'asynchronous; handlers.test.ts runs it behind the request protocols',
  'src/p2p/channel.ts#readChannel': 'has a state; handlers.test.ts runs it',
  'src/node/verify-recent.ts#decode': 'certificates and sets of the store, by schemas that are in the table',
  'src/node/header-proof.ts#decode': 'the list of validators, a state value of the table, under its hash',
  'src/storage/attachment-items.ts#readAttachment': 'checks the stored bytes against their hash and decodes nothing',
  'src/storage/stored-ledger.ts#readStoredLedger': 'reads items by the decoders of schema.ts, which are in the table',
};
