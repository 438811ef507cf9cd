import { mapBounded } from './bounded.ts';
import type { LoadContext, LoadProgress } from './context.ts';
import { settle } from './settle.ts';

const BATCH = 100;
const BATCHES_AT_ONCE = 4;

/**
 * Sends what an earlier load had signed and not seen committed, exactly as it was signed, before anything new is.
 * Resolves with the marks of those that are on the ledger now; the others may be signed anew.
 */
export async function finishPending(context: LoadContext, progress: LoadProgress): Promise<readonly Uint8Array[]> {
  const pending = context.log.pending();
  if (pending.length === 0) return [];
  progress.stage('Records of an earlier load', pending.length);
  const batches = Array.from({ length: Math.ceil(pending.length / BATCH) }, (_, place) =>
    pending.slice(place * BATCH, (place + 1) * BATCH),
  );
  let done = 0;
  const settled = await mapBounded(batches, BATCHES_AT_ONCE, async (batch) => {
    const ends = await settle(context, context.nodes.any, batch);
    done += batch.length;
    progress.advance(done);
    return ends;
  });
  return settled.flat().flatMap(({ mark, fault }) => (fault === undefined ? [mark] : []));
}
