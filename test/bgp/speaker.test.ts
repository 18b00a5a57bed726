// The speaker with virtual time and connections in memory: two of our own, and one against a scripted peer.
import { beforeEach, describe, expect, it } from 'vitest';
import { noCapabilities } from '../../src/bgp/capabilities.ts';
import { encodeCapabilities } from '../../src/bgp/capability-codec.ts';
import { administrativeCease, cease, type Notification } from '../../src/bgp/errors.ts';
import { Framer, frame, messageType } from '../../src/bgp/framing.ts';
import { encodeKeepalive } from '../../src/bgp/messages/keepalive.ts';
import {
  decodeNotification,
  encodeNotification,
  notificationText,
} from '../../src/bgp/messages/notification.ts';
import { decodeOpen, encodeOpen } from '../../src/bgp/messages/open.ts';
import { encodeRouteRefresh } from '../../src/bgp/messages/route-refresh.ts';
import { encodeEndOfRib } from '../../src/bgp/messages/update.ts';
import { type PeerOptions, type PeerStatus, Speaker } from '../../src/bgp/speaker.ts';
import type { Connection } from '../../src/bgp/transport/transport.ts';
import type { AddressFamily } from '../../src/net/address-family.ts';
import { parseIpAddress } from '../../src/net/ip-address.ts';
import { parsePrefix } from '../../src/net/prefix.ts';
import { type MemoryConnection, MemoryNetwork } from './memory-transport.ts';
import { readMessage } from './naive-update.ts';
import { RecordingReceiver } from './recording-receiver.ts';
import { VirtualClock } from './virtual-clock.ts';

const ourAddress = parseIpAddress('192.0.2.1')!;
const theirAddress = parseIpAddress('192.0.2.2')!;
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined };

let clock: VirtualClock;
let network: MemoryNetwork;

beforeEach(() => {
  clock = new VirtualClock();
  network = new MemoryNetwork(clock);
});

interface Party {
  readonly speaker: Speaker;
  readonly receiver: RecordingReceiver;
  readonly states: string[];
  readonly closed: string[];
  status(): PeerStatus;
}

/** A speaker with one peer. */
function party(
  which: 'us' | 'them',
  options: Partial<PeerOptions> = {},
  identity: { asn?: number; routerId?: number } = {},
): Party {
  const isUs = which === 'us';
  const address = isUs ? ourAddress : theirAddress;
  const speaker = new Speaker({
    asn: identity.asn ?? (isUs ? 64512 : 65001),
    routerId: identity.routerId ?? (isUs ? 1 : 2),
    listen: [{ address, port: 179 }],
    log: quiet,
    clock,
    transport: network.host(address),
    random: () => 1,
  });
  const receiver = new RecordingReceiver();
  const states: string[] = [];
  const closed: string[] = [];
  speaker.addPeer(
    {
      name: isUs ? 'them' : 'us',
      address: isUs ? theirAddress : ourAddress,
      asn: 'external',
      families: ['ipv4-unicast'],
      ...options,
    },
    receiver,
    {
      stateChanged: ({ from, to }) => states.push(`${from} → ${to}`),
      closed: (reason, retained) => closed.push(`${reason} [${retained.join(' ')}]`),
    },
  );
  return { speaker, receiver, states, closed, status: () => speaker.peers()[0]! };
}

/** The far end of a connection, played by hand. */
class ScriptedPeer {
  readonly received: Uint8Array[] = [];
  connection: MemoryConnection | undefined;
  closedReason: string | undefined;
  readonly #framer = new Framer();

  /** Waits to be connected to. */
  listen(): void {
    network.listen({ address: theirAddress, port: 179 }, (connection) => this.take(connection));
  }

  dial(): void {
    const connection = network.dial(theirAddress, ourAddress);
    if (connection === undefined) throw new Error('nobody listens');
    this.take(connection);
  }

  take(connection: Connection): void {
    this.connection = connection as MemoryConnection;
    this.closedReason = undefined;
    connection.attach({
      received: (chunk) => {
        this.#framer.push(chunk);
        for (let next = this.#framer.next(); next; next = this.#framer.next()) {
          this.received.push(next);
        }
      },
      drained: () => undefined,
      closed: (reason) => {
        this.closedReason = reason;
      },
    });
  }

  send(...messages: Uint8Array[]): void {
    for (const message of messages) this.connection!.write(message);
    clock.settle();
  }

  open(options: Parameters<typeof openMessage>[0] = {}): void {
    this.send(openMessage(options));
  }

  /** Types of everything that came, in order. */
  get types(): number[] {
    return this.received.map(messageType);
  }

  get notification(): Notification | undefined {
    const found = this.received.findLast((message) => messageType(message) === 3);
    return found && decodeNotification(found);
  }

  get notificationText(): string | undefined {
    const found = this.notification;
    return found && notificationText(found);
  }
}

function openMessage(options: {
  asn?: number;
  routerId?: number;
  holdTimeSeconds?: number;
  enhanced?: boolean;
  restart?: { families: AddressFamily[]; preserved?: boolean; notification?: boolean };
}): Uint8Array {
  const asn = options.asn ?? 65001;
  return encodeOpen({
    version: 4,
    asn,
    holdTimeSeconds: options.holdTimeSeconds ?? 90,
    routerId: options.routerId ?? 2,
    capabilities: encodeCapabilities({
      ...noCapabilities,
      fourOctetAsn: asn,
      routeRefresh: true,
      enhancedRouteRefresh: options.enhanced ?? false,
      multiprotocol: [{ afi: 1, safi: 1 }],
      gracefulRestart: options.restart && {
        restarting: false,
        notification: options.restart.notification ?? false,
        restartTimeSeconds: 120,
        families: options.restart.families.map(() => ({
          afi: 1,
          safi: 1,
          forwardingPreserved: options.restart!.preserved ?? true,
        })),
      },
    }),
  });
}

/** A scripted peer whose session with us is Established. */
async function established(
  us: Party,
  open: Parameters<typeof openMessage>[0] = {},
): Promise<ScriptedPeer> {
  const peer = new ScriptedPeer();
  peer.listen();
  await us.speaker.start();
  clock.advance(0);
  peer.open(open);
  peer.send(encodeKeepalive());
  expect(us.status().state).toBe('established');
  return peer;
}

/** Keepalives from the peer while time passes, for as long as the connection lasts. */
function live(peer: ScriptedPeer, ms: number): void {
  const { connection } = peer;
  for (let passed = 0; passed < ms; passed += 10_000) {
    clock.advance(Math.min(10_000, ms - passed));
    if (peer.connection === connection && !connection!.isClosed) peer.send(encodeKeepalive());
  }
}

const gracefulRestart = {
  restartTimeSeconds: 120,
  restarting: false,
  forwardingPreserved: true,
} as const;

describe('peers bound to devices', () => {
  /** Two peers with one address, in two VRFs. */
  function twins(): { speaker: Speaker; peer(name: string): PeerStatus } {
    const speaker = new Speaker({
      asn: 64512,
      routerId: 1,
      listen: [{ address: ourAddress, port: 179 }],
      log: quiet,
      clock,
      transport: network.host(ourAddress),
    });
    for (const device of ['red', 'blue']) {
      const families = ['ipv4-unicast'] as const;
      const options = { name: device, address: theirAddress, asn: 65001, families };
      speaker.addPeer({ ...options, bindDevice: device, passive: true }, new RecordingReceiver());
    }
    const peer = (name: string) => speaker.peers().find((each) => each.name === name)!;
    return { speaker, peer };
  }

  /** A connection that comes in by a device. */
  function dial(device: string | undefined): ScriptedPeer | undefined {
    const connection = network.dial(theirAddress, ourAddress, device);
    if (connection === undefined) return undefined;
    const peer = new ScriptedPeer();
    peer.take(connection);
    peer.open();
    peer.send(encodeKeepalive());
    return peer;
  }

  it('are told from each other by the device a connection comes in by', async () => {
    const { speaker, peer } = twins();
    await speaker.start();
    dial('blue');
    expect(peer('blue').state).toBe('established');
    expect(peer('red').state).toBe('active');
    expect(dial(undefined)?.closedReason).toBeDefined(); // nobody's: neither lives outside the VRFs
    expect(dial('green')).toBeUndefined();
  });

  it('wait for their device, without a session or a listener, and go on when it is there', async () => {
    const { speaker, peer } = twins();
    speaker.setDevice('red', 'VRF device red does not exist');
    await speaker.start();
    expect(dial('red')).toBeUndefined();
    expect(peer('red')).toMatchObject({
      state: 'idle',
      lastError: { reason: 'VRF device red does not exist' },
    });
    const there = dial('blue')!;

    speaker.setDevice('red', undefined);
    await Promise.resolve(); // it listens first
    await Promise.resolve();
    await Promise.resolve();
    const first = dial('red')!;
    expect(peer('red').state).toBe('established');

    speaker.setDevice('red', 'VRF device red does not exist');
    clock.advance(0);
    expect(first.closedReason).toBeDefined();
    expect(first.notification).toBeUndefined(); // there is nothing to send it through
    expect(dial('red')).toBeUndefined();
    speaker.resetPeer('red');
    clock.advance(60_000);
    expect(peer('red').state).toBe('idle');
    expect(there.connection!.isClosed).toBe(false);
  });

  it('close the listeners of a device with its last peer', async () => {
    const { speaker } = twins();
    await speaker.start();
    speaker.removePeer('red', 'test');
    expect(dial('red')).toBeUndefined();
    expect(dial('blue')).toBeDefined();
  });
});

describe('two speakers', () => {
  it('establish a session, tell each other their prefixes, and end it with a text', async () => {
    const us = party('us', { passive: true });
    const them = party('them');
    them.speaker.advertise('all', [{ prefix: parsePrefix('10.0.0.0/8')! }]);
    await us.speaker.start();
    await them.speaker.start();
    clock.advance(100);
    expect(us.status().state).toBe('established');
    expect(us.receiver.updates.map((update) => readMessage(update).text)).toEqual([
      'announce 10.0.0.0/8 next hop 192.0.2.2 path 65001',
    ]);
    expect(us.status().endOfRib).toEqual(['ipv4-unicast']);
    expect(them.status().advertisedCount).toBe(1);
    them.speaker.withdraw('us', [parsePrefix('10.0.0.0/8')!]);
    clock.advance(100);
    expect(readMessage(us.receiver.updates[1]!).text).toBe('withdraw 10.0.0.0/8');
    await them.speaker.stop({ shutdownText: 'back at ten' });
    clock.advance(100);
    expect(us.receiver.calls).toEqual(['open', 'close']);
    expect(us.status().lastNotification).toMatchObject({
      direction: 'received',
      code: 6,
      subcode: 2,
      shutdownText: 'back at ten',
    });
    expect(us.states).toContain('established → idle');
  });

  it.each([
    { identities: [1, 2], asns: [64512, 65001] },
    { identities: [2, 1], asns: [64512, 65001] },
    { identities: [7, 7], asns: [64512, 65001] },
  ])('are left with one connection when both connect, identifiers $identities', async (row) => {
    network.connectDelayMs = 5;
    network.latencyMs = 3;
    const us = party('us', {}, { routerId: row.identities[0]!, asn: row.asns[0]! });
    const them = party('them', {}, { routerId: row.identities[1]!, asn: row.asns[1]! });
    await us.speaker.start();
    await them.speaker.start();
    clock.advance(200);
    expect(us.status().state).toBe('established');
    expect(them.status().state).toBe('established');
    const open = network.connections.filter((ends) => ends.every(({ isClosed }) => !isClosed));
    expect(network.connections).toHaveLength(2);
    expect(open).toHaveLength(1);
    const [initiator] = open[0]!;
    const [ours, theirs] = row.identities as [number, number];
    const weWin = ours === theirs ? row.asns[0]! > row.asns[1]! : ours > theirs;
    expect(initiator!.localAddress).toBe(weWin ? ourAddress : theirAddress);
    expect(us.receiver.calls).toEqual(['open']);
    clock.advance(600_000);
    expect(us.status().establishedCount).toBe(1);
  });

  it('stay up on keepalives alone', async () => {
    const us = party('us', { passive: true });
    const them = party('them');
    await us.speaker.start();
    await them.speaker.start();
    clock.advance(3_600_000);
    expect(us.status()).toMatchObject({ state: 'established', establishedCount: 1 });
    expect(us.status().messages.received.keepalive).toBeGreaterThanOrEqual(120);
  });
});

describe('a session', () => {
  it('ends with the hold timer when the peer falls silent', async () => {
    const us = party('us');
    const peer = await established(us);
    clock.advance(89_000);
    expect(us.status().state).toBe('established');
    clock.advance(2000);
    expect(peer.notificationText).toBe('hold timer expired');
    expect(us.receiver.calls).toEqual(['open', 'close']);
    expect(us.closed).toEqual(['hold timer expired []']);
  });

  it('does not blame the peer for a loop that was busy', async () => {
    const us = party('us');
    const peer = await established(us);
    clock.stall(120_000);
    peer.connection!.write(encodeKeepalive());
    clock.advance(5000);
    expect(us.status().state).toBe('established');
    clock.advance(90_000);
    expect(us.status().state).not.toBe('established');
  });

  it('is not held against a peer whose input we have paused', async () => {
    const us = party('us');
    const peer = await established(us);
    us.speaker.pauseInput('them');
    peer.send(encodeEndOfRib('ipv4-unicast'));
    clock.advance(200_000);
    expect(us.status()).toMatchObject({ state: 'established', endOfRib: [] });
    us.speaker.resumeInput('them');
    clock.advance(1000);
    expect(us.status()).toMatchObject({ state: 'established', endOfRib: ['ipv4-unicast'] });
  });

  it('takes an UPDATE that came with the last KEEPALIVE of the opening', async () => {
    const us = party('us');
    const peer = new ScriptedPeer();
    peer.listen();
    await us.speaker.start();
    clock.advance(0);
    peer.open();
    const torn = Buffer.concat([encodeKeepalive(), encodeEndOfRib('ipv4-unicast')]);
    peer.send(torn.subarray(0, 30), torn.subarray(30));
    expect(us.status().endOfRib).toEqual(['ipv4-unicast']);
  });

  it('ends with the NOTIFICATION that the receiver names', async () => {
    const us = party('us');
    const peer = await established(us);
    us.receiver.resetWith = { code: 3, subcode: 1 };
    peer.send(encodeEndOfRib('ipv4-unicast'));
    expect(peer.notification).toMatchObject({ code: 3, subcode: 1 });
    expect(us.status().lastError?.reason).toBe(
      'malformed message: update message: malformed attribute list',
    );
  });

  it.each([
    { state: 'openSent', subcode: 1 },
    { state: 'openConfirm', subcode: 2 },
  ])(
    'answers an UPDATE in $state with FSM error $subcode (RFC 6608)',
    async ({ state, subcode }) => {
      const us = party('us');
      const peer = new ScriptedPeer();
      peer.listen();
      await us.speaker.start();
      clock.advance(0);
      if (state === 'openConfirm') peer.open();
      expect(us.status().state).toBe(state);
      peer.send(encodeEndOfRib('ipv4-unicast'));
      expect(peer.notification).toMatchObject({ code: 5, subcode });
    },
  );

  it('answers an OPEN in Established with FSM error 3', async () => {
    const us = party('us');
    const peer = await established(us);
    peer.open();
    expect(peer.notification).toMatchObject({ code: 5, subcode: 3 });
  });

  it('tries a peer again without the capabilities it does not support (RFC 5492 §3)', async () => {
    const us = party('us');
    const peer = new ScriptedPeer();
    peer.listen();
    await us.speaker.start();
    clock.advance(0);
    const first = decodeOpen(peer.received[0]!);
    expect(first.capabilities.length).toBeGreaterThan(3);
    const data = Uint8Array.of(70, 0, 73, 0);
    peer.send(encodeNotification({ code: 2, subcode: 7, data }));
    clock.advance(2000);
    const second = decodeOpen(peer.received[1]!);
    expect(second.capabilities.map(({ code }) => code)).not.toContain(70);
    peer.send(encodeNotification({ code: 2, subcode: 4, data: new Uint8Array(0) }));
    clock.advance(3000);
    expect(decodeOpen(peer.received[2]!).capabilities).toEqual([]);
    peer.open();
    peer.send(encodeKeepalive());
    expect(us.status()).toMatchObject({ state: 'established', families: ['ipv4-unicast'] });
  });

  it('goes on trying a peer that refuses, at the connect retry interval', async () => {
    const us = party('us', { connectRetryMs: 4000 });
    await us.speaker.start();
    clock.advance(1000);
    expect(us.status()).toMatchObject({
      state: 'active',
      lastError: { reason: 'connection refused' },
      nextAttemptMs: 3000,
    });
    const peer = new ScriptedPeer();
    peer.listen();
    clock.advance(4000);
    expect(us.status().state).toBe('openSent');
  });

  it('refuses connections in Idle and from strangers', async () => {
    const us = party('us');
    const peer = await established(us);
    peer.send(encodeNotification(cease(2)));
    expect(us.status().state).toBe('idle');
    peer.dial();
    clock.advance(0);
    expect(peer.closedReason).toBeDefined();
    const stranger = network.dial(parseIpAddress('192.0.2.77')!, ourAddress);
    expect(stranger!.peer!.isClosed).toBe(true);
  });

  it('stops waiting for a peer that takes nothing (RFC 9687)', async () => {
    const us = party('us');
    const peer = await established(us);
    peer.connection!.peer!.isStuck = true;
    live(peer, 470_000);
    expect(us.status().state).toBe('established');
    live(peer, 50_000);
    expect(us.status().lastError?.reason).toBe('send hold timer expired');
  });

  it('holds back what does not fit the connection, and goes on when it drains', async () => {
    const us = party('us');
    const peer = await established(us);
    const ours = peer.connection!.peer!;
    ours.isStuck = true;
    us.speaker.advertise('them', [{ prefix: parsePrefix('10.0.0.0/8')! }]);
    clock.advance(0);
    us.speaker.advertise('them', [{ prefix: parsePrefix('11.0.0.0/8')! }]);
    clock.advance(0);
    const updates = () => peer.received.filter((message) => messageType(message) === 2).slice(1);
    expect(updates()).toHaveLength(0);
    ours.unstick();
    clock.advance(0);
    expect(updates().map((update) => readMessage(update).announced)).toEqual([
      ['10.0.0.0/8'],
      ['11.0.0.0/8'],
    ]);
  });

  it('resends on ROUTE-REFRESH and passes the peer’s marks on (RFC 2918, RFC 7313)', async () => {
    const us = party('us');
    us.speaker.advertise('them', [{ prefix: parsePrefix('10.0.0.0/8')! }]);
    const peer = await established(us, { enhanced: true });
    clock.advance(0);
    peer.received.length = 0;
    const family = { afi: 1, safi: 1 };
    peer.send(encodeRouteRefresh({ ...family, subtype: 0 }));
    expect(peer.received.map((message) => readMessage(message).text)).toEqual([
      'refresh begin 1/1',
      'announce 10.0.0.0/8 next hop 192.0.2.1 path 64512',
      'refresh end 1/1',
    ]);
    peer.send(
      encodeRouteRefresh({ ...family, subtype: 1 }),
      encodeRouteRefresh({ ...family, subtype: 2 }),
      encodeRouteRefresh({ afi: 25, safi: 70, subtype: 1 }),
    );
    expect(us.receiver.calls).toEqual([
      'open',
      'beginRefresh ipv4-unicast',
      'endRefresh ipv4-unicast',
    ]);
  });

  it('answers a BoRR of the wrong length (RFC 7313 §5)', async () => {
    const us = party('us');
    const peer = await established(us, { enhanced: true });
    peer.send(frame(5, Uint8Array.of(0, 1, 1, 1, 0)));
    expect(peer.notification).toMatchObject({ code: 7, subcode: 1 });
  });

  it.each([
    { action: 'warn' as const, state: 'established', after: 'established' },
    { action: 'stop' as const, state: 'idle', after: 'idle' },
    { action: 'restart' as const, state: 'idle', after: 'openSent' },
  ])('at the prefix limit: $action', async ({ action, state, after }) => {
    const maxPrefixes = { limits: { 'ipv4-unicast': 10 }, action, restartAfterMs: 60_000 };
    const us = party('us', { maxPrefixes });
    const peer = await established(us);
    us.receiver.limitHitMask = 1;
    peer.send(encodeKeepalive());
    expect(us.status().state).toBe(state);
    if (action !== 'warn') {
      // RFC 4486 §4: AFI 1, SAFI 1, ten prefixes
      expect(peer.notification).toEqual({
        code: 6,
        subcode: 1,
        data: Uint8Array.of(0, 1, 1, 0, 0, 0, 10),
      });
    }
    live(peer, 61_000);
    expect(us.status().state).toBe(after);
    us.speaker.resetPeer('them');
    clock.advance(0);
    expect(us.status().state).toBe('openSent');
  });

  it('ends with Peer De-configured when the peer is removed', async () => {
    const us = party('us');
    const peer = await established(us);
    us.speaker.removePeer('them', 'configuration');
    clock.advance(0);
    expect(peer.notification).toMatchObject({ code: 6, subcode: 3 });
    expect(us.speaker.peers()).toEqual([]);
    expect(us.receiver.calls).toEqual(['open', 'close']);
    clock.advance(600_000);
    expect(network.connections).toHaveLength(1);
  });
});

describe('a peer that restarts gracefully', () => {
  const restart = { families: ['ipv4-unicast'] as AddressFamily[] };

  it('keeps its routes until it is back and has sent its End-of-RIB', async () => {
    const us = party('us', { gracefulRestart });
    const peer = await established(us, { restart });
    peer.connection!.abort();
    clock.advance(0);
    expect(us.receiver.calls).toEqual(['open', 'close ipv4-unicast']);
    expect(us.status().staleFamilies).toEqual(['ipv4-unicast']);
    expect(us.closed).toEqual(['connection closed by the peer [ipv4-unicast]']);
    clock.advance(2000);
    peer.open({ restart });
    peer.send(encodeKeepalive());
    expect(us.status().state).toBe('established');
    expect(us.receiver.calls).toEqual(['open', 'close ipv4-unicast', 'open']);
    peer.send(encodeEndOfRib('ipv4-unicast'));
    expect(us.receiver.calls.at(-1)).toBe('endRefresh ipv4-unicast');
    live(peer, 500_000);
    expect(us.receiver.calls).toHaveLength(4);
  });

  it('loses them when it does not come back in its restart time', async () => {
    const us = party('us', { gracefulRestart });
    const peer = await established(us, { restart });
    peer.connection!.abort();
    clock.advance(119_000);
    expect(us.receiver.calls).toEqual(['open', 'close ipv4-unicast']);
    clock.advance(2000);
    expect(us.receiver.calls.at(-1)).toBe('endRefresh ipv4-unicast');
    expect(us.status().staleFamilies).toEqual([]);
  });

  it('loses them at once when it is back without its forwarding state', async () => {
    const us = party('us', { gracefulRestart });
    const peer = await established(us, { restart });
    peer.connection!.abort();
    clock.advance(2000);
    peer.open({ restart: { ...restart, preserved: false } });
    peer.send(encodeKeepalive());
    expect(us.receiver.calls.slice(2)).toEqual(['open', 'endRefresh ipv4-unicast']);
  });

  it('loses them when its End-of-RIB does not come', async () => {
    const us = party('us', { gracefulRestart: { ...gracefulRestart, stalePathTimeMs: 30_000 } });
    const peer = await established(us, { restart });
    peer.connection!.abort();
    clock.advance(2000);
    peer.open({ restart });
    peer.send(encodeKeepalive());
    live(peer, 40_000);
    expect(us.receiver.calls.at(-1)).toBe('endRefresh ipv4-unicast');
  });

  it('loses them with a NOTIFICATION unless both sides set N (RFC 8538)', async () => {
    const us = party('us', { gracefulRestart });
    const peer = await established(us, { restart });
    peer.send(encodeNotification(cease(4)));
    expect(us.receiver.calls).toEqual(['open', 'close']);
    clock.advance(2000);
    peer.open({ restart: { ...restart, notification: true } });
    peer.send(encodeKeepalive(), encodeNotification(cease(4)));
    expect(us.receiver.calls.slice(2)).toEqual(['open', 'close ipv4-unicast']);
  });

  it('may come back on a new connection while the old one looks alive (RFC 4724 §4.2)', async () => {
    const us = party('us', { gracefulRestart });
    const peer = await established(us, { restart });
    peer.dial();
    clock.advance(0);
    peer.open({ restart });
    peer.send(encodeKeepalive());
    expect(us.status()).toMatchObject({ state: 'established', establishedCount: 2 });
    expect(us.receiver.calls).toEqual(['open', 'close ipv4-unicast', 'open']);
  });

  it('is not helped where graceful restart is not configured', async () => {
    const us = party('us');
    const peer = await established(us, { restart });
    peer.connection!.abort();
    clock.advance(0);
    expect(us.receiver.calls).toEqual(['open', 'close']);
  });

  it('has a second connection refused without graceful restart (RFC 4271 §6.8)', async () => {
    const us = party('us');
    const first = await established(us);
    const second = new ScriptedPeer();
    second.dial();
    clock.advance(0);
    expect(second.notification).toMatchObject({ code: 6, subcode: 7 });
    expect(first.notification).toBeUndefined();
    expect(us.status().state).toBe('established');
  });
});

describe('our own restart', () => {
  it('is said in the first OPENs only (RFC 4724 §4.1)', async () => {
    const us = party('us', { gracefulRestart: { ...gracefulRestart, restarting: true } });
    const peer = new ScriptedPeer();
    peer.listen();
    await us.speaker.start();
    clock.advance(0);
    const isRestarting = () => {
      const open = decodeOpen(peer.received.findLast((message) => messageType(message) === 1)!);
      const { value } = open.capabilities.find(({ code }) => code === 64)!;
      return (value[0]! & 0x80) !== 0;
    };
    expect(isRestarting()).toBe(true);
    peer.open();
    peer.send(encodeKeepalive());
    peer.connection!.abort();
    clock.advance(2000);
    expect(isRestarting()).toBe(false);
  });

  it('closes without a NOTIFICATION, so that the peer keeps our routes', async () => {
    const us = party('us', { gracefulRestart });
    const peer = await established(us);
    await us.speaker.stop({ restarting: true });
    clock.advance(0);
    expect(peer.notification).toBeUndefined();
    expect(peer.closedReason).toBeDefined();
  });

  it('shuts down with Hard Reset where notifications keep routes (RFC 8538 §4)', async () => {
    const us = party('us', { gracefulRestart });
    const restart = { families: ['ipv4-unicast'] as AddressFamily[], notification: true };
    const peer = await established(us, { restart });
    await us.speaker.stop({ shutdownText: 'bye' });
    clock.advance(0);
    expect(peer.notificationText).toBe('hard reset, cease: administrative shutdown (bye)');
    expect(peer.notification!.data.slice(2)).toEqual(
      administrativeCease('administrativeShutdown', 'bye').data,
    );
  });
});
