// Messages out of byte chunks, however the chunks were cut.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeEndOfRib } from '../../src/bgp/messages/update.ts';
import {
  bgpFraming,
  type Frame,
  type Framing,
  readFrames,
  skipToMarker,
} from '../../src/sources/framed.ts';

const messages = [encodeEndOfRib('ipv4-unicast'), encodeEndOfRib('ipv6-unicast')];
const stream = Buffer.concat([...messages, ...messages]);

async function* inChunks(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const ends = [...cuts].sort((a, b) => a - b);
  for (const [index, start] of [0, ...ends].entries()) yield bytes.slice(start, ends[index]);
}

async function framesOf(chunks: AsyncIterable<Uint8Array>, framing: Framing = bgpFraming) {
  const frames: Frame[] = [];
  let error: unknown;
  try {
    for await (const { offset, bytes } of readFrames(chunks, framing)) {
      frames.push({ offset, bytes: bytes.slice() });
    }
  } catch (caught) {
    error = caught;
  }
  return { frames, error };
}

describe('frames', () => {
  it('are the same wherever the chunks are cut', async () => {
    const cuts = fc.array(fc.nat({ max: stream.length }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(cuts, async (places) => {
        const { frames, error } = await framesOf(inChunks(stream, places));
        expect(error).toBeUndefined();
        expect(frames.map(({ offset }) => offset)).toEqual([0, 23, 53, 76]);
        expect(Buffer.concat(frames.map(({ bytes }) => bytes))).toEqual(stream);
      }),
    );
  });

  it('come before the error of a cut input, which says where', async () => {
    const { frames, error } = await framesOf(inChunks(stream.subarray(0, 60), []));
    expect(frames).toHaveLength(2);
    expect(error).toMatchObject({ code: 'truncated', offset: 53 });
  });

  it('come before the error of an input that goes on with something else', async () => {
    const { frames, error } = await framesOf(
      inChunks(Buffer.concat([messages[0]!, Buffer.alloc(40, 7)]), []),
    );
    expect(frames).toHaveLength(1);
    expect(error).toMatchObject({ code: 'lost-framing', offset: 23 });
  });
});

describe('skipToMarker', () => {
  it('finds the first header of a stream joined in the middle', async () => {
    const cuts = fc.array(fc.nat({ max: stream.length - 5 }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(cuts, async (places) => {
        let skipped = 0;
        const chunks = skipToMarker(inChunks(stream.subarray(17), places), (byteCount) => {
          skipped = byteCount;
        });
        const { frames, error } = await framesOf(chunks);
        expect(error).toBeUndefined();
        expect(skipped).toBe(6);
        expect(frames).toHaveLength(3);
      }),
    );
  });
});
