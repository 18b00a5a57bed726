// The objects of `rutter decode`: kinds told apart, damage reported after what could be read. The judge is not under test here.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeEndOfRib } from '../../src/bgp/messages/update.ts';
import { type DecodeOptions, decodeRecords } from '../../src/cli/decode-records.ts';
import { parseHex } from '../../src/net/hex.ts';
import { readBytes } from '../../src/sources/compression.ts';
import { dataDirectory, dataFiles } from '../fixture-data.ts';

const options: DecodeOptions = { kind: undefined, fourOctetAs: true, addPath: undefined };
const keepalive = parseHex(`${'ff'.repeat(16)}001304`)!;
const endOfRib = encodeEndOfRib('ipv6-unicast');
const initiation = parseHex('030000000d0400020003787233')!;

async function decode(
  input: Uint8Array | AsyncIterable<Uint8Array>,
  changes: Partial<DecodeOptions> = {},
) {
  const chunks = input instanceof Uint8Array ? oneChunk(input) : input;
  const records: Record<string, unknown>[] = [];
  let error: unknown;
  const all = decodeRecords(chunks, { ...options, ...changes }, () => ({ outcome: 'judged' }));
  try {
    for await (const record of all) records.push(record as Record<string, unknown>);
  } catch (caught) {
    error = caught;
  }
  return { records, error };
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

describe('decodeRecords', () => {
  it('reads BGP messages back to back, with a verdict on every UPDATE', async () => {
    const { records, error } = await decode(Buffer.concat([keepalive, endOfRib]));
    expect(error).toBeUndefined();
    expect(records).toMatchObject([
      { kind: 'bgp', offset: 0, type: 'keepalive' },
      {
        kind: 'bgp',
        offset: 19,
        type: 'update',
        endOfRib: 'ipv6-unicast',
        verdict: { outcome: 'judged' },
      },
    ]);
  });

  it('tells BMP by its version and length', async () => {
    const { records } = await decode(initiation);
    expect(records).toMatchObject([{ kind: 'bmp', type: 'initiation' }]);
  });

  it('takes everything else as MRT', async () => {
    const stateChange =
      '65a95ba4 0010 0005 00000018 0000fde9 0000fc00 0000 0001 c0000201 c0000202 0001 0006';
    const { records, error } = await decode(parseHex(stateChange)!);
    expect(error).toBeUndefined();
    expect(records).toMatchObject([
      { kind: 'mrt', recordType: 'BGP4MP/STATE_CHANGE_AS4', newState: 6 },
    ]);
  });

  it('keeps the microseconds of an extended MRT timestamp (RFC 6396 §3)', async () => {
    const record =
      '65a95ba4 0011 0005 0000001c 0001e23f 0000fde9 0000fc00 0000 0001 c0000201 c0000202 0001 0006';
    const { records } = await decode(parseHex(record)!);
    expect(records).toMatchObject([{ timestamp: '2024-01-18T17:11:00.123455Z' }]);
  });

  it('gives out what came before a cut, then the error with its offset', async () => {
    const { records, error } = await decode(Buffer.concat([keepalive, endOfRib.subarray(0, 25)]));
    expect(records).toHaveLength(1);
    expect(error).toMatchObject({ code: 'truncated', offset: 19 });
  });

  it('goes on behind a message that is wrong inside, then says so', async () => {
    const wrong = parseHex(`${'ff'.repeat(16)}001d02000000064001010040 02`)!;
    const { records, error } = await decode(Buffer.concat([wrong, keepalive]));
    expect(records).toMatchObject([{ errors: [{ offset: 29 }] }, { type: 'keepalive' }]);
    expect(error).toMatchObject({ code: 'malformed-input', offset: 29 });
  });

  it('joins a TCP stream in the middle of a message', async () => {
    const input = Buffer.concat([endOfRib.subarray(20), keepalive]);
    const { records, error } = await decode(input, { kind: 'stream' });
    expect(records).toMatchObject([{ type: 'keepalive' }]);
    expect(error).toMatchObject({
      message: expect.stringContaining('10 bytes before the first BGP header'),
    });
  });

  it('says that an empty input is nothing', async () => {
    expect(await decode(new Uint8Array(0))).toEqual({ records: [], error: undefined });
  });
});

const mrtFiles = dataFiles('mrt', /^(rib|updates)\/[^/]*\.mrt$/);

describe.skipIf(mrtFiles.length === 0)(`MRT of ${dataDirectory}`, () => {
  it.each(mrtFiles)('%s becomes objects without a fault', async (file) => {
    const { records, error } = await decode(readBytes(join(dataDirectory, file)));
    expect(error).toBeUndefined();
    expect(records.length).toBeGreaterThan(1);
    expect(records.every(({ kind }) => kind === 'mrt')).toBe(true);
  });
});
