import type { TransactionStatusView } from '../../src/api/contract/schemas.ts';
import {
  type AccountIdentity,
  accountRegister,
  drawAccountSecrets,
  drawSalt,
  makeAccount,
  type NodeClient,
  NodeProblem,
  NodeUnreachable,
  recordCreate,
  type SignedTransaction,
  sealRecord,
  signTransaction,
  submitUntilFinal,
  transactionBody,
} from '../../src/client/index.ts';
import { fromHex, toHex, utf8 } from '../../src/codec/bytes.ts';
import { sodiumSigner } from '../../src/crypto/node/sign.ts';
import { recordIdOf } from '../../src/ledger/transaction.ts';
import type { Cluster } from './cluster.ts';

/** A transaction whose Committed status a node returned: from then on it may never be lost. */
export interface Acknowledged {
  readonly txId: string;
  readonly height: number;
  readonly index: number;
  /** When the answer came, in milliseconds of the monotonic clock. */
  readonly atMs: number;
}

/** Accounts on the ledger of a cluster that together make a record. */
export interface Parties {
  readonly organisation: AccountIdentity;
  readonly doctor: AccountIdentity;
  readonly patient: AccountIdentity;
}

const VALIDITY_MS = 300_000;
const WAIT_MS = 5_000;
/** Longer than a node waits for a commit: one that hangs or is cut off does not hold its clients. */
const ANSWER_MS = WAIT_MS + 3_000;
const RETRY_PAUSE_MS = 50;
const ASKED_AT_ONCE = 50;

/** Registers a doctor and a patient of the organisation of node `number`, through that node. */
export async function registerParties(cluster: Cluster, number: number): Promise<Parties> {
  const { organisation, client } = cluster.nodes[number]!;
  const doctor = makeAccount(drawAccountSecrets(), sodiumSigner);
  const patient = makeAccount(drawAccountSecrets(), sodiumSigner);
  const register = (identity: AccountIdentity, role: 'doctor' | 'patient'): SignedTransaction => {
    const home = { role, organisation: organisation.address, control: { kind: 'self' } } as const;
    const options = { validUntilMs: Date.now() + VALIDITY_MS, salt: drawSalt(), attachment: null };
    const body = transactionBody(accountRegister(identity, home), options);
    return signTransaction(cluster.genesisHash, body, [organisation, identity], null);
  };
  const statuses = await submitUntilFinal(client, [register(doctor, 'doctor'), register(patient, 'patient')]);
  const refused = statuses.find(({ status }) => status !== 'Committed');
  if (refused !== undefined) throw new Error(`an account was not registered: ${JSON.stringify(refused)}`);
  return { organisation, doctor, patient };
}

/** A record's transaction with a sealed attachment; the payload itself stays with its maker. */
export async function signRecord(
  genesisHash: Uint8Array,
  { organisation, doctor, patient }: Parties,
  validUntilMs = Date.now() + VALIDITY_MS,
): Promise<SignedTransaction> {
  const salt = drawSalt();
  const recipient = ({ address, keyDocument }: AccountIdentity) => ({ address, sealingKey: keyDocument.sealingKey });
  const { payload, attachment } = await sealRecord({
    genesisHash,
    recordId: recordIdOf(genesisHash, doctor.address, salt),
    version: 1,
    payload: utf8('{"resourceType":"Observation"}'),
    fields: {
      kind: 'Observation',
      codes: ['http://loinc.org|8867-4'],
      date: '2020-01-01T08:00:00Z',
      department: 'Cardiology',
      region: 'Bristol',
      title: 'Heart rate',
    },
    recipients: { author: recipient(doctor), patient: recipient(patient), organisation: recipient(organisation) },
  });
  const facts = { author: doctor.address, class: 1, retainUntilMs: validUntilMs, payload };
  const action = recordCreate({ ...facts, organisation: organisation.address, patient: patient.address });
  const body = transactionBody(action, { validUntilMs, salt, attachment });
  return signTransaction(genesisHash, body, [organisation, doctor], attachment);
}

/** What a load is beside its number of clients. */
export interface LoadOptions {
  /** How long a client rests after each commit. */
  readonly pauseMs?: number;
  /** Whether clients turn to the node with this number now; all of them when absent. */
  readonly uses?: (number: number) => boolean;
}

/** Clients that keep submitting records, `clients` at a time, each moving to the next node when its own fails. */
export class RecordLoad {
  readonly acknowledged: Acknowledged[] = [];
  /** What ended without a commit, in words: there should be nothing. */
  readonly faults: string[] = [];
  #isStopping = false;
  #isAbandoned = false;
  readonly #workers: Promise<void>[];

  constructor(cluster: Cluster, parties: readonly Parties[], clients: number, options: LoadOptions = {}) {
    this.#workers = Array.from({ length: clients }, (_, worker) =>
      this.#work(cluster, parties[worker % parties.length]!, worker, options).catch((error: unknown) => {
        this.faults.push(String(error));
      }),
    );
  }

  /** Resolves once so many more are acknowledged from now on. Throws at the deadline. */
  async more(count: number, deadlineMs: number): Promise<void> {
    const goal = this.acknowledged.length + count;
    const end = performance.now() + deadlineMs;
    while (this.acknowledged.length < goal) {
      if (performance.now() > end)
        throw new Error(`${goal - this.acknowledged.length} of ${count} commits still missing after ${deadlineMs} ms`);
      await pause(20);
    }
  }

  /** Longest time without an acknowledgement between two moments, in milliseconds. */
  longestGapMs(fromMs: number, toMs: number): number {
    const times = this.acknowledged.map(({ atMs }) => atMs).filter((atMs) => atMs >= fromMs && atMs <= toMs);
    const moments = [fromMs, ...times, toMs];
    return Math.max(...moments.slice(1).map((moment, place) => moment - moments[place]!));
  }

  /** Lets each client finish what it has sent. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#workers);
  }

  /** Ends the clients without waiting for what they have sent. */
  abandon(): void {
    this.#isStopping = true;
    this.#isAbandoned = true;
  }

  async #work(cluster: Cluster, parties: Parties, worker: number, options: LoadOptions): Promise<void> {
    const { pauseMs = 0, uses = () => true } = options;
    let node = worker;
    while (!this.#isStopping) {
      const transaction = await signRecord(cluster.genesisHash, parties);
      while (!this.#isAbandoned) {
        const number = node % cluster.nodes.length;
        const status = uses(number) ? await submitOnce(cluster.nodes[number]!.client, transaction) : undefined;
        if (status?.status === 'Committed') {
          const { height, index } = status;
          this.acknowledged.push({ txId: toHex(transaction.txId), height, index, atMs: performance.now() });
          break;
        }
        if (status?.status === 'Expired' || (status?.status === 'Rejected' && !status.retryable)) {
          this.faults.push(JSON.stringify(status));
          break;
        }
        node += 1;
        await pause(RETRY_PAUSE_MS);
      }
      if (pauseMs > 0) await pause(pauseMs);
    }
  }
}

/** One attempt at one node; undefined when it did not answer or was not ready. */
async function submitOnce(
  client: NodeClient,
  transaction: SignedTransaction,
): Promise<TransactionStatusView | undefined> {
  try {
    const [status] = await client.submit([transaction], WAIT_MS, AbortSignal.timeout(ANSWER_MS));
    // An earlier attempt, at a node that died or was slow, may have been applied.
    return status?.status === 'Rejected' && status.code === 'duplicateId'
      ? await client.transactionStatus(transaction.txId)
      : status;
  } catch (error) {
    if (error instanceof NodeUnreachable || (error instanceof NodeProblem && error.problem.retryable)) return undefined;
    // A node that dies in the middle of an answer.
    if (error instanceof TypeError || (error instanceof Error && error.name === 'TimeoutError')) return undefined;
    throw error;
  }
}

/**
 * What is wrong with acknowledged transactions at a node, in words; undefined when each is Committed exactly where it
 * was acknowledged.
 */
export async function lostAt(client: NodeClient, acknowledged: readonly Acknowledged[]): Promise<string | undefined> {
  const places = new Set<string>();
  for (let from = 0; from < acknowledged.length; from += ASKED_AT_ONCE) {
    const asked = acknowledged.slice(from, from + ASKED_AT_ONCE);
    const statuses = await Promise.all(asked.map(({ txId }) => client.transactionStatus(fromHex(txId))));
    for (const [order, { txId, height, index }] of asked.entries()) {
      const status = statuses[order]!;
      if (status.status !== 'Committed' || status.height !== height || status.index !== index)
        return `${txId} was acknowledged at ${height}/${index}, and is now ${JSON.stringify(status)}`;
      const place = `${height}/${index}`;
      if (places.has(place)) return `two acknowledged transactions stand at ${place}`;
      places.add(place);
    }
  }
  return undefined;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
