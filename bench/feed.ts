// A BGP sender as a process of its own, so that its CPU is nobody's: a full table at TCP speed, then single changes on request.
//
//   node bench/feed.ts --connect 10.77.0.2:179 --routes 1000000 --next-hop 10.77.0.1
//
// --stretch: routes that are neighbours. --labels A,B,…: neighbourhoods of the table go by one of these next hops instead, and are left out where
// it is empty. With --wait it sends the table when told to. Commands, one per line on standard input:
//   send                    the whole table and End-of-RIB
//   change ROUTE NEXTHOP    route number ROUTE again, with another next hop
//   withdraw ROUTE          that route
//   churn KIND ROUTES RATE SECONDS NEXTHOP   the first ROUTES routes restless, RATE UPDATEs a second (0: as fast as they are taken), to a whole period
//   quit
// Events, one JSON object per line on standard output, `at` in nanoseconds of the system's monotonic clock:
//   ready · established · begin · taken (the last byte is in the kernel) · acknowledged (and in the receiver's)
//   changed · churned · closed
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { parseIpAddress } from '../src/net/ip-address.ts';
import { formatPrefix } from '../src/net/prefix.ts';
import { type ChurnKind, churnPeriod, churnUpdate } from './feed/churn.ts';
import { FeedSession } from './feed/session.ts';
import { Feed } from './feed/stream.ts';
import { loadPrefixTable } from './feed/table.ts';

const { values: flags } = parseArgs({
  options: {
    connect: { type: 'string', default: '127.0.0.1:179' },
    'local-address': { type: 'string' },
    'local-as': { type: 'string', default: '65001' },
    'router-id': { type: 'string', default: '10.77.0.1' },
    'next-hop': { type: 'string', default: '10.77.0.1' },
    labels: { type: 'string', default: '' },
    stretch: { type: 'boolean', default: false },
    routes: { type: 'string', default: '1000000' },
    'connect-deadline': { type: 'string', default: '60' },
    wait: { type: 'boolean', default: false },
  },
});

function report(event: string, facts: object = {}): void {
  process.stdout.write(`${JSON.stringify({ event, at: now(), ...facts })}\n`);
}

/** Nanoseconds; every process of this machine reads the same clock. */
function now(): number {
  return Number(process.hrtime.bigint());
}

function address(text: string): Uint8Array {
  const parsed = parseIpAddress(text);
  if (parsed === undefined) throw new Error(`${text}: not an IP address`);
  return parsed;
}

async function sendTable(session: FeedSession, table: Uint8Array): Promise<void> {
  report('begin');
  await session.write(table);
  report('taken');
  await session.acknowledged();
  report('acknowledged');
}

async function sendOne(session: FeedSession, feed: Feed, words: string[]): Promise<void> {
  const route = Number(words[1]);
  const bytes =
    words[0] === 'change'
      ? feed.encodeChange(route, address(words[2] ?? flags['next-hop']))
      : feed.encodeWithdrawal(route);
  const at = now();
  await session.write(bytes);
  report('changed', { at, prefix: formatPrefix(feed.prefix(route)) });
}

const CHURN_TICK_MS = 5;
/** UPDATEs written between two looks at the clock when nothing holds them back. */
const UNPACED_STEP = 500;

/** Paced by the clock, held back by the receiver: what it does not take is not sent. */
async function churn(session: FeedSession, feed: Feed, words: string[]): Promise<void> {
  const [, kind, routes, rate, seconds, otherNextHop] = words;
  const options = {
    kind: kind as ChurnKind,
    routes: Number(routes),
    nextHop: address(flags['next-hop']),
    otherNextHop: address(otherNextHop ?? flags['next-hop']),
  };
  const period = churnPeriod(options);
  const started = performance.now();
  session.takeLongestSilenceMs();
  let sent = 0;
  let last = Number.POSITIVE_INFINITY;
  report('churning');
  while (sent < last) {
    const elapsed = (performance.now() - started) / 1000;
    if (elapsed >= Number(seconds)) last = Math.ceil(Math.max(sent, 1) / period) * period; // every route as it was
    const due = Number(rate) > 0 ? Math.floor(elapsed * Number(rate)) : sent + UNPACED_STEP;
    const updates: Uint8Array[] = [];
    for (; sent < Math.min(due, last); sent++) updates.push(churnUpdate(feed, options, sent));
    if (updates.length > 0) await session.write(Buffer.concat(updates));
    if (Number(rate) > 0) await sleep(CHURN_TICK_MS);
  }
  const endedAt = now();
  await session.acknowledged();
  const silenceMs = session.takeLongestSilenceMs();
  const seen = (performance.now() - started) / 1000;
  report('churned', { updates: sent, seconds: seen, endedAt, silenceMs });
}

async function obey(session: FeedSession, feed: Feed, table: Uint8Array): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const words = line.trim().split(/\s+/);
    if (words[0] === 'quit') return;
    if (words[0] === 'send') await sendTable(session, table);
    else if (words[0] === 'change' || words[0] === 'withdraw') await sendOne(session, feed, words);
    else if (words[0] === 'churn') await churn(session, feed, words);
    else if (line.trim() !== '') report('unknown', { command: line });
  }
}

const localAs = Number(flags['local-as']);
const prefixes = await loadPrefixTable(Number(flags.routes), { isStretch: flags.stretch });
const labels =
  flags.labels === ''
    ? {}
    : { labels: flags.labels.split(',').map((text) => (text ? address(text) : undefined)) };
const feed = new Feed(prefixes, { localAs, nextHop: address(flags['next-hop']), ...labels });
const table = feed.encodeTable();
report('ready', {
  routes: feed.routeCount,
  realRoutes: prefixes.realCount,
  updates: feed.updateCount,
  bytes: table.length,
});

const [host = '', port = '179'] = flags.connect.split(':');
const session = await FeedSession.open({
  host,
  port: Number(port),
  localAddress: flags['local-address'],
  localAs,
  routerId: address(flags['router-id']),
  connectDeadlineMs: Number(flags['connect-deadline']) * 1000,
});
report('established');
void session.closed.then((reason) => {
  report('closed', { reason });
  process.exit(reason === 'connection closed' ? 0 : 1);
});
if (!flags.wait) await sendTable(session, table);
await obey(session, feed, table);
session.close();
