import type { FloodOrder, FloodReply } from './flood-process.ts';
import { flood } from './flooder.ts';

/** The flooder's process: takes one order from the parent, floods until told to stop, and reports. */
export function serveFlood(): void {
  const stopping = new AbortController();
  const reply = (message: FloodReply) => process.send?.(message);
  process.on('message', (message: FloodOrder | 'stop') => {
    if (message === 'stop') stopping.abort();
    else
      flood(message, stopping.signal).then(
        (report) => reply({ kind: 'flooded', report }),
        (error: Error) => reply({ kind: 'failed', message: error.stack ?? error.message }),
      );
  });
  process.on('disconnect', () => process.exit());
}
