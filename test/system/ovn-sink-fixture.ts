// A sink on a real Northbound database, and a plain map of what it has told the core.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildBatch, type ChangeText } from '../../bench/ovsdb-batch.ts';
import { NORTHBOUND_SCHEMA, OvsdbServer, waitFor } from '../../bench/ovsdb-server.ts';
import { decodeObservations } from '../../src/core/records.ts';
import { formatIpAddress } from '../../src/net/ip-address.ts';
import { formatPrefix } from '../../src/net/prefix.ts';
import type { OvnSinkOptions } from '../../src/sinks/ovn/options.ts';
import { createOvnSink } from '../../src/sinks/ovn/sink.ts';
import type { ApplyResult, Sink, SinkEvent } from '../../src/sinks/sink.ts';

export const ROUTER = 'gr';
export const PORT = 'out';

export async function startNorthbound(): Promise<OvsdbServer> {
  const server = await OvsdbServer.start();
  addRouter(server);
  return server;
}

/** The real schema, but next hops have at most 10 characters and, unless `ecmp`, a prefix has one row. */
export async function startStrictNorthbound({ ecmp = false } = {}): Promise<OvsdbServer> {
  const schema = JSON.parse(readFileSync(NORTHBOUND_SCHEMA, 'utf8'));
  const table = schema.tables.Logical_Router_Static_Route;
  table.columns.nexthop.type = { key: { type: 'string', maxLength: 10 } };
  if (!ecmp) table.indexes = [['ip_prefix']];
  delete schema.cksum;
  const directory = mkdtempSync(join(tmpdir(), 'rutter-schema-'));
  const file = join(directory, 'strict.ovsschema');
  writeFileSync(file, JSON.stringify(schema));
  const server = await OvsdbServer.start({ schema: file });
  rmSync(directory, { recursive: true });
  addRouter(server);
  return server;
}

/** Operations as somebody else sends them. */
export function transact(server: OvsdbServer, operations: readonly unknown[]): string {
  const text = JSON.stringify(['OVN_Northbound', ...operations]);
  return execFileSync('ovsdb-client', ['transact', server.remote, text], { encoding: 'utf8' });
}

export function addRouter(server: OvsdbServer): void {
  server.nbctl(
    'lr-add',
    ROUTER,
    '--',
    'lrp-add',
    ROUTER,
    PORT,
    '02:00:00:00:00:01',
    '172.18.0.254/16',
  );
}

/** An event with its prefixes as text. */
export interface ToldEvent {
  readonly type: SinkEvent['type'];
  readonly prefixes: readonly string[];
  readonly code?: string;
  readonly message?: string;
  readonly state?: string;
  readonly reason?: string;
  readonly ownedCount?: number;
  readonly foreignCount?: number;
}

/** A sink, and everything it said. */
export class SinkFixture {
  readonly sink: Sink;
  readonly events: ToldEvent[] = [];
  /** What the sink says is in place: prefix → `address*weight …`, `discard`. */
  readonly observed = new Map<string, string>();
  state = '';
  reason = '';
  #snapshot: Map<string, string> | undefined;

  constructor(options: Partial<OvnSinkOptions> & Pick<OvnSinkOptions, 'remotes'>) {
    this.sink = createOvnSink(
      {
        owner: 'node',
        network: 'default',
        router: ROUTER,
        outputPort: PORT,
        maxRoutes: 1_000_000,
        collision: 'skip',
        ...options,
      },
      (event) => this.#hear(event),
    );
  }

  async open(): Promise<this> {
    await this.sink.open();
    await this.ready();
    return this;
  }

  ready(): Promise<void> {
    return waitFor(() => this.state === 'ready', 'ready sink');
  }

  /** `remaining`: how many more changes the core holds. */
  apply(changes: readonly ChangeText[], remaining = 0): Promise<ApplyResult> {
    return this.sink.apply(buildBatch(changes, remaining));
  }

  /** Events of a type since the last forgetEvents(). */
  heard(type: SinkEvent['type']): ToldEvent[] {
    return this.events.filter((event) => event.type === type);
  }

  forgetEvents(): void {
    this.events.length = 0;
  }

  #hear(event: SinkEvent): void {
    const told = 'records' in event ? decodeObservations(event.records, event.byteLength) : [];
    const { records: _, byteLength: __, ...rest } = { records: 0, byteLength: 0, ...event };
    this.events.push({ ...rest, prefixes: told.map(({ prefix }) => formatPrefix(prefix)) });
    if (event.type === 'state') {
      this.state = event.state;
      this.reason = event.reason;
    }
    if (event.type === 'snapshotBegin') this.#snapshot = new Map();
    if (event.type === 'observed') {
      for (const { prefix, set } of told) {
        const into = this.#snapshot ?? this.observed;
        if (!set) into.delete(formatPrefix(prefix));
        else {
          const members = set.members.map(
            ({ address, weight }) => `${formatIpAddress(address)}*${weight}`,
          );
          into.set(formatPrefix(prefix), set.discard ? 'discard' : members.join(' '));
        }
      }
    }
    if (event.type === 'snapshotEnd') {
      this.observed.clear();
      for (const [prefix, set] of this.#snapshot!) this.observed.set(prefix, set);
      this.#snapshot = undefined;
    }
  }
}

/** The router's routes as ovn-nbctl lists them: `prefix via nexthop`, sorted, repeated as often as there are rows. */
export function listRoutes(server: OvsdbServer, router = ROUTER): string[] {
  return server
    .nbctl('lr-route-list', router)
    .split('\n')
    .map((line) => /^\s+(\S+)\s+(\S+) (dst-ip|src-ip)/.exec(line))
    .filter((match) => match !== null)
    .map((match) => `${match[1]} via ${match[2]}`)
    .sort();
}

/** One line per row with every column, for "byte-identical". */
export function dumpRow(server: OvsdbServer, uuid: string): string {
  return server.nbctl('--format=json', 'list', 'Logical_Router_Static_Route', uuid);
}

/** Adds a route of somebody else's; returns its uuid. */
export function addForeign(
  server: OvsdbServer,
  prefix: string,
  nexthop: string,
  columns: readonly string[] = [],
): string {
  return server
    .nbctl(
      '--id=@r',
      'create',
      'Logical_Router_Static_Route',
      `ip_prefix="${prefix}"`,
      `nexthop="${nexthop}"`,
      ...columns,
      '--',
      'add',
      'Logical_Router',
      ROUTER,
      'static_routes',
      '@r',
    )
    .trim();
}

export function removeForeign(server: OvsdbServer, uuid: string): void {
  server.nbctl('remove', 'Logical_Router', ROUTER, 'static_routes', uuid);
}

export function uuidsOf(server: OvsdbServer, prefix: string): string[] {
  return server
    .nbctl(
      '--bare',
      '--columns=_uuid',
      'find',
      'Logical_Router_Static_Route',
      `ip_prefix="${prefix}"`,
    )
    .split('\n')
    .filter((line) => line !== '');
}

/** n prefixes of 24 bits from 20.0.0.0 up. */
export function manyPrefixes(count: number, firstOctet = 20): string[] {
  return Array.from(
    { length: count },
    (_, i) => `${firstOctet + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.0/24`,
  );
}
