// Where one run takes place: a feed's namespace and a router's, a link between them, a directory, and what was started there.
//
// Closing takes everything away, in any case: at the end of the run, after a failure, and on Ctrl-C. Daemons are ended with
// SIGKILL: an orderly end would first take back a million routes that the namespace takes with it anyway.
import { chmodSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execute } from '../../src/lab/execute.ts';
import { NetworkNamespaces } from '../../src/lab/namespaces.ts';
import { Processes, type ProcessOptions, type RunningProcess } from '../../src/lab/processes.ts';

export const FEED_ADDRESS = '10.77.0.1';
export const ROUTER_ADDRESS = '10.77.0.2';
/** Next hops on the link that nobody needs to own. */
export const OTHER_NEXT_HOPS = ['10.77.0.3', '10.77.0.4'] as const;
/** Next hops of a table with several, on the link too. */
export function labelAddresses(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `10.77.0.${10 + index}`);
}

const FEED_AS = 65001;
/** Address and AS of feed number `index`; the first is FEED_ADDRESS of FEED_AS. */
export function feedAt(index: number): { readonly address: string; readonly asn: number } {
  return { address: index === 0 ? FEED_ADDRESS : `10.77.0.${100 + index}`, asn: FEED_AS + index };
}

export function feedsOf(count: number) {
  return Array.from({ length: count }, (_, index) => feedAt(index));
}

export const ROUTER_AS = 64512;
export const ROUTER_DEVICE = 'fabric';

const PREFIX_LENGTH = 24;
const MOST_FEEDS = 10;
/** The kernel takes a deleted namespace's routes apart in the background: about a second for a million. */
const SETTLE_MS_PER_ROUTE = 0.0015;

const openSites = new Set<Site>();
let isInterrupted = false;

export class Site implements AsyncDisposable {
  readonly directory: string;
  readonly #namespaces: NetworkNamespaces;
  readonly processes: Processes;
  readonly #started: RunningProcess[] = [];
  readonly #closers: (() => Promise<void>)[] = [];
  feedNamespace = '';
  routerNamespace = '';

  readonly #settleMs: number;

  private constructor(directory: string, kernelRoutes: number) {
    this.directory = directory;
    this.#settleMs = kernelRoutes * SETTLE_MS_PER_ROUTE;
    this.#namespaces = new NetworkNamespaces(`bench-${process.pid}`);
    this.processes = new Processes(directory);
  }

  /** `kernelRoutes`: how many there will be, so that closing waits until the kernel is rid of them. */
  static async open({ kernelRoutes = 0 } = {}): Promise<Site> {
    if (isInterrupted) throw new Error('interrupted');
    const directory = await mkdtemp(join(tmpdir(), `rutter-bench-${process.pid}-`));
    chmodSync(directory, 0o755); // FRR's user reads in it
    const site = new Site(directory, kernelRoutes);
    if (openSites.size === 0) closeOnSignal();
    openSites.add(site);
    try {
      await site.#wire();
    } catch (error) {
      await site[Symbol.asyncDispose]();
      throw error;
    }
    return site;
  }

  async #wire(): Promise<void> {
    this.feedNamespace = await this.#namespaces.add('feed');
    this.routerNamespace = await this.#namespaces.add('router');
    await this.#namespaces.link(
      {
        namespace: this.feedNamespace,
        device: 'router',
        addresses: feedsOf(MOST_FEEDS).map(({ address }) => `${address}/${PREFIX_LENGTH}`),
      },
      {
        namespace: this.routerNamespace,
        device: ROUTER_DEVICE,
        addresses: [`${ROUTER_ADDRESS}/${PREFIX_LENGTH}`],
      },
    );
  }

  /** Starts a daemon in the router's namespace. */
  async start(options: Omit<ProcessOptions, 'namespace'>): Promise<RunningProcess> {
    const running = await this.processes.start({ ...options, namespace: this.routerNamespace });
    this.#started.push(running);
    return running;
  }

  /** Something else to close first, for example a child with pipes. */
  onClose(close: () => Promise<void>): void {
    this.#closers.push(close);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!openSites.delete(this)) return;
    if (openSites.size === 0) stopClosingOnSignal();
    for (const close of this.#closers) await close();
    for (const running of this.#started) await running.stop('SIGKILL');
    await this.processes[Symbol.asyncDispose]();
    await this.#endStrays();
    await this.#namespaces[Symbol.asyncDispose]();
    await rm(this.directory, { recursive: true, force: true });
    await sleep(this.#settleMs);
  }

  /** What a daemon that was killed has left inside, for example its `ip monitor`. */
  async #endStrays(): Promise<void> {
    for (const namespace of [this.feedNamespace, this.routerNamespace].filter(Boolean)) {
      const pids = (await execute('ip', ['netns', 'pids', namespace])).split('\n').filter(Boolean);
      for (const pid of pids) end(Number(pid));
    }
  }
}

/** One that has just ended by itself is no error. */
function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function closeOnSignal(): void {
  process.on('SIGINT', closeAndExit);
  process.on('SIGTERM', closeAndExit);
}

function stopClosingOnSignal(): void {
  process.off('SIGINT', closeAndExit);
  process.off('SIGTERM', closeAndExit);
}

function closeAndExit(): void {
  isInterrupted = true;
  const closing = [...openSites].map((site) => site[Symbol.asyncDispose]());
  void Promise.allSettled(closing).then(() => process.exit(130));
}
