// The crash test (P3, P4): the agent is killed at random moments of a full load, again and again. No route that is still valid
// is ever removed, from OVN or from the kernel, and the end is the table that an undisturbed run leaves.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { FeedProcess } from '../../bench/feed/process.ts';
import { type Northbound, startNorthbound } from '../../bench/peers/northbound.ts';
import { type RunningAgent, rutter } from '../../bench/peers/rutter.ts';
import { Site } from '../../bench/peers/site.ts';
import { execute } from '../../src/lab/execute.ts';
import { waitUntil } from '../../src/lab/processes.ts';

const ROUTES = 100_000;
const KILLS = 20;
/** A load takes about this long: a kill may come at any point of it. */
const LOAD_MS = 4000;
/** Bytes: a monitor that lost an event has proved nothing. */
const WATCH_BUFFER = String(256 << 20);

const isRoot = process.getuid?.() === 0;

it.runIf(isRoot)(
  `removes nothing and ends right after ${KILLS} kills during a load of ${ROUTES} routes`,
  async () => {
    const clean = await finalTables(async () => undefined);
    const crashed = await finalTables(async (life) => {
      for (let kill = 0; kill < KILLS; kill++) {
        await life.killAfter(Math.random() * LOAD_MS);
      }
    });
    expect(clean.kernel.length).toBe(ROUTES);
    expect(clean.rows.length).toBe(ROUTES);
    expect(crashed.removedRoutes).toEqual([]);
    expect(crashed.removedRows).toEqual([]);
    expect(crashed.kernel).toEqual(clean.kernel);
    expect(crashed.rows).toEqual(clean.rows);
  },
  900_000,
);

interface Tables {
  /** Routes of ours in the kernel: `prefix gateway`, sorted. */
  readonly kernel: readonly string[];
  /** Rows of ours in the Northbound database: `prefix nexthop`, sorted. */
  readonly rows: readonly string[];
  readonly removedRoutes: readonly string[];
  readonly removedRows: readonly string[];
}

interface Life {
  /** Starts the agent and a feed, and kills both that long after the session is up. */
  killAfter(delayMs: number): Promise<void>;
}

async function finalTables(disturb: (life: Life) => Promise<void>): Promise<Tables> {
  await using site = await Site.open();
  const northbound = await startNorthbound(site);
  const routes = watch(
    ['ip', '-rcvbuf', WATCH_BUFFER, '-n', site.routerNamespace, 'monitor', 'route'],
    /^Deleted (\S+)/,
  );
  const rows = watch(
    [
      ...['ovsdb-client', 'monitor', northbound.northbound, 'OVN_Northbound'],
      ...['Logical_Router_Static_Route', 'ip_prefix,!initial,!insert,!modify'],
    ],
    /delete\s+"?(\S+?)"?\s*$/,
  );
  try {
    const start = () => rutter.start(site, { intoKernel: true, ovn: northbound });
    await disturb({
      async killAfter(delayMs) {
        const agent = await start();
        const feed = await FeedProcess.start(site, ROUTES);
        await feed.established();
        await feed.beginTable();
        await sleep(delayMs);
        await agent.kill();
        await feed.stop();
      },
    });
    const agent = await start();
    const feed = await FeedProcess.start(site, ROUTES);
    await feed.established();
    await feed.beginTable();
    await untilInstalled(agent);
    const tables = {
      kernel: await kernelRoutes(site.routerNamespace),
      rows: await northboundRows(northbound),
    };
    return { ...tables, removedRoutes: routes.seen, removedRows: rows.seen };
  } finally {
    await routes.stop();
    await rows.stop();
  }
}

async function untilInstalled(agent: RunningAgent): Promise<void> {
  await waitUntil(
    async () =>
      (await agent.metric('rutter_target_installed_entries')) === 2 * ROUTES &&
      (await agent.metric('rutter_target_pending_entries')) === 0,
    { what: `${ROUTES} routes in the kernel and in OVN`, timeoutMs: 120_000, intervalMs: 200 },
  );
}

async function kernelRoutes(namespace: string): Promise<string[]> {
  const text = await execute('ip', [
    '-n',
    namespace,
    'route',
    'show',
    'table',
    'main',
    'proto',
    '114',
  ]);
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => `${line.split(' ')[0]} ${/via (\S+)/.exec(line)?.[1]}`)
    .sort();
}

async function northboundRows({ northbound }: Northbound): Promise<string[]> {
  const text = await execute('ovsdb-client', [
    ...['dump', '--format=csv', '--data=bare', northbound, 'OVN_Northbound'],
    ...['Logical_Router_Static_Route', 'ip_prefix', 'nexthop'],
  ]);
  return text
    .split('\n')
    .filter((line) => /^\d/.test(line))
    .map((line) => line.replace(',', ' '))
    .sort();
}

/** A monitor as a child: what its lines say was removed. */
function watch(
  [command, ...args]: string[],
  removed: RegExp,
): {
  readonly seen: string[];
  stop(): Promise<void>;
} {
  const child: ChildProcess = spawn(command!, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const seen: string[] = [];
  let complaints = '';
  child.stderr!.on('data', (chunk: Buffer) => {
    complaints += chunk.toString();
  });
  createInterface({ input: child.stdout! }).on('line', (line) => {
    const match = removed.exec(line);
    if (match !== null) seen.push(match[1]!);
  });
  return {
    seen,
    async stop() {
      expect({ command, complaints, exitCode: child.exitCode }).toEqual({
        command,
        complaints: '',
        exitCode: null,
      });
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}
