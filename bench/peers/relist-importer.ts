// A re-list-and-diff importer, as a program of its own: the way routes get from FRR's kernel into OVN without Rutter. An honest twin of
// what OVN-Kubernetes' route import does, step by step:
//
//   any kernel route event ► at most one sync per throttle ► list all BGP routes of the table ► scan all rows of the router that are ours ►
//   one transaction with what is missing and what is left over; each missing route scans all rows once more, as its create-or-replace does
//
//   node bench/peers/relist-importer.ts --northbound SOCKET --router GR --port PORT [--throttle MS]
//
// Not the twin's fault: the list is read through `ip`, not over netlink. It is text that is split, not JSON.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { NorthboundClient } from './northbound.ts';

const OWNER = 'RouteImport';
const OWNER_KEY = 'k8s.ovn.org/owner-controller';
/** Zebra's routes from BGP (rt_protos: bgp). */
const PROTOCOL = '186';

const { values: flags } = parseArgs({
  options: {
    northbound: { type: 'string', default: '' },
    router: { type: 'string', default: '' },
    port: { type: 'string', default: '' },
    throttle: { type: 'string', default: '500' },
  },
});

interface Row {
  readonly prefix: string;
  readonly nexthop: string;
}

/** Every row of the router that carries our owner, by uuid: a cache as a client library keeps one. */
const rows = new Map<string, Row>();
const client = await NorthboundClient.open(flags.northbound);
let isDirty = true;
let wake: () => void = () => undefined;

await watchKernel();
for (;;) {
  if (!isDirty) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  isDirty = false;
  await sync();
  await sleep(Number(flags.throttle));
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
    if (via < 0) continue;
    const row = { prefix, nexthop: words[via + 1]! };
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
  return { op: 'insert', table: 'Logical_Router_Static_Route', uuid, row };
}

function mutate(mutations: readonly unknown[]): object {
  const where = [['name', '==', flags.router]];
  return { op: 'mutate', table: 'Logical_Router', where, mutations };
}

function uuidSet(uuids: readonly string[]): unknown {
  return ['set', uuids.map((uuid) => ['uuid', uuid])];
}
