// Two decoders, one message: what lies in the core's tables after a mutated UPDATE is what the decoder for people lists
// (messages/describe.ts). And whatever the bytes, that decoder never throws.
import { beforeAll, describe, expect, it } from 'vitest';
import { POLICY_ACCEPT } from '../../assembly/abi.ts';
import {
  type DescribedMessage,
  describeMessage,
  messageLength,
} from '../../src/bgp/messages/describe.ts';
import type { DescribedRoute } from '../../src/bgp/nlri/describe.ts';
import { loadCore } from '../../src/core/core.ts';
import type { RouteCore } from '../../src/core/route-core.ts';
import type { CoreSession } from '../../src/core/sessions.ts';
import { formatPrefix } from '../../src/net/prefix.ts';
import { mutate, mutateBody, nudge } from './mutate.ts';
import { Random } from './random.ts';
import { builtInMessages, recordedMessages } from './seed-messages.ts';

const MESSAGES = 12_000;
const PEER = 1;
const prefixFamilies = ['ipv4-unicast', 'ipv6-unicast'] as const;

let core: RouteCore;
let seeds: Uint8Array[];
beforeAll(async () => {
  seeds = [...builtInMessages(), ...(await recordedMessages())];
  core = await loadCore({ maximumBytes: 32 * 2 ** 20 });
  core.addNetwork(1, { med: 'always', multipath: 1, multipathRelax: false });
  core.addPeer(PEER, {
    network: 1,
    address: Uint8Array.of(10, 0, 0, 2),
    asn: 65000,
    localAsn: 65000,
    localRouterId: 1,
    interfaceIndex: 0,
    importPolicy: POLICY_ACCEPT,
    enforceFirstAs: false,
    maxPrefixes: {},
  });
});

/** The routes of one message, as the core has them; undefined when it did not take the message as it is. */
function learn(message: Uint8Array, session: CoreSession): string[] | undefined {
  core.openPeer(PEER, session);
  const { status, treatedAsWithdrawCount, overLimitCount } = core.receive(PEER, message, 1);
  const isTaken = status === 'done' && treatedAsWithdrawCount + overLimitCount === 0;
  const routes = isTaken ? prefixFamilies.flatMap(dump) : undefined;
  core.closePeer(PEER, []);
  while (core.work(100_000));
  return routes;
}

function dump(family: (typeof prefixFamilies)[number]): string[] {
  const query = { network: 1, family, stage: 'adj-rib-in', match: { kind: 'all' } } as const;
  const { rows } = core.routes(query, undefined, 20_000);
  return rows.map((row) => `${formatPrefix(row.prefix!)} ${row.pathId}`);
}

/** The same from the other decoder: announced, unicast to unicast addresses, each once. */
function listed(described: DescribedMessage): string[] {
  if (described.type !== 'update') return [];
  return [...new Set(described.announced.filter(isCarried).map(nameOf))];
}

function isCarried({ family, prefix }: DescribedRoute): boolean {
  if (!prefixFamilies.some((carried) => carried === family)) return false;
  const [address, length] = prefix!.split('/') as [string, string];
  const isMulticast =
    family === 'ipv4-unicast' ? isClassD(address) : /^ff[0-9a-f]{2}:/.test(address);
  return !(isMulticast && Number(length) >= (family === 'ipv4-unicast' ? 4 : 8));
}

function isClassD(address: string): boolean {
  const first = Number(address.split('.')[0]);
  return first >= 224 && first < 240;
}

function nameOf({ prefix, pathId }: DescribedRoute): string {
  return `${prefix} ${pathId ?? 0}`;
}

describe('the two decoders', () => {
  it.each([false, true])('find the same routes in what the core takes, ADD-PATH %s', (addPath) => {
    const random = new Random(11);
    let routeCount = 0;
    for (let i = 0; i < MESSAGES; i++) {
      const seed = random.pick(seeds);
      const message = random.chance(2) ? nudge(random, seed) : mutateBody(random, seed, seeds);
      if (message[18] !== 2 || messageLength(message) !== message.length) continue;
      const fourOctetAs = !random.chance(3);
      const learned = learn(message, {
        routerId: 2,
        fourOctetAs,
        maxMessageBytes: 65535,
        families: prefixFamilies,
        addPath: addPath ? prefixFamilies : [],
      });
      if (learned === undefined) continue;
      const context = { fourOctetAs, addPath: new Set<string>(addPath ? prefixFamilies : []) };
      const expected = listed(describeMessage(message, context));
      expect(learned.sort(), Buffer.from(message).toString('hex')).toEqual(expected.sort());
      routeCount += learned.length;
    }
    expect(routeCount).toBeGreaterThan(200);
  });

  it('describes any bytes without throwing', () => {
    const random = new Random(12);
    for (let i = 0; i < MESSAGES; i++) {
      const seed = random.pick(seeds);
      const bytes = random.chance(2)
        ? mutate(random, seed, seeds)
        : mutateBody(random, seed, seeds);
      if (bytes.length < 19) continue;
      const addPath = new Set(random.chance(2) ? prefixFamilies : []);
      const described = describeMessage(bytes, { fourOctetAs: random.chance(2), addPath });
      expect(described.length).toBe(bytes.length);
    }
  });
});
