// Real tables (RUTTER_DATA): longest-prefix match as python3-radix answers it, dumps in order, bytes per route.
import { existsSync } from 'node:fs';
import { join as joinPath } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { asSequence } from '../../src/bgp/attributes/as-path.ts';
import { encodeAnnouncement } from '../../src/bgp/messages/update.ts';
import { loadCore } from '../../src/core/core.ts';
import type { RouteCore } from '../../src/core/route-core.ts';
import type { PrefixMatch, WalkCursor } from '../../src/core/walk.ts';
import type { AddressFamily } from '../../src/net/address-family.ts';
import { parseIpAddress } from '../../src/net/ip-address.ts';
import {
  clearHostBits,
  comparePrefixes,
  containsPrefix,
  formatPrefix,
  type Prefix,
  parsePrefix,
  prefixFamily,
} from '../../src/net/prefix.ts';
import { dataDirectory, readWhole } from '../fixture-data.ts';
import { addOpenPeer } from './open-peer.ts';

const PREFIXES_PER_UPDATE = 8;
const wire = { fourOctetAs: true, maxMessageBytes: 4096 };
/** Prefixes that are compared with a scan of the whole table. */
const SAMPLES = 8;
const LOAD_TIMEOUT_MS = 120_000;

async function readLines(path: string): Promise<string[]> {
  const text = new TextDecoder().decode(await readWhole(path));
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

async function newCore(): Promise<RouteCore> {
  const core = await loadCore();
  core.addNetwork(1, { med: 'deterministic', multipath: 1, multipathRelax: false });
  addOpenPeer(core, 1, { address: parseIpAddress('10.0.0.2')!, routerId: 2 });
  return core;
}

/** Announces every prefix, eight per UPDATE, each UPDATE with a path of its own. */
function load(core: RouteCore, prefixes: readonly Prefix[]): void {
  const messages: Uint8Array[] = [];
  for (let i = 0; i < prefixes.length; i += PREFIXES_PER_UPDATE) {
    const list = prefixes.slice(i, i + PREFIXES_PER_UPDATE);
    const attributes = {
      origin: 'igp',
      asPath: asSequence([65001, 1000 + (i % 5000), 3356, 200_000 + i]),
      nextHop: parseIpAddress(list[0]!.address.length === 4 ? '192.0.2.1' : '2001:db8::1')!,
      med: i % 100,
    } as const;
    messages.push(...encodeAnnouncement(list, attributes, wire));
  }
  const result = core.receive(1, new Uint8Array(Buffer.concat(messages)), 1);
  expect(result).toMatchObject({ status: 'done', announcedCount: prefixes.length });
}

describe.each(['dfz-20230204-v4v6-prefixes', 'rrc06-20100701-v4-as4777', 'rv6-20150922-v6-best'])(
  '%s',
  (name) => {
    const table = joinPath('tables', `${name}.txt.xz`);
    const queries = joinPath('lpm', `${name}.queries.tsv.xz`);
    const isThere = [table, queries].every((path) => existsSync(joinPath(dataDirectory, path)));

    describe.skipIf(!isThere)(`in ${dataDirectory}`, () => {
      let core: RouteCore;
      let prefixes: Prefix[];
      beforeAll(async () => {
        core = await newCore();
        prefixes = (await readLines(table)).map((line) => parsePrefix(line.split(/\s/)[0]!)!);
        for (const size of [4, 16]) {
          const list = prefixes.filter(({ address }) => address.length === size);
          load(core, list);
        }
      }, LOAD_TIMEOUT_MS);

      it('answers every query as python3-radix does', async () => {
        const expected = new Map<AddressFamily, { addresses: Uint8Array[]; matches: string[] }>([
          ['ipv4-unicast', { addresses: [], matches: [] }],
          ['ipv6-unicast', { addresses: [], matches: [] }],
        ]);
        for (const line of await readLines(queries)) {
          const [address, match] = line.split('\t');
          const bytes = parseIpAddress(address!)!;
          const list = expected.get(bytes.length === 4 ? 'ipv4-unicast' : 'ipv6-unicast')!;
          list.addresses.push(bytes);
          list.matches.push(match!);
        }
        for (const [family, { addresses, matches }] of expected) {
          if (addresses.length === 0) continue;
          const lengths = core.lookUp(1, family, new Uint8Array(Buffer.concat(addresses)));
          const wrong = matches.filter((match, i) => {
            const length = lengths[i]!;
            const found =
              length < 0
                ? '-'
                : formatPrefix({ address: clearHostBits(addresses[i]!, length), length });
            return found !== match;
          });
          expect(wrong).toEqual([]);
        }
      });

      it('is dumped whole and in order', () => {
        const dumped = [...dump(core, 'ipv4-unicast'), ...dump(core, 'ipv6-unicast')];
        expect(dumped.length).toBe(prefixes.length);
        expect(dumped.every((prefix, i) => comparePrefixes(prefix, prefixes[i]!) === 0)).toBe(true);
      });

      it('answers matches relative to a prefix as a scan of the table does', () => {
        for (let sample = 0; sample < SAMPLES; sample++) {
          const prefix = prefixes[Math.floor((sample * prefixes.length) / SAMPLES)]!;
          const length = Math.max(prefix.length - 4, 8);
          const wide = { address: clearHostBits(prefix.address, length), length };
          const inside = prefixes.filter((other) => containsPrefix(wide, other));
          expect(select(core, { kind: 'longer', prefix: wide })).toEqual(inside);
          const around = prefixes.filter((other) => containsPrefix(other, prefix));
          expect(select(core, { kind: 'covering', prefix })).toEqual(around);
          expect(select(core, { kind: 'longest', prefix })).toEqual(around.slice(-1));
          expect(select(core, { kind: 'exact', prefix })).toEqual([prefix]);
        }
      });
    });
  },
);

describe('memory', () => {
  it('takes at most 60 bytes per IPv4 route, attributes of eight routes each included', async () => {
    const core = await newCore();
    const before = core.memory().usedBytes;
    // Routing tables are two thirds /24s; the others lie around them.
    const addresses = new Map<string, Prefix>();
    for (let i = 0; i < 200_000; i++) {
      const text =
        i % 3
          ? `${20 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.0/24`
          : `${60 + (i >> 16)}.${(i >> 8) & 255}.${i & 224}.0/22`;
      const prefix = parsePrefix(text)!;
      addresses.set(formatPrefix(prefix), prefix);
    }
    load(core, [...addresses.values()]);
    const { usedBytes, routeCount } = core.memory();
    expect((usedBytes - before) / routeCount).toBeLessThan(60);
  });
});

function dump(core: RouteCore, family: AddressFamily): Prefix[] {
  const query = { network: 1, family, stage: 'loc-rib', match: { kind: 'all' } } as const;
  const prefixes: Prefix[] = [];
  let cursor: WalkCursor | undefined;
  do {
    const page = core.routes(query, cursor, 10_000);
    for (const { prefix } of page.rows) prefixes.push(prefix!);
    cursor = page.next;
  } while (cursor);
  return prefixes;
}

function select(core: RouteCore, match: PrefixMatch & { readonly prefix: Prefix }): Prefix[] {
  const family = prefixFamily(match.prefix);
  const query = { network: 1, family, stage: 'loc-rib', match } as const;
  return core.routes(query, undefined, 100_000).rows.map(({ prefix }) => prefix!);
}
