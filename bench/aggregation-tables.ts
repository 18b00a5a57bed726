// The tables of the aggregation's benches: prefixes with next hops, as UPDATEs of one peer.
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { asSequence } from '../src/bgp/attributes/as-path.ts';
import { encodeAnnouncement, encodeWithdrawal } from '../src/bgp/messages/update.ts';
import type { WasmRouteCore } from '../src/core/core.ts';
import type { Aggregation } from '../src/core/route-core.ts';
import type { IpAddress } from '../src/net/ip-address.ts';
import type { Prefix } from '../src/net/prefix.ts';
import { readBytes } from '../src/sources/compression.ts';
import { readPrefixes } from '../src/sources/prefixes.ts';
import { MAX_MESSAGE_BYTES, newFedCore, PEER, PEER_ASN } from './fed-core.ts';

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

export async function readTable(name: string): Promise<LabelledRoute[]> {
  const routes: LabelledRoute[] = [];
  const lines = readPrefixes(readBytes(join(folder, `${name}.txt.xz`)), ({ line, reason }) => {
    throw new Error(`${name} line ${line}: ${reason}`);
  });
  for await (const batch of lines) routes.push(...batch);
  return routes;
}

/** One of `count` labels by the first 16 bits of an IPv4 prefix, 32 of an IPv6 one: what a node with few ways out sees. */
export function labelByBlock(prefix: Prefix, count: number): IpAddress {
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
): Promise<WasmRouteCore> {
  const core = await newFedCore({ holdRemovals, aggregation, cost: 'next-hops' });
  // An empty table is handed over at once: what is measured is not that walk.
  workAll(core);
  return core;
}

export function announcing(routes: readonly LabelledRoute[]): Uint8Array[] {
  const byNextHop = Map.groupBy(routes, ({ nextHop }) => nextHop.join('.'));
  return [...byNextHop.values()].flatMap((members) =>
    encodeAnnouncement(
      members.map(({ prefix }) => prefix),
      {
        origin: 'igp',
        asPath: asSequence([PEER_ASN]),
        nextHop: members[0]!.nextHop,
      },
      session,
    ),
  );
}

export function withdrawing(prefix: Prefix): Uint8Array {
  return encodeWithdrawal([prefix], session)[0]!;
}

export function receiveAll(core: WasmRouteCore, messages: readonly Uint8Array[]): void {
  for (const message of messages) {
    const { status } = core.receive(PEER, message, 1);
    if (status !== 'done') throw new Error(`UPDATE taken as ${status}, expected done`);
  }
}

export function workAll(core: WasmRouteCore): void {
  while (core.work(1_000_000)) {
    // to the end
  }
}
