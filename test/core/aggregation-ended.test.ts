// A FIB without aggregation takes over what an aggregated one has put in place: no address ever forwards otherwise on the way.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { loadCore } from '../../src/core/core.ts';
import { encodeObservations, FibBatch } from '../../src/core/records.ts';
import type { RouteCore } from '../../src/core/route-core.ts';
import { formatIpAddress, parseIpAddress } from '../../src/net/ip-address.ts';
import { containsPrefix, formatPrefix, parsePrefix } from '../../src/net/prefix.ts';
import { addOpenPeer } from './open-peer.ts';
import { announcement } from './updates.ts';

type Table = Map<string, string>;

async function newCore(routes: readonly (readonly [string, number])[]): Promise<RouteCore> {
  const core = await loadCore();
  core.addNetwork(1, { med: 'deterministic', multipath: 1, multipathRelax: false });
  addOpenPeer(core, 1, { families: ['ipv4-unicast'] });
  for (const [prefix, hop] of routes) {
    const attributes = { asPath: [65001], nextHop: `192.0.2.${hop}` };
    core.receive(1, announcement({ attributes, prefixes: [prefix] }), 1);
  }
  return core;
}

/** Writes what a FIB wants, record by record. */
function fill(core: RouteCore, fib: number, table: Table, onWritten: () => void): void {
  while (core.work(1_000_000)) {
    // to the end
  }
  for (;;) {
    const { buffer, count, byteLength } = core.drain(fib, 3);
    if (count === 0) return;
    const batch = new FibBatch(buffer, count, byteLength);
    for (let i = 0; i < count; i++) {
      const { prefix, to } = batch.change(i);
      if (to === undefined) table.delete(formatPrefix(prefix));
      else table.set(formatPrefix(prefix), formatIpAddress(to.members[0]!.address));
      onWritten();
    }
    core.acknowledge(fib, []);
  }
}

function forward(table: Table, text: string): string | undefined {
  const address = parseIpAddress(text)!;
  let longest = -1;
  let label: string | undefined;
  for (const [prefix, hop] of table) {
    const { length } = parsePrefix(prefix)!;
    const isIn = containsPrefix(parsePrefix(prefix)!, { address, length: 32 });
    if (isIn && length > longest) [longest, label] = [length, hop];
  }
  return label;
}

const prefixes = fc
  .tuple(fc.integer({ min: 0, max: 5 }), fc.nat(31))
  .map(([bits, place]) => `10.${(place & (0x3e0 >> bits) & 31) << 3}.0.0/${8 + bits}`);

it('forwards alike after each record', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(prefixes, fc.integer({ min: 1, max: 2 })), { minLength: 1, maxLength: 30 }),
      async (routes) => {
        const core = await newCore(routes);
        const wanted: Table = new Map();
        for (const [prefix, hop] of routes) wanted.set(prefix, `192.0.2.${hop}`);
        core.addFib(1, 1, { holdRemovals: false, aggregation: 'exact', cost: 'entries' });
        const table: Table = new Map();
        fill(core, 1, table, () => undefined);
        core.removeFib(1);

        core.addFib(2, 1, { holdRemovals: true, aggregation: 'ended', cost: 'entries' });
        core.beginSnapshot(2);
        const { records, byteLength } = encodeObservations(
          [...table].map(([prefix, hop]) => ({
            prefix: parsePrefix(prefix)!,
            set: {
              discard: false,
              members: [{ address: parseIpAddress(hop)!, weight: 1, interfaceIndex: 0 }],
            },
          })),
        );
        core.observe(2, records, byteLength);
        core.endSnapshot(2);
        core.releaseRemovals(2);
        const places = Array.from({ length: 32 }, (_, place) => `10.${place << 3}.0.1`);
        const before = places.map((place) => forward(wanted, place));
        fill(core, 2, table, () => {
          expect(places.map((place) => forward(table, place))).toEqual(before);
        });
        expect(new Map([...table].sort())).toEqual(new Map([...wanted].sort()));
      },
    ),
    { numRuns: 100 },
  ));
