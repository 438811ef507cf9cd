import type { NodeClient } from '../../client/node-client.ts';
import { NodeProblem } from '../../client/node-error.ts';
import type { Holder } from '../key-folder.ts';
import { type SealedTransaction, sealNewRecord } from '../record-transaction.ts';
import { mapBounded } from './bounded.ts';
import type { LoadContext } from './context.ts';
import type { HospitalPlan, PlannedResource } from './plan.ts';
import type { LoadPeople } from './register-people.ts';
import type { LoadFailure } from './report.ts';
import { type LoggedTransaction, settle } from './settle.ts';

/** Records sealed, logged and sent together. */
const BATCH = 100;
/** Batches of one hospital that wait for their blocks while the next is sealed. */
const BATCHES_IN_FLIGHT = 4;
/** Records of one hospital that are sealed and put at a time. */
const SEALING_AT_ONCE = 6;
/** Meaning known to the organisation: all that comes from a bundle is of one class, so that it tells nothing. */
const RECORD_CLASS = 1;
/** How long a record is kept at least. */
const RETENTION_MS = 30 * 365.25 * 86_400_000;

/** The load of one hospital's resources: seals the next batch while those before it wait for their blocks. */
export class HospitalLoad {
  /** Resources that have ended, one way or another. */
  done = 0;
  readonly failures: LoadFailure[] = [];
  readonly #context: LoadContext;
  readonly #plan: HospitalPlan;
  readonly #people: LoadPeople;

  constructor(context: LoadContext, plan: HospitalPlan, people: LoadPeople) {
    this.#context = context;
    this.#plan = plan;
    this.#people = people;
  }

  /** Adds what is not on the ledger yet. Rejects when the load has to end; `onAdvance` follows every batch. */
  async run(onAdvance: () => void): Promise<void> {
    const { log, nodes, patience } = this.#context;
    const { organisation } = this.#plan;
    const open = this.#plan.resources.filter(({ mark }) => log.resource(mark) === undefined);
    if (organisation === undefined || open.length === 0) return;
    const node = nodes.of(organisation);
    const inFlight = new Set<Promise<void>>();
    try {
      for (let start = 0; start < open.length; start += BATCH) {
        if (inFlight.size >= BATCHES_IN_FLIGHT) await Promise.race(inFlight);
        const signed = await this.#seal(node, organisation, open.slice(start, start + BATCH));
        onAdvance();
        const sent: Promise<void> = this.#send(node, signed).then(() => {
          inFlight.delete(sent);
          onAdvance();
        });
        // Awaited by the race or at the end; until then a failure must not count as unhandled.
        sent.catch(() => undefined);
        inFlight.add(sent);
      }
      await Promise.all(inFlight);
    } catch (error) {
      // The other hospitals end too; whoever was first to fail says why.
      patience.giveUp(error);
      await Promise.allSettled(inFlight);
      throw patience.signal.reason;
    }
  }

  /** Seals, puts the payloads and signs; on return all of it stands in the log and may be sent. */
  async #seal(
    node: NodeClient,
    organisation: Holder,
    batch: readonly PlannedResource[],
  ): Promise<readonly (LoggedTransaction & { readonly planned: PlannedResource })[]> {
    const sealed = await mapBounded(batch, SEALING_AT_ONCE, async (planned) => {
      const signed = await this.#context.sealing.time(() => this.#sealOne(planned, organisation));
      const isPut = typeof signed !== 'string' && (await this.#put(node, planned, signed));
      if (typeof signed === 'string') this.#fail(planned, signed);
      return isPut ? [{ mark: planned.mark, transaction: signed.transaction, planned }] : [];
    });
    const logged = sealed.flat();
    await this.#context.log.append(
      logged.map(({ mark, transaction: { txId, validUntilMs, encoded, attachment } }) => {
        if (attachment === null) throw new Error('a record without an attachment');
        return { kind: 'Signed', mark, txId, validUntilMs, encoded, attachment };
      }),
    );
    return logged;
  }

  /** The signed record, or why the resource can not become one. */
  async #sealOne(planned: PlannedResource, organisation: Holder): Promise<SealedTransaction | string> {
    const { ledger, nowMs, validUntilMs } = this.#context;
    const patient = this.#people.patient(planned, organisation).identity;
    try {
      return await sealNewRecord({
        genesisHash: ledger.genesisHash,
        author: this.#people.author(planned, organisation).identity,
        organisation: organisation.identity,
        patient: { address: patient.address, sealingKey: patient.keyDocument.sealingKey },
        payload: planned.resource.payload,
        fields: planned.resource.fields,
        class: RECORD_CLASS,
        retainUntilMs: nowMs() + RETENTION_MS,
        validUntilMs: validUntilMs(),
      });
    } catch (error) {
      if (error instanceof RangeError) return error.message;
      throw error;
    }
  }

  async #put(node: NodeClient, planned: PlannedResource, { cid, ciphertext }: SealedTransaction): Promise<boolean> {
    const { patience, sending } = this.#context;
    try {
      await sending.time(() => patience.untilAnswered((signal) => node.putPayload(cid, ciphertext, signal)));
      patience.advanced();
      return true;
    } catch (error) {
      if (!(error instanceof NodeProblem) || error.code !== 'bodyTooLarge') throw error;
      this.#fail(planned, error.message);
      return false;
    }
  }

  async #send(
    node: NodeClient,
    batch: readonly (LoggedTransaction & { readonly planned: PlannedResource })[],
  ): Promise<void> {
    if (batch.length === 0) return;
    const settled = await settle(this.#context, node, batch);
    for (const [place, { fault }] of settled.entries()) {
      if (fault === undefined) this.done += 1;
      else this.#fail(batch[place]!.planned, fault);
    }
  }

  #fail({ resource }: PlannedResource, reason: string): void {
    this.done += 1;
    this.failures.push({ resource: `${resource.type}/${resource.id}`, reason });
  }
}
