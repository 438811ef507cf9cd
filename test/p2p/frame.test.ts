import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { concatBytes } from '../../src/codec/bytes.ts';
import { DecodeError } from '../../src/codec/decode-error.ts';
import { FrameSplitter, framed } from '../../src/p2p/frame.ts';

const splitAll = (chunks: readonly Uint8Array[], maxBytes: number) => {
  const frames: Uint8Array[] = [];
  const splitter = new FrameSplitter(maxBytes, (frame) => frames.push(frame));
  for (const chunk of chunks) splitter.push(chunk);
  return { frames, splitter };
};

test('frames come out as they went in, however the bytes are cut', () => {
  const frame = fc.uint8Array({ maxLength: 300 });
  void fc.assert(
    fc.property(fc.array(frame, { maxLength: 12 }), fc.array(fc.integer({ min: 1, max: 200 })), (frames, sizes) => {
      const bytes = concatBytes(...frames.map((each) => framed(each, 300)));
      const chunks: Uint8Array[] = [];
      let start = 0;
      for (let i = 0; start < bytes.length; i += 1) {
        const size = sizes[i % sizes.length] ?? 1;
        chunks.push(bytes.subarray(start, start + size));
        start += size;
      }
      const split = splitAll(chunks, 300);
      assert.equal(
        split.frames.map((each) => [...each]),
        frames.map((each) => [...each]),
      );
      assert.is(split.splitter.incompleteFrame, undefined);
    }),
  );
});

test('the cap is checked when the length is read, whole or in pieces', () => {
  assert.is(splitAll([framed(new Uint8Array(100), 100)], 100).frames.length, 1);
  assert.throws(
    () => splitAll([framed(new Uint8Array(101), 101)], 100),
    (error: unknown) => error instanceof DecodeError,
  );
  const pieces = [Uint8Array.of(0), Uint8Array.of(0, 0), Uint8Array.of(101)];
  assert.throws(() => splitAll(pieces, 100), /101 bytes, at most 100/);
  assert.throws(() => framed(new Uint8Array(101), 100), RangeError);
});

test('an incomplete frame keeps its number until it is whole', () => {
  const { frames, splitter } = splitAll([framed(new Uint8Array(5), 9), Uint8Array.of(0, 0)], 9);
  const number = splitter.incompleteFrame;
  assert.ok(number !== undefined);
  splitter.push(Uint8Array.of(0, 1));
  assert.is(splitter.incompleteFrame, number);
  splitter.push(Uint8Array.of(8, 0, 0));
  assert.equal(frames[1], Uint8Array.of(8));
  assert.ok(splitter.incompleteFrame !== number);
});

test.run();
