import type { Stream, StreamMuxerFactory } from '@libp2p/interface';

/** What Yamux makes its streams with. */
interface StreamMaker {
  _newStream(...details: readonly unknown[]): Stream & { sendWindowUpdate(): void };
}

/**
 * Yamux as it is, but for this: it opens streams, and tells their windows, in turns of its own, where what is thrown
 * ends the process. On a connection that was closed for writing a moment before, that is nothing: its end is on its
 * way to every stream. On another muxer nothing changes.
 */
export function withQuietWindows(makeFactory: () => StreamMuxerFactory): () => StreamMuxerFactory {
  return () => {
    const factory = makeFactory();
    const createStreamMuxer = factory.createStreamMuxer.bind(factory);
    factory.createStreamMuxer = (connection) => {
      const muxer = createStreamMuxer(connection);
      const maker = muxer as Partial<StreamMaker>;
      const make = maker._newStream?.bind(muxer);
      if (make !== undefined) maker._newStream = (...details) => quiet(make(...details));
      return muxer;
    };
    return factory;
  };
}

function quiet(stream: ReturnType<StreamMaker['_newStream']>): typeof stream {
  const update = stream.sendWindowUpdate.bind(stream);
  stream.sendWindowUpdate = () => {
    try {
      update();
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'StreamStateError') throw error;
    }
  };
  return stream;
}
