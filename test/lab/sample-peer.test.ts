// The built-in peer and its sample: what it announces, and that a BGP speaker's handshake gets it.
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { noCapabilities } from '../../src/bgp/capabilities.ts';
import { decodeCapabilities, encodeCapabilities } from '../../src/bgp/capability-codec.ts';
import { Framer, messageType } from '../../src/bgp/framing.ts';
import { MessageType } from '../../src/bgp/iana.ts';
import { encodeKeepalive } from '../../src/bgp/messages/keepalive.ts';
import { decodeOpen, encodeOpen } from '../../src/bgp/messages/open.ts';
import { announcements, startSamplePeer } from '../../src/lab/sample-peer.ts';
import { sampleRoutes } from '../../src/lab/sample-routes.ts';
import { containsPrefix, formatPrefix, parsePrefix } from '../../src/net/prefix.ts';

/** RFC 5737, RFC 2544, RFC 3849. */
const reserved = [
  '192.0.2.0/24',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '198.18.0.0/15',
  '2001:db8::/32',
];

describe('the sample', () => {
  const prefixes = sampleRoutes().flatMap((group) => group.prefixes);

  it('holds a few hundred different prefixes', () => {
    expect(new Set(prefixes.map(formatPrefix)).size).toBe(prefixes.length);
    expect(prefixes.length).toBe(256 + 3 + 128);
  });

  it('stays inside the ranges kept for documentation and benchmarks', () => {
    const ranges = reserved.map((text) => parsePrefix(text)!);
    const outside = prefixes.filter((each) => !ranges.some((range) => containsPrefix(range, each)));
    expect(outside.map(formatPrefix)).toEqual([]);
  });
});

describe('the built-in peer', () => {
  it('opens the session and announces the sample, End-of-RIB last', async () => {
    const groups = sampleRoutes();
    await using peer = await startSamplePeer(groups);
    const expected = announcements(groups);
    const messages = await handshake(peer.port, 2 + expected.length);
    expect(messageType(messages[0]!)).toBe(MessageType.open);
    const capabilities = decodeCapabilities(decodeOpen(messages[0]!).capabilities);
    expect(capabilities.fourOctetAsn).toBe(65001);
    expect(capabilities.multiprotocol).toHaveLength(2);
    expect(messageType(messages[1]!)).toBe(MessageType.keepalive);
    expect(Buffer.concat(messages.slice(2))).toEqual(Buffer.concat(expected));
  });

  it('hangs up on what is not BGP', async () => {
    await using peer = await startSamplePeer([]);
    const socket = connect(peer.port, '127.0.0.1');
    socket.end('GET / HTTP/1.1\r\nHost: rutter\r\n\r\n');
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
      socket.on('error', () => resolve());
      socket.resume();
    });
    expect(socket.readyState).toBe('closed');
  });
});

/** Speaks as a peer would and returns the first messages. */
async function handshake(port: number, count: number): Promise<Uint8Array[]> {
  const socket = connect(port, '127.0.0.1');
  const framer = new Framer();
  const messages: Uint8Array[] = [];
  const capabilities = encodeCapabilities({ ...noCapabilities, fourOctetAsn: 64512 });
  socket.write(
    encodeOpen({ version: 4, asn: 64512, holdTimeSeconds: 90, routerId: 0x0a000001, capabilities }),
  );
  socket.write(encodeKeepalive());
  for await (const chunk of socket) {
    framer.push(chunk as Uint8Array);
    for (let message = framer.next(); message !== undefined; message = framer.next()) {
      messages.push(message);
    }
    if (messages.length >= count) break;
  }
  return messages;
}
