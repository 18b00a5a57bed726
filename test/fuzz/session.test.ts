// BGP sessions under hostile input: a peer that sends noise, lies and torn messages before and after Established, to a speaker with
// the real route core behind it. Nothing may be thrown, every end comes with a NOTIFICATION, and the next session works.
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { POLICY_ACCEPT } from '../../assembly/abi.ts';
import { noCapabilities } from '../../src/bgp/capabilities.ts';
import { encodeCapabilities } from '../../src/bgp/capability-codec.ts';
import { frame } from '../../src/bgp/framing.ts';
import { encodeKeepalive } from '../../src/bgp/messages/keepalive.ts';
import { encodeOpen } from '../../src/bgp/messages/open.ts';
import { Speaker } from '../../src/bgp/speaker.ts';
import type { ReceivedChunk, UpdateReceiver } from '../../src/bgp/update-receiver.ts';
import { loadCore } from '../../src/core/core.ts';
import type { RouteCore } from '../../src/core/route-core.ts';
import { type MemoryConnection, MemoryNetwork } from '../bgp/memory-transport.ts';
import { VirtualClock } from '../bgp/virtual-clock.ts';
import { mutate, mutateBody, nudge, tear } from './mutate.ts';
import { Random } from './random.ts';
import { builtInMessages, recordedMessages } from './seed-messages.ts';

const ourAddress = Uint8Array.of(192, 0, 2, 1);
const theirAddress = Uint8Array.of(192, 0, 2, 2);
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined };
const families = ['ipv4-unicast', 'ipv6-unicast', 'l2vpn-evpn'] as const;
const RUNS = 1500;

const open = encodeOpen({
  version: 4,
  asn: 65001,
  holdTimeSeconds: 90,
  routerId: 2,
  capabilities: encodeCapabilities({
    ...noCapabilities,
    fourOctetAsn: 65001,
    routeRefresh: true,
    enhancedRouteRefresh: true,
    extendedMessage: true,
    multiprotocol: [
      { afi: 1, safi: 1 },
      { afi: 2, safi: 1 },
      { afi: 25, safi: 70 },
    ],
  }),
});

/** IPv4 and IPv6 routes, a withdrawal. */
function soundMessages(): Uint8Array[] {
  const messages = builtInMessages();
  return [messages[0]!, messages[2]!, messages[6]!];
}

/** What a peer's session writes its UPDATEs to. */
class CoreReceiver implements UpdateReceiver {
  readonly #core: RouteCore;

  constructor(core: RouteCore) {
    this.#core = core;
  }

  open(session: Parameters<UpdateReceiver['open']>[0]): void {
    this.#core.openPeer(1, session);
  }

  receive(chunk: Uint8Array): ReceivedChunk {
    return this.#core.receive(1, chunk, 1);
  }

  resume(): ReceivedChunk {
    return this.#core.resume(1);
  }

  close(retain: Parameters<UpdateReceiver['close']>[0]): void {
    this.#core.closePeer(1, retain);
    while (this.#core.work(100_000));
  }

  beginRefresh(family: (typeof families)[number]): void {
    this.#core.beginRefresh(1, family);
  }

  endRefresh(family: (typeof families)[number]): void {
    this.#core.endRefresh(1, family);
  }
}

let seeds: Uint8Array[];
beforeAll(async () => {
  seeds = [...builtInMessages(), open, open, open, ...(await recordedMessages())];
});

let clock: VirtualClock;
let network: MemoryNetwork;
let speaker: Speaker;
let core: RouteCore;
let sent: Uint8Array[];
beforeEach(async () => {
  clock = new VirtualClock();
  network = new MemoryNetwork(clock);
  core = await loadCore({ maximumBytes: 16 * 2 ** 20 });
  core.addNetwork(1, { med: 'always', multipath: 4, multipathRelax: true });
  core.addPeer(1, {
    network: 1,
    address: theirAddress,
    asn: 65001,
    localAsn: 64512,
    localRouterId: 1,
    interfaceIndex: 0,
    importPolicy: POLICY_ACCEPT,
    enforceFirstAs: true,
    maxPrefixes: {},
  });
  speaker = new Speaker({
    asn: 64512,
    routerId: 1,
    listen: [{ address: ourAddress, port: 179 }],
    log: quiet,
    clock,
    transport: network.host(ourAddress),
    random: () => 1,
  });
  const peer = {
    name: 'them',
    address: theirAddress,
    asn: 'external',
    families,
    passive: true,
  } as const;
  speaker.addPeer(peer, new CoreReceiver(core), {});
  await speaker.start();
  clock.advance(0);
});

/** A new connection from the peer, as soon as it is taken. */
function dial(): MemoryConnection {
  clock.advance(600_000); // past any time the peer is held back after a failure
  const connection = network.dial(theirAddress, ourAddress)!;
  sent = [];
  connection.attach({
    received: (chunk) => void sent.push(chunk.slice()),
    drained: () => undefined,
    closed: () => undefined,
  });
  clock.settle();
  return connection;
}

function send(connection: MemoryConnection, ...chunks: readonly Uint8Array[]): void {
  for (const chunk of chunks) connection.write(chunk);
  clock.settle();
}

function establish(): MemoryConnection {
  const connection = dial();
  send(connection, open, encodeKeepalive());
  expect(speaker.peers()[0]!.state).toBe('established');
  return connection;
}

/** The code and subcode of the NOTIFICATION the peer was sent last. */
function notification(): number[] | undefined {
  const bytes = Buffer.concat(sent);
  let found: number[] | undefined;
  for (let at = 0; at + 19 <= bytes.length; at += bytes.readUInt16BE(at + 16)) {
    if (bytes[at + 18] === 3) found = [bytes[at + 19]!, bytes[at + 20]!];
  }
  return found;
}

/** The peer's own NOTIFICATION: there is no answer to one. */
function received(): number | undefined {
  const { lastNotification } = speaker.peers()[0]!;
  return lastNotification?.direction === 'received' ? lastNotification.code : undefined;
}

function noise(random: Random): Uint8Array {
  const seed = random.pick(seeds);
  switch (random.below(6)) {
    case 0:
      return random.bytes(1 + random.below(200));
    case 1:
      return mutate(random, seed, seeds);
    case 2:
      return mutateBody(random, seed, seeds);
    case 3:
      return frame(1 + random.below(6), random.bytes(random.below(60)));
    case 4:
      return nudge(random, open);
    default:
      return nudge(random, seed);
  }
}

describe('a session under hostile input', () => {
  it('survives any bytes before Established', () => {
    const random = new Random(21);
    for (let run = 0; run < RUNS; run++) {
      const connection = dial();
      const bytes = Buffer.concat([random.chance(2) ? open : noise(random), noise(random)]);
      send(connection, ...tear(random, bytes));
      if (connection.isClosed) expect(notification() ?? received()).toBeDefined();
      connection.close();
      clock.settle();
    }
    establish();
  });

  it('survives any bytes after Established', () => {
    const random = new Random(22);
    let resets = 0;
    for (let run = 0; run < RUNS; run++) {
      const connection = establish();
      for (let i = 0; i < 5 && !connection.isClosed; i++) {
        send(connection, ...tear(random, noise(random)));
      }
      if (connection.isClosed) resets++;
      connection.close();
      clock.settle();
    }
    expect(resets).toBeGreaterThan(RUNS / 4);
    establish();
    expect(core.memory().routeCount).toBe(0);
  });

  it('takes a session one byte at a time', () => {
    const connection = dial();
    const bytes = Buffer.concat([open, encodeKeepalive(), ...soundMessages()]);
    for (const byte of bytes) send(connection, Uint8Array.of(byte));
    expect(speaker.peers()[0]!.state).toBe('established');
    expect(core.memory().routeCount).toBe(5);
  });

  it('holds no more than one message of a peer that claims much and sends it slowly', () => {
    const connection = establish();
    const before = core.memory().usedBytes;
    const header = frame(2, new Uint8Array(65_535 - 19)).subarray(0, 60_000);
    for (let at = 0; at < header.length; at += 100) {
      send(connection, header.subarray(at, at + 100));
    }
    expect(core.memory().usedBytes - before).toBeLessThanOrEqual(65_536);
    clock.advance(91_000); // part of a message is no sign of life
    expect(notification()).toEqual([4, 0]);
    expect(core.memory().usedBytes).toBe(before);
  });
});

describe('a message that is too short or too long for its type', () => {
  it.each([0, 1, 2, 3])('ROUTE-REFRESH with a body of %i bytes ends the session', (size) => {
    const connection = establish();
    send(connection, frame(5, new Uint8Array(size)));
    expect(notification()).toEqual([7, 1]); // RFC 7313 §5
    expect(connection.isClosed).toBe(true);
    establish();
  });

  it.each([
    { name: 'KEEPALIVE with a body', message: frame(4, new Uint8Array(1)), expected: [1, 2] },
    { name: 'NOTIFICATION without a code', message: frame(3, new Uint8Array(1)), expected: [1, 2] },
    { name: 'OPEN without its fields', message: frame(1, new Uint8Array(9)), expected: [1, 2] },
    { name: 'UPDATE without its lengths', message: frame(2, new Uint8Array(3)), expected: [1, 2] },
    { name: 'type 0', message: frame(0, new Uint8Array(4)), expected: [1, 3] },
    { name: 'type 6', message: frame(6, new Uint8Array(4)), expected: [1, 3] },
  ])('$name is answered with $expected, before Established and after', ({ message, expected }) => {
    send(dial(), message);
    expect(notification()).toEqual(expected);
    send(establish(), message);
    expect(notification()).toEqual(expected);
  });
});
