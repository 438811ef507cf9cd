import { fuzzApi } from './api-handler.ts';
import { fuzzCore, fuzzCoreStream } from './consensus-handler.ts';
import type { Counts } from './counts.ts';
import { fuzzBlockCheck, fuzzExecution } from './ledger-handler.ts';
import { fuzzIntake, fuzzServedBlocks } from './node-handler.ts';
import { fuzzChannel, fuzzRequests } from './peer-handler.ts';
import { fuzzEventStream, fuzzPayloadDag } from './stream-handler.ts';

/** Everything that takes messages of others, and how many of a thousand cases of a run each gets. */
export const HANDLERS: readonly {
  readonly name: string;
  readonly run: (seed: number, cases: number) => Counts | Promise<Counts>;
  readonly share: number;
}[] = [
  { name: 'consensus core, one message in each of its situations', run: fuzzCore, share: 200 },
  { name: 'consensus core, a stream of messages', run: fuzzCoreStream, share: 200 },
  { name: 'execution of transactions', run: fuzzExecution, share: 50 },
  { name: 'check of blocks', run: fuzzBlockCheck, share: 20 },
  { name: 'intake of transactions', run: fuzzIntake, share: 20 },
  { name: 'blocks served to one who is behind', run: fuzzServedBlocks, share: 100 },
  { name: 'channel between peers', run: fuzzChannel, share: 200 },
  { name: 'requests of peers', run: fuzzRequests, share: 80 },
  { name: 'HTTP interface', run: fuzzApi, share: 30 },
  { name: 'event stream in the client', run: fuzzEventStream, share: 50 },
  { name: 'DAG of a payload', run: fuzzPayloadDag, share: 50 },
];
