// A re-list-and-diff importer, as a program of its own: the way routes get from FRR's kernel into OVN without Rutter. An honest twin of
// what OVN-Kubernetes' route import does, step by step:
//
//   first list at the start; then any kernel route event ► the delay, in which further events are one with it ► list all BGP routes of the
//   main table ► scan all rows of the router that are ours ► one transaction with what is missing and what is left over; each missing route
//   scans all rows once more, as its create-or-replace does
//
//   node bench/peers/relist-importer.ts --northbound SOCKET --router GR --port PORT [--delay MS]
//
// A route is identified by prefix and next hop: every member of a multipath route is a row. Members without a gateway and IPv4 over an IPv6
// gateway are passed over. Nobody else's rows are touched. Not the twin's fault: the list is read through `ip`, not over netlink; it is text
// that is split, not JSON. Not here: IPv6, networks' own subnets, a second try after an error (the run would fail).
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { NorthboundClient } from './northbound.ts';

const TABLE = 'Logical_Router_Static_Route';
const OWNER = 'RouteImport';
const OWNER_KEY = 'k8s.ovn.org/owner-controller';
/** Zebra's routes from BGP (rt_protos: bgp). */
const PROTOCOL = '186';

const { values: flags } = parseArgs({
  options: {
    northbound: { type: 'string', default: '' },
    router: { type: 'string', default: '' },
    port: { type: 'string', default: '' },
    delay: { type: 'string', default: '500' },
  },
});

interface Row {
  readonly prefix: string;
  readonly nexthop: string;
}

interface StoredRow {
  readonly _uuid: readonly ['uuid', string];
  readonly ip_prefix: string;
  readonly nexthop: string;
}

/** Every row that carries our owner, by uuid: a cache as a client library keeps one. */
const rows = new Map<string, Row>();
const client = await NorthboundClient.open(flags.northbound);
let isDirty = false;
let wake: () => void = () => undefined;

process.once('SIGTERM', () => process.exit(0)); // and the monitor with it
await watchKernel();
await readRows();
await sync();
for (;;) {
  await event();
  await sleep(Number(flags.delay));
  isDirty = false;
  await sync();
}

async function watchKernel(): Promise<void> {
  const monitor = spawn('ip', ['-o', 'monitor', 'route'], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(monitor, 'spawn');
  process.once('exit', () => monitor.kill());
  monitor.stdout.on('data', () => {
    isDirty = true;
    wake();
  });
}

/** Resolves at once when there was one since the last list began. */
async function event(): Promise<void> {
  if (isDirty) return;
  await new Promise<void>((resolve) => {
    wake = resolve;
  });
}

/** What an importer before this one has left. */
async function readRows(): Promise<void> {
  const where = [['external_ids', 'includes', ['map', [[OWNER_KEY, OWNER]]]]];
  const columns = ['_uuid', 'ip_prefix', 'nexthop'];
  const select = { op: 'select', table: TABLE, where, columns };
  const [selected] = await client.transact([select]);
  for (const row of (selected as { rows: StoredRow[] }).rows) {
    rows.set(row._uuid[1], { prefix: row.ip_prefix, nexthop: row.nexthop });
  }
}

async function sync(): Promise<void> {
  const wanted = await listKernel();
  const left = new Map([...rows].map(([uuid, row]) => [keyOf(row), uuid]));
  const missing: Row[] = [];
  for (const [key, row] of wanted) if (!left.delete(key)) missing.push(row);
  if (missing.length === 0 && left.size === 0) return;
  const inserts = missing.map((row) => {
    for (const known of rows.values()) if (isSame(known, row)) throw new Error('it was missing');
    return { row, uuid: crypto.randomUUID() };
  });
  const removed = [...left.values()];
  await client.transact([
    ...inserts.map(({ row, uuid }) => insert(row, uuid)),
    mutate([
      ['static_routes', 'insert', uuidSet(inserts.map(({ uuid }) => uuid))],
      ['static_routes', 'delete', uuidSet(removed)],
    ]),
  ]);
  for (const { row, uuid } of inserts) rows.set(uuid, row);
  for (const uuid of removed) rows.delete(uuid);
}

/** The predicate of create-or-replace. */
function isSame(a: Row, b: Row): boolean {
  return a.prefix === b.prefix && a.nexthop === b.nexthop;
}

function keyOf({ prefix, nexthop }: Row): string {
  return `${prefix} ${nexthop}`;
}

/** `ip -N route show`: one line per route, or one with an indented line per next hop. */
async function listKernel(): Promise<Map<string, Row>> {
  const args = ['-N', 'route', 'show', 'table', '254', 'proto', PROTOCOL];
  const child = spawn('ip', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const wanted = new Map<string, Row>();
  let prefix = '';
  for await (const line of createInterface({ input: child.stdout })) {
    const words = line.trim().split(' ');
    if (!line.startsWith('\t')) prefix = withLength(words[0]!);
    const via = words.indexOf('via');
    const nexthop = words[via + 1]!;
    if (via < 0 || nexthop === 'inet6') continue;
    const row = { prefix, nexthop };
    wanted.set(keyOf(row), row);
  }
  return wanted;
}

function withLength(text: string): string {
  if (text === 'default') return '0.0.0.0/0';
  return text.includes('/') ? text : `${text}/32`;
}

function insert({ prefix, nexthop }: Row, uuid: string): object {
  const row = {
    ip_prefix: prefix,
    nexthop,
    output_port: flags.port,
    external_ids: ['map', [[OWNER_KEY, OWNER]]],
  };
  return { op: 'insert', table: TABLE, uuid, row };
}

function mutate(mutations: readonly unknown[]): object {
  const where = [['name', '==', flags.router]];
  return { op: 'mutate', table: 'Logical_Router', where, mutations };
}

function uuidSet(uuids: readonly string[]): unknown {
  return ['set', uuids.map((uuid) => ['uuid', uuid])];
}
