// Files through the core and out again: what a dump shows against a naive table made of the same records, and lookups against
// the answers of an independent search.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OfflineCore } from '../../src/cli/offline-core.ts';
import { type Loaded, loadMrt, loadPrefixes } from '../../src/cli/offline-load.ts';
import { lookUpOffline, readOffline } from '../../src/cli/offline-read.ts';
import { asPathText } from '../../src/cli/routes-listing.ts';
import type { RouteObject } from '../../src/control/route-object.ts';
import { formatIpAddress, parseIpAddress } from '../../src/net/ip-address.ts';
import { readBytes } from '../../src/sources/compression.ts';
import { readMrt } from '../../src/sources/mrt.ts';
import { numberedNextHop } from '../../src/sources/prefixes.ts';
import { bgpdumpLines } from '../sources/bgpdump-lines.ts';

const data = resolve(process.env['RUTTER_DATA'] ?? '../shared/data');
const index = `${data}/mrt/EXPECTED.json`;

interface Expected {
  readonly oracle: string;
  readonly announced: Record<string, number>;
  readonly withdrawn: Record<string, number>;
  readonly bgpdump_m: { readonly lines_by_kind: Record<string, number> };
}

const files: [string, Expected][] = existsSync(index)
  ? Object.entries(JSON.parse(readFileSync(index, 'utf8')) as Record<string, Expected>).filter(
      ([, { oracle }]) => oracle === 'exact',
    )
  : [];

const unicast = { safis: [1], as4Confed: 'drop-segments' } as const;

/** Peer, prefix and path identifier → AS path, origin, MED, communities: what the last record about it said. */
async function naiveTable(file: string): Promise<Map<string, string>> {
  const table = new Map<string, string>();
  for await (const record of readMrt(readBytes(file))) {
    for (const line of bgpdumpLines(record, unicast)) takeLine(table, line);
  }
  return table;
}

function takeLine(table: Map<string, string>, line: string): void {
  const [type, , kind, peer, , prefix, ...rest] = line.split('|');
  if (kind === 'STATE') {
    if (prefix === '6')
      for (const key of table.keys()) if (key.startsWith(`${peer} `)) table.delete(key);
    return;
  }
  const pathId = type!.endsWith('_AP') ? rest.shift()! : '0';
  const key = `${canonical(peer!)} ${canonicalPrefix(prefix!)} ${pathId}`;
  if (kind === 'W') table.delete(key);
  else {
    const [asPath, origin, , localPref, med, communities] = rest;
    table.set(key, [asPath, origin, localPref, med, communities].join('|'));
  }
}

/** bgpdump shortens IPv6 addresses in its own way. */
function canonical(address: string): string {
  return formatIpAddress(parseIpAddress(address)!);
}

function canonicalPrefix(prefix: string): string {
  const [address, length] = prefix.split('/');
  return `${canonical(address!)}/${length}`;
}

const communityNames: Record<string, string> = {
  '65535:65281': 'no-export',
  '65535:65282': 'no-advertise',
  '65535:65283': 'local-AS',
};

function dumpedTable(offline: OfflineCore): Map<string, string> {
  const table = new Map<string, string>();
  const query = { network: 'default', stage: 'adj-rib-in', match: { kind: 'all' } } as const;
  for (const row of readOffline(offline, query)) {
    const {
      peer,
      prefix,
      pathId = 0,
      asPath,
      origin,
      med = 0,
      localPref = 0,
      communities = [],
    } = row as RouteObject;
    const names = communities.map((community) => communityNames[community] ?? community);
    const value = [asPathText(asPath), origin?.toUpperCase(), localPref, med, names.join(' ')];
    table.set(`${peer} ${prefix} ${pathId}`, value.join('|'));
  }
  return table;
}

describe.skipIf(files.length === 0)(`MRT files of ${data}, through the core`, () => {
  it.each(files)('%s', { timeout: 120_000 }, async (name, expected) => {
    const loaded = await loadMrt([`${data}/${name}`]);
    expect(loaded.failure).toBeUndefined();
    const { counts } = loaded.offline;
    const { A = 0, B = 0 } = expected.bgpdump_m.lines_by_kind;
    const otherFamilies = expected.announced['ipv4-multicast'] ?? 0;
    // EVPN is carried too, and bgpdump does not print it.
    const evpn = expected.announced['l2vpn-evpn'] ?? 0;
    const malformed = counts.treatedAsWithdrawCount + counts.sessionResetCount;
    if (malformed === 0) expect(counts.announcedCount).toBe(A + B - otherFamilies + evpn);

    const [naive, dumped] = [await naiveTable(`${data}/${name}`), dumpedTable(loaded.offline)];
    const missing = [...naive.keys()].filter((key) => !dumped.has(key));
    const invented = [...dumped.keys()].filter((key) => !naive.has(key));
    const changed = [...naive].filter(
      ([key, value]) => dumped.has(key) && dumped.get(key) !== value,
    );
    expect(invented).toEqual([]);
    // Only what RFC 7606 takes for withdrawn may be missing or older than the last record.
    if (malformed === 0) expect({ missing, changed }).toEqual({ missing: [], changed: [] });
    else expect(missing.length + changed.length).toBeLessThanOrEqual(malformed * 50);
  });
});

const queryFiles = existsSync(`${data}/lpm`)
  ? readdirSync(`${data}/lpm`).filter((name) => name.includes('.queries.tsv'))
  : [];

describe.skipIf(queryFiles.length === 0).each(queryFiles)('lookups of %s', (name) => {
  const table = basename(name).replace(/\.queries\.tsv.*$/, '');
  let loaded: Loaded | undefined;

  beforeAll(async () => {
    const file = readdirSync(`${data}/tables`).find((entry) => entry.startsWith(`${table}.txt`));
    loaded = await loadPrefixes(`${data}/tables/${file}`);
  }, 120_000);
  afterAll(() => {
    loaded = undefined;
  });

  it('loads the whole table', () => {
    expect(loaded!.failure).toBeUndefined();
    expect(loaded!.troubles).toEqual([]);
    expect(loaded!.offline.core.memory().prefixCount).toBe(loaded!.recordCount);
  });

  it('finds the longest match and its next hop', { timeout: 120_000 }, async () => {
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of readBytes(`${data}/lpm/${name}`))
      text += decoder.decode(chunk, { stream: true });
    const wrong: unknown[] = [];
    for (const line of text.split('\n')) {
      if (line === '' || line.startsWith('#')) continue;
      const [address = '', prefix = '-', id = '-'] = line.split('\t');
      const bytes = parseIpAddress(address);
      if (bytes === undefined) continue; // the heading
      const found = lookUpOffline(loaded!.offline, bytes, address, 'default');
      const nextHop = found.routes[0]?.nextHops[0]?.address;
      const expectedHop =
        id === '-' ? undefined : formatIpAddress(numberedNextHop(Number(id), bytes.length));
      const isRight =
        (found.prefix ?? '-') === prefix &&
        (prefix === '-' || id === '-' || nextHop === expectedHop);
      if (!isRight) wrong.push({ line, found: found.prefix, nextHop });
    }
    expect(wrong.slice(0, 5)).toEqual([]);
  });
});
