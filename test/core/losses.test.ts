// Which left-over entries are losses: against the obvious reading of every prefix, for tables of routes and of left-over entries that have nothing
// to do with each other.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { loadCore } from '../../src/core/core.ts';
import { encodeForeign, encodeObservations } from '../../src/core/records.ts';
import type { RouteCore } from '../../src/core/route-core.ts';
import type { WalkCursor } from '../../src/core/walk.ts';
import { parseIpAddress } from '../../src/net/ip-address.ts';
import { containsPrefix, parsePrefix } from '../../src/net/prefix.ts';
import { addOpenPeer } from './open-peer.ts';
import { announcement } from './updates.ts';

const FIB = 3;

type Table = ReadonlyMap<string, number>;
type Aggregation = 'off' | 'exact';

async function coreWith(routes: Table, left: Table, aggregation: Aggregation): Promise<RouteCore> {
  const core = await loadCore();
  core.addNetwork(1, { med: 'deterministic', multipath: 1, multipathRelax: false });
  addOpenPeer(core, 1, { families: ['ipv4-unicast'] });
  core.addFib(FIB, 1, { holdRemovals: true, aggregation });
  for (const [prefix, hop] of routes) {
    const attributes = { asPath: [65001], nextHop: `192.0.2.${hop}` };
    core.receive(1, announcement({ attributes, prefixes: [prefix] }), 1);
  }
  core.beginSnapshot(FIB);
  const observed = encodeObservations(
    [...left].map(([prefix, hop]) => ({
      prefix: parsePrefix(prefix)!,
      set: {
        discard: false,
        members: [{ address: parseIpAddress(`192.0.2.${hop}`)!, weight: 1, interfaceIndex: 0 }],
      },
    })),
  );
  core.observe(FIB, observed.records, observed.byteLength);
  core.endSnapshot(FIB);
  while (core.work(1_000_000)) {
    // to the end
  }
  return core;
}

function losses(core: RouteCore, limit: number): number {
  let count = 0;
  let cursor: WalkCursor | undefined;
  do {
    const part = core.countLosses(FIB, 'ipv4-unicast', cursor, limit);
    count += part.count;
    cursor = part.next;
  } while (cursor !== undefined);
  return count;
}

/** Left-over entries are those that are not desired. */
function naiveLosses(core: RouteCore, routes: Table, left: Table): number {
  const prefixes = [...routes.keys()].map((text) => ({ text, prefix: parsePrefix(text)! }));
  return [...left].filter(([text, hop]) => {
    const prefix = parsePrefix(text)!;
    const match = { kind: 'exact', prefix } as const;
    const [row] = core.fibEntries(FIB, 'ipv4-unicast', match, undefined, 1).rows;
    if (row?.state !== 'held') return false;
    if (prefixes.some((route) => containsPrefix(prefix, route.prefix))) return false;
    const covering = prefixes
      .filter((route) => containsPrefix(route.prefix, prefix))
      .sort((a, b) => b.prefix.length - a.prefix.length)[0];
    return covering === undefined || routes.get(covering.text) !== hop;
  }).length;
}

const table = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.nat(31), fc.integer({ min: 1, max: 3 })), {
    maxLength: 24,
  })
  .map(
    (entries): Table =>
      new Map(
        entries.map(([bits, place, hop]) => [
          `10.${(place & (0x3e0 >> bits) & 31) << 3}.0.0/${8 + bits}`,
          hop,
        ]),
      ),
  );

it.each(['off', 'exact'] as const)('are those that nothing stands for: %s', (aggregation) =>
  fc.assert(
    fc.asyncProperty(table, table, fc.integer({ min: 1, max: 9 }), async (routes, left, limit) => {
      const core = await coreWith(routes, left, aggregation);
      expect(losses(core, limit)).toBe(naiveLosses(core, routes, left));
    }),
    { numRuns: 60 },
  ),
);

it('looks past others’ routes', async () => {
  const core = await coreWith(
    new Map([['10.0.0.0/8', 1]]),
    new Map([
      ['10.8.0.0/13', 1],
      ['10.16.0.0/13', 2],
    ]),
    'exact',
  );
  const foreign = encodeForeign([{ prefix: parsePrefix('10.8.0.0/14')!, kind: 'wins' }]);
  core.observeForeign(FIB, foreign.records, foreign.byteLength);
  while (core.work(1_000_000)) {
    // to the end
  }
  expect(losses(core, 1)).toBe(1);
});
