// MRT data that is cut, damaged or strange: what is sound is read, the rest is reported with its place.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readMrt } from '../../src/sources/mrt.ts';
import type { MrtReadOptions } from '../../src/sources/mrt-types.ts';
import { MrtError, type MrtRecord } from '../../src/sources/mrt-types.ts';
import { updatesOf } from '../../src/sources/mrt-updates.ts';

function record(
  type: number,
  subtype: number,
  body: readonly number[],
  length = body.length,
): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt32BE(1_700_000_000, 0);
  header.writeUInt16BE(type, 4);
  header.writeUInt16BE(subtype, 6);
  header.writeUInt32BE(length, 8);
  return Buffer.concat([header, Buffer.from(body)]);
}

const keepalive = [...new Array(16).fill(0xff), 0, 19, 4];
const session = [0xfd, 0xe8, 0xfd, 0xe9, 0, 0, 0, 1, 10, 0, 0, 1, 10, 0, 0, 2];
const sound = record(16, 1, [...session, ...keepalive]);

async function read(
  bytes: Uint8Array,
  options: MrtReadOptions = {},
  chunkSize = bytes.length || 1,
) {
  const records: MrtRecord[] = [];
  async function* chunks() {
    for (let i = 0; i < bytes.length; i += chunkSize) yield bytes.subarray(i, i + chunkSize);
  }
  let error: unknown;
  try {
    for await (const item of readMrt(chunks(), options)) records.push(item);
  } catch (cause) {
    error = cause;
  }
  return { records, error: error as MrtError | undefined };
}

describe('MRT framing', () => {
  it('reads the same records whatever the chunks', async () => {
    const file = Buffer.concat([
      sound,
      record(17, 1, [0, 1, 2, 3, ...session, ...keepalive]),
      sound,
    ]);
    const whole = await read(file);
    expect(whole.records.map(({ offset }) => offset)).toEqual([
      0,
      sound.length,
      2 * sound.length + 4,
    ]);
    for (const chunkSize of [1, 2, 11, 12, 13, 60]) {
      expect(await read(file, {}, chunkSize)).toEqual(whole);
    }
  });

  it('adds the microseconds of extended types', async () => {
    const { records } = await read(record(17, 1, [0, 1, 2, 3, ...session, ...keepalive]));
    expect(records[0]).toMatchObject({ kind: 'message', timestamp: 1_700_000_000_066_051 });
  });

  it.each([1, 11, 12, 40, sound.length - 1])(
    'reports a file that ends %i bytes into a record',
    async (size) => {
      const { records, error } = await read(Buffer.concat([sound, sound.subarray(0, size)]));
      expect(records).toHaveLength(1);
      expect(error).toMatchObject({ code: 'truncated', offset: sound.length });
      expect(error?.message).toMatch(new RegExp(`${size} of .* at byte ${sound.length}$`));
    },
  );

  it('stops where a length cannot be one, without waiting for the bytes', async () => {
    const { records, error } = await read(Buffer.concat([sound, record(16, 1, [], 0xffff_ffff)]));
    expect(records).toHaveLength(1);
    expect(error).toMatchObject({ code: 'lost-framing', offset: sound.length });
  });

  it('says that a text is not MRT', async () => {
    const { error } = await read(Buffer.from('10.0.0.0/8 192.0.2.1\n10.1.0.0/16 192.0.2.1\n'));
    expect(error?.message).toMatch(/^not MRT: record type \d+ at byte 0$/);
  });

  it('steps over unknown types by their length and names them', async () => {
    const { records } = await read(
      Buffer.concat([record(11, 0, [1, 2, 3]), record(13, 99, [1]), sound]),
    );
    expect(records).toMatchObject([
      { kind: 'unknown', name: 'OSPFv2/0' },
      { kind: 'unknown', name: 'TABLE_DUMP_V2/99' },
      { kind: 'message' },
    ]);
  });

  it.each([
    [
      'an address family that is none',
      record(16, 1, [...session.slice(0, 7), 9, ...keepalive]),
      /address family 9/,
    ],
    ['a body that ends early', record(16, 1, session.slice(0, 9)), /4 bytes expected, 1 left/],
    [
      'a message longer than its record',
      record(16, 1, [...session, ...keepalive.slice(0, 17), 20, 4]),
      /message length 20 in 19/,
    ],
    [
      'a message of no length',
      record(16, 1, [...session, ...keepalive.slice(0, 16), 0, 0, 4]),
      /message length 0/,
    ],
    [
      'a prefix length beyond the family',
      record(13, 2, [0, 0, 0, 0, 33, 1, 2, 3, 4, 5, 0, 0]),
      /prefix length 33/,
    ],
    [
      'a prefix length beyond the family, TABLE_DUMP',
      record(12, 1, [0, 0, 0, 0, 1, 2, 3, 4, 33, ...new Array(20).fill(0)]),
      /prefix length 33/,
    ],
    ['more entries than there are', record(13, 2, [0, 0, 0, 0, 8, 10, 0, 2, 0, 0]), /expected/],
    ['bytes behind the last entry', record(13, 2, [0, 0, 0, 0, 8, 10, 0, 0, 7]), /1 bytes behind/],
    ['a peer table cut short', record(13, 1, [1, 1, 1, 1, 0, 0, 0, 9]), /expected/],
    ['an extended record without its microseconds', record(17, 1, [0, 0]), /4 bytes expected/],
  ])('goes on behind %s', async (_, bytes, reason) => {
    const { records, error } = await read(Buffer.concat([bytes, sound]));
    expect(error).toBeUndefined();
    expect(records).toMatchObject([
      { kind: 'broken', reason: expect.stringMatching(reason) },
      { kind: 'message', offset: bytes.length },
    ]);
  });

  it('takes any bytes without a failure of its own', async () => {
    const body = fc.uint8Array({ maxLength: 80 });
    const type = fc.constantFrom(5, 12, 13, 16, 17, 11, 200);
    const damaged = fc.tuple(type, fc.nat(13), body, fc.integer({ min: -3, max: 3 }));
    await fc.assert(
      fc.asyncProperty(fc.array(damaged, { maxLength: 8 }), async (items) => {
        const file = Buffer.concat(
          items.map(([kind, subtype, bytes, slip]) =>
            record(kind, subtype, [...bytes], Math.max(0, bytes.length + slip)),
          ),
        );
        const { records, error } = await read(file);
        for (const item of records) for (const _ of updatesOf(item)) void _;
        expect(error === undefined || error instanceof MrtError).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
