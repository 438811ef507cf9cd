import type { FastifyInstance, FastifyReply } from 'fastify';
import { toHex } from '../../codec/bytes.ts';
import { decodeHeader } from '../../ledger/block.ts';
import type { NodePorts, StoredBlock } from '../../node/ports.ts';
import { ENDPOINTS } from '../contract/endpoints.ts';
import type { BlockEventView } from '../contract/schemas.ts';
import { ProblemError } from '../problem-response.ts';
import { routeOf } from '../route.ts';
import type { RouteContext } from './route-context.ts';

/** Committed blocks as they come. Each stream reads from the chain at its own pace, so none has a queue. */
export function eventRoutes(app: FastifyInstance, { ports, auth, closing, eventStreamsMax }: RouteContext): void {
  let streams = 0;
  app.route({
    ...routeOf('events', ENDPOINTS.events, auth),
    sse: 'only',
    preHandler: async (request) => {
      if (!/^$|text\/event-stream|text\/\*|\*\/\*/.test(request.headers.accept ?? ''))
        throw new ProblemError('notAcceptable');
    },
    handler: async (request, reply) => {
      const resumeAfter = request.headers['last-event-id'];
      if (resumeAfter !== undefined && !/^[0-9]{1,15}$/.test(String(resumeAfter)))
        throw new ProblemError('badParameter', 'Last-Event-ID is not a height.');
      if (streams >= eventStreamsMax) throw new ProblemError('tooManyStreams');
      streams += 1;
      try {
        const head = ports.status().height;
        await streamBlocks(ports, reply, resumeAfter === undefined ? head : Number(resumeAfter), head, closing);
      } finally {
        streams -= 1;
      }
    },
  });
}

async function streamBlocks(
  ports: NodePorts,
  reply: FastifyReply,
  after: number,
  head: number,
  closing: AbortSignal,
): Promise<void> {
  let newest = head;
  let isOpen = !closing.aborted;
  // What the loop below waits for now; none is left behind on a promise that outlives the stream.
  let wake = () => {};
  let giveUp = () => {};
  const stop = () => {
    isOpen = false;
    wake();
    giveUp();
  };
  reply.sse.onClose(stop);
  closing.addEventListener('abort', stop);
  const unsubscribe = ports.onBlock((event) => {
    newest = Math.max(newest, event.height);
    wake();
  });
  try {
    reply.sse.sendHeaders();
    // Else the client hears nothing, not even that it is connected, until the first block.
    reply.raw.flushHeaders();
    let sent = after;
    while (isOpen) {
      if (sent >= newest) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      const block = await ports.block(sent + 1);
      if (!isOpen) break;
      // Blocks that this node no longer has, or never had, are skipped as a whole and said to be.
      const message = block === undefined ? gapMessage(sent, newest) : blockMessage(block);
      sent = block === undefined ? newest : sent + 1;
      await new Promise<void>((resolve) => {
        giveUp = resolve;
        // A send that fails means that the client went away, which `stop` hears of as well.
        reply.sse.send(message).then(resolve, resolve);
      });
    }
  } finally {
    unsubscribe();
    closing.removeEventListener('abort', stop);
  }
}

function blockMessage(block: StoredBlock) {
  const data: BlockEventView = {
    height: block.height,
    hash: toHex(block.hash),
    timestampMs: decodeHeader(block.header).timestampMs,
    transactions: block.transactions.length,
  };
  return { id: String(block.height), event: 'block', data };
}

function gapMessage(after: number, upTo: number) {
  return { id: String(upTo), event: 'gap', data: { after, upTo } };
}
