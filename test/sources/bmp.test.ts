// BMP streams: a peer's session state from its Peer Up, damaged messages, and real streams. Single messages are in the fixtures
// (test/bgp/messages).
import { describe, expect, it } from 'vitest';
import { encodeOpen } from '../../src/bgp/messages/open.ts';
import { formatHex, parseHex } from '../../src/net/hex.ts';
import { BmpDecoder, bmpLength, type DescribedBmp } from '../../src/sources/bmp.ts';
import { bmpFraming, readFrames } from '../../src/sources/framed.ts';
import { dataDirectory, dataFiles, readWhole } from '../fixture-data.ts';

/** Global peer 192.0.2.2, AS 65001, at a fixed time. */
function peerHeader(flags = 0): string {
  return `00${flags.toString(16).padStart(2, '0')}${'00'.repeat(8)}${'00'.repeat(12)}c0000202 0000fde9 c0000202 65a95ba4 000003e8`;
}

function bmp(type: number, body: string, version = 3): Uint8Array {
  const bytes = parseHex(body)!;
  const length = (bytes.length + 6).toString(16).padStart(8, '0');
  return parseHex(`0${version}${length}0${type}${formatHex(bytes)}`)!;
}

function open(addPathMode: number): string {
  const capabilities = [
    { code: 65, value: parseHex('0000fde9')! },
    { code: 69, value: Uint8Array.of(0, 1, 1, addPathMode) },
  ];
  const message = {
    version: 4,
    asn: 65001,
    holdTimeSeconds: 90,
    routerId: 0xc0000201,
    capabilities,
  };
  return formatHex(encodeOpen(message));
}

const peerUp = (sent: number, received: number) =>
  bmp(3, `${peerHeader()}${'00'.repeat(12)}c0000201 00b3 9c40 ${open(sent)}${open(received)}`);

/** 198.51.100.0/24 with path identifier 7. */
const routeWithPathId = bmp(
  0,
  `${peerHeader()}${'ff'.repeat(16)}0033 02 0000 0014 40010100 400206020100 00fde9 400304c0000202 00000007 18c63364`,
);

describe('BmpDecoder', () => {
  it('reads path identifiers where the Peer Up negotiated them (RFC 7911 §4)', () => {
    const decoder = new BmpDecoder();
    decoder.read(peerUp(1, 2));
    expect(announced(decoder.read(routeWithPathId).message)).toEqual([
      { family: 'ipv4-unicast', prefix: '198.51.100.0/24', pathId: 7, nextHop: '192.0.2.2' },
    ]);
  });

  it('reads none where only the other direction has them', () => {
    const decoder = new BmpDecoder();
    decoder.read(peerUp(2, 1));
    expect(announced(decoder.read(routeWithPathId).message)).not.toContainEqual(
      expect.objectContaining({ pathId: 7 }),
    );
  });

  it('forgets a session with its Peer Down', () => {
    const decoder = new BmpDecoder();
    decoder.read(peerUp(1, 2));
    decoder.read(bmp(2, `${peerHeader()}04`));
    expect(announced(decoder.read(routeWithPathId).message)).not.toContainEqual(
      expect.objectContaining({ pathId: 7 }),
    );
  });

  it('reads a list without the negotiated path identifiers where it makes no sense with them', () => {
    // As FRR 8.4 and gobgp 3.10 write it
    const route = `${'ff'.repeat(16)}002f 02 0000 0014 40010100 400206020100 00fde9 400304c0000202 18c63364`;
    const decoder = new BmpDecoder();
    decoder.read(peerUp(1, 2));
    const { message } = decoder.read(bmp(0, peerHeader() + route));
    expect(message.update?.errors).toBeUndefined();
    expect(announced(message)).toEqual([
      { family: 'ipv4-unicast', prefix: '198.51.100.0/24', nextHop: '192.0.2.2' },
    ]);
  });

  it('believes what it is told over what was negotiated', () => {
    const decoder = new BmpDecoder({ addPath: new Set(['ipv4-unicast']) });
    expect(announced(decoder.read(routeWithPathId).message)?.[0]?.pathId).toBe(7);
  });

  it('reads 2-octet AS paths where the peer flag says so (RFC 7854 §4.2)', () => {
    const route = `${'ff'.repeat(16)}002d 02 0000 0012 40010100 400204 0201fde9 400304c0000202 18c63364`;
    const { message } = new BmpDecoder().read(bmp(0, peerHeader(0x20) + route));
    expect(message.update).toMatchObject({ attributes: { asPath: [65001] } });
  });

  it('names the text of an Initiation', () => {
    const { message } = new BmpDecoder().read(bmp(4, '0002 0003 787233'));
    expect(message).toMatchObject({ type: 'initiation', tlvs: [{ type: 2, text: 'xr3' }] });
  });

  it('steps over types it does not know', () => {
    const { message } = new BmpDecoder().read(bmp(9, '0102'));
    expect(message).toMatchObject({ type: 'unknown', typeCode: 9, data: '0102' });
  });

  it('shows a message up to where it is cut, and where that is', () => {
    const whole = peerUp(1, 2);
    const { message } = new BmpDecoder().read(whole.slice(0, 80), 1000);
    expect(message).toMatchObject({
      type: 'peerUp',
      peer: { address: '192.0.2.2' },
      localAddress: '192.0.2.1',
      errors: [{ offset: 1068 }],
    });
  });

  it('never throws, however a message is cut', () => {
    for (const whole of [peerUp(1, 2), routeWithPathId]) {
      for (let size = 6; size < whole.length; size++) {
        const { message } = new BmpDecoder().read(whole.slice(0, size));
        expect(message.errors ?? message.update?.errors).toBeDefined();
      }
    }
  });
});

describe('bmpLength', () => {
  it.each([
    ['BGP', 'ff'.repeat(6)],
    ['version 5', '050000000603'],
    ['a length below the header', '030000000503'],
    ['an absurd length', '037fffffff00'],
  ])('refuses %s', (_, hex) => {
    expect(bmpLength(parseHex(hex)!)).toBeUndefined();
  });
});

const streams = [...dataFiles('lab', /bmp.*\.bin(\.xz)?$/), ...dataFiles('bulk', /\.bmp(\.xz)?$/)];

describe.skipIf(streams.length === 0)(`streams of ${dataDirectory}`, () => {
  const decoder = new BmpDecoder();

  it.each(streams)('%s is whole and sound', async (file) => {
    const types = new Map<string, number>();
    const bytes = await readWhole(file);
    for await (const frame of readFrames(oneChunk(bytes), bmpFraming)) {
      const { message } = decoder.read(frame.bytes, frame.offset);
      expect(message.errors).toBeUndefined();
      expect(message.update?.errors).toBeUndefined();
      types.set(message.type, (types.get(message.type) ?? 0) + 1);
    }
    expect(types.get('peerUp')).toBeGreaterThan(0);
  });
});

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function announced({ update }: DescribedBmp) {
  return update?.type === 'update' ? update.announced : undefined;
}
