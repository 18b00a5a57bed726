// A small BGP speaker on loopback that accepts a session, announces the sample and keeps the session alive (RFC 4271).
//
// It stands in for a router where none can be started. Not here: connecting by itself, collision detection, anything learned.
import { createServer, type Server, type Socket } from 'node:net';
import { noCapabilities } from '../bgp/capabilities.ts';
import { encodeCapabilities } from '../bgp/capability-codec.ts';
import { Framer, messageType } from '../bgp/framing.ts';
import { MAX_MESSAGE_SIZE, MessageType } from '../bgp/iana.ts';
import { encodeKeepalive } from '../bgp/messages/keepalive.ts';
import { encodeOpen } from '../bgp/messages/open.ts';
import { encodeAnnouncement, encodeEndOfRib } from '../bgp/messages/update.ts';
import { familyNumbers } from '../net/address-family.ts';
import { type SampleGroup, sampleAsn } from './sample-routes.ts';

const families = ['ipv4-unicast', 'ipv6-unicast'] as const;
const holdTimeSeconds = 90;
const session = { fourOctetAs: true, maxMessageBytes: MAX_MESSAGE_SIZE } as const;

export interface SamplePeer extends AsyncDisposable {
  readonly port: number;
}

/** Listens on a port of 127.0.0.1 that the system chooses, and announces the groups in every session. */
export async function startSamplePeer(groups: readonly SampleGroup[]): Promise<SamplePeer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    speak(socket, groups);
  });
  const port = await listen(server);
  return {
    port,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('no port was given'));
      else resolve(address.port);
    });
  });
}

/** One session. The first KEEPALIVE of the other side makes it Established; whatever is wrong with a message ends it. */
function speak(socket: Socket, groups: readonly SampleGroup[]): void {
  const framer = new Framer();
  let isEstablished = false;
  socket.write(openMessage());
  const keepalive = setInterval(() => socket.write(encodeKeepalive()), holdTimeSeconds * 333);
  socket.once('close', () => clearInterval(keepalive));
  // A reset by the other side ends the session like a close.
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    framer.push(chunk);
    try {
      for (let message = framer.next(); message !== undefined; message = framer.next()) {
        const type = messageType(message);
        if (type === MessageType.open) socket.write(encodeKeepalive());
        if (type === MessageType.notification) socket.end();
        if (type === MessageType.keepalive && !isEstablished) {
          isEstablished = true;
          for (const update of announcements(groups)) socket.write(update);
        }
      }
    } catch {
      // Not BGP, or a broken message: a stand-in for a router need not explain itself.
      socket.destroy();
    }
  });
}

function openMessage(): Uint8Array {
  return encodeOpen({
    version: 4,
    asn: sampleAsn,
    holdTimeSeconds,
    routerId: 0xc0000201, // 192.0.2.1
    capabilities: encodeCapabilities({
      ...noCapabilities,
      multiprotocol: families.map(familyNumbers),
      fourOctetAsn: sampleAsn,
      fqdn: { hostName: 'sample-peer', domainName: '' },
    }),
  });
}

/** Every message after the session is up: the routes, then End-of-RIB per family (RFC 4724 §2). */
export function announcements(groups: readonly SampleGroup[]): Uint8Array[] {
  return [
    ...groups.flatMap(({ prefixes, attributes }) =>
      encodeAnnouncement(prefixes, attributes, session),
    ),
    ...families.map(encodeEndOfRib),
  ];
}
