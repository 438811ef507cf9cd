/** One server-sent event. */
export interface StreamEvent {
  /** Last id seen so far, which resumes the stream; empty when none was sent. */
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** Longest event that is taken; a longer one is no event of this API. */
const EVENT_CHARS_MAX = 64 * 1024;

/**
 * The events in a response body of the type text/event-stream (WHATWG HTML, "Server-sent events"). Ends with the
 * body. Throws a RangeError on an event over EVENT_CHARS_MAX.
 */
export async function* readEventStream(body: AsyncIterable<Uint8Array>): AsyncGenerator<StreamEvent> {
  const decoder = new TextDecoder();
  let rest = '';
  let id = '';
  for await (const part of body) {
    rest += decoder.decode(part, { stream: true });
    const blocks = rest.replace(/\r\n?/g, '\n').split('\n\n');
    rest = blocks.pop() ?? '';
    if (rest.length > EVENT_CHARS_MAX) throw new RangeError('an event of the stream is too long');
    for (const block of blocks) {
      const fields = readFields(block);
      id = fields.get('id') ?? id;
      const data = fields.get('data');
      if (data !== undefined) yield { id, event: fields.get('event') ?? 'message', data };
    }
  }
}

function readFields(block: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const [, name, value] = /^([a-z]+)(?:: ?(.*))?$/.exec(line) ?? [];
    if (name === undefined) continue; // a comment, which keeps the connection open
    const before = fields.get(name);
    fields.set(name, name === 'data' && before !== undefined ? `${before}\n${value ?? ''}` : (value ?? ''));
  }
  return fields;
}
