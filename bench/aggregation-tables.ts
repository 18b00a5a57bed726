// The tables of the aggregation's benches: prefixes with next hops, as UPDATEs of one peer; and the points of a sweep over them.
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { asSequence } from '../src/bgp/attributes/as-path.ts';
import { encodeAnnouncement, encodeWithdrawal } from '../src/bgp/messages/update.ts';
import type { Aggregation } from '../src/core/fibs.ts';
import type { RouteCore } from '../src/core/route-core.ts';
import type { IpAddress } from '../src/net/ip-address.ts';
import type { Prefix } from '../src/net/prefix.ts';
import { readBytes } from '../src/sources/compression.ts';
import { readPrefixes } from '../src/sources/prefixes.ts';
import { MAX_MESSAGE_BYTES, newFedCore, PEER, PEER_ASN } from './fed-core.ts';
import { PREFIXES_PER_UPDATE } from './feed/stream.ts';
import type { Point, Sweep } from './harness/scenario.ts';

const session = { fourOctetAs: true, maxMessageBytes: MAX_MESSAGE_BYTES };

export interface LabelledRoute {
  readonly prefix: Prefix;
  readonly nextHop: IpAddress;
}

const folder = join(resolve(process.env['RUTTER_DATA'] ?? '../shared/data'), 'tables');

/** Names of the tables that are there. */
export function tableNames(): string[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((file) => file.endsWith('.txt.xz'));
  return files.map((file) => file.slice(0, -'.txt.xz'.length)).sort();
}

/** Ways out of a table that has none of its own. */
export const LABELS = 4;

export interface TablePoint extends Point {
  readonly table: string;
  /** LABELS next hops by /16 (IPv6: /32) instead of its own. */
  readonly byBlock: boolean;
}

/** Every table, and the large one with few next hops too. */
export function tablePoints(): TablePoint[] {
  const measured = tableNames().flatMap((table) => {
    const isBare = table.endsWith('-prefixes');
    const own = { table, byBlock: isBare };
    return table.startsWith('dfz') && !isBare ? [own, { table, byBlock: true }] : [own];
  });
  return measured.map(({ table, byBlock }, value) => ({
    name: byBlock ? `${table} with ${LABELS} labels` : table,
    value,
    table,
    byBlock,
  }));
}

/** The sweep over them, and why there is none. */
export function tableSweep(points: readonly TablePoint[]): {
  readonly sweep: Sweep;
  obstacle(): string | undefined;
} {
  const smallPoints = points.filter(({ table }) => table === 'linx-20170101-v6');
  return {
    sweep: { title: 'table', scale: 'names', points, smallPoints },
    obstacle: () => (points.length > 0 ? undefined : 'no tables in the directory RUTTER_DATA'),
  };
}

export async function readLabelled({ table, byBlock }: TablePoint): Promise<LabelledRoute[]> {
  const own = await readTable(table);
  if (!byBlock) return own;
  return own.map(({ prefix }) => ({ prefix, nextHop: labelByBlock(prefix, LABELS) }));
}

export async function readTable(name: string): Promise<LabelledRoute[]> {
  const routes: LabelledRoute[] = [];
  const lines = readPrefixes(readBytes(join(folder, `${name}.txt.xz`)), ({ line, reason }) => {
    throw new Error(`${name} line ${line}: ${reason}`);
  });
  for await (const batch of lines) routes.push(...batch);
  return routes;
}

/** One of `count` labels by the first 16 bits of an IPv4 prefix, 32 of an IPv6 one: what a node with few ways out sees. */
function labelByBlock(prefix: Prefix, count: number): IpAddress {
  const { address } = prefix;
  const block =
    address.length === 4
      ? address[0]! * 256 + address[1]!
      : ((address[0]! << 24) | (address[1]! << 16) | (address[2]! << 8) | address[3]!) >>> 0;
  const label = 1 + ((Math.imul(block, 0x9e3779b1) >>> 16) % count);
  if (address.length === 4) return Uint8Array.of(192, 0, 2, label);
  return Uint8Array.of(0x20, 1, 0xd, 0xb8, ...new Uint8Array(11), label);
}

export async function newAggregatingCore(
  aggregation: Aggregation,
  { holdRemovals = false } = {},
): Promise<RouteCore> {
  const core = await newFedCore({ holdRemovals, aggregation, cost: 'next-hops' });
  // An empty table is handed over at once: what is measured is not that walk.
  workAll(core);
  return core;
}

/** As few UPDATEs as there can be: all that goes one way together. */
export function announcing(routes: readonly LabelledRoute[]): Uint8Array[] {
  const byNextHop = Map.groupBy(routes, ({ nextHop }) => nextHop.join('.'));
  return [...byNextHop.values()].flatMap((members) => encodeTogether(members, [PEER_ASN]));
}

/** UPDATEs as a full table brings them: up to eight neighbours that go one way, with a path of their own. */
export function feeding(routes: readonly LabelledRoute[]): Uint8Array[] {
  const messages: Uint8Array[] = [];
  const send = (members: readonly LabelledRoute[]): void => {
    messages.push(...encodeTogether(members, [PEER_ASN, 200_000 + messages.length]));
  };
  const waiting = new Map<string, LabelledRoute[]>();
  for (const route of routes) {
    const key = route.nextHop.join('.');
    const members = waiting.get(key) ?? [];
    members.push(route);
    waiting.set(key, members);
    if (members.length < PREFIXES_PER_UPDATE) continue;
    send(members);
    waiting.delete(key);
  }
  for (const members of waiting.values()) send(members);
  return messages;
}

function encodeTogether(
  members: readonly LabelledRoute[],
  asns: readonly number[],
): readonly Uint8Array[] {
  return encodeAnnouncement(
    members.map(({ prefix }) => prefix),
    { origin: 'igp', asPath: asSequence(asns), nextHop: members[0]!.nextHop },
    session,
  );
}

export function withdrawing(prefix: Prefix): Uint8Array {
  return encodeWithdrawal([prefix], session)[0]!;
}

export function receiveAll(core: RouteCore, messages: readonly Uint8Array[]): void {
  for (const message of messages) {
    const { status } = core.receive(PEER, message, 1);
    if (status !== 'done') throw new Error(`UPDATE taken as ${status}, expected done`);
  }
}

export function workAll(core: RouteCore): void {
  while (core.work(1_000_000)) {
    // to the end
  }
}
