// The kernel as a sink (DESIGN §5): routes through `ip -batch`, next hops as nexthop objects, drift from `ip monitor`.
//
// Parts: table.ts finds the table; host-table.ts fills it; two monitors tell what others do. Here is the order of things:
//
// - Asking and changing the kernel happens one task after the other (#inTurn). `apply` is such a task, and so are reading everything,
//   checking after links or next hops changed, and removing unused objects.
// - The kernel drops next hop objects and their routes without a word when a link goes down. So any change of links, addresses, objects or
//   routes towards our next hops leads to a check: are our objects still there? If not, everything is read again, and the snapshot tells the main
//   thread what is missing. Checks that come together are one check.
// - Following a million of our own writes through `ip monitor` costs as much as half the writes. A big load therefore stops the route monitor;
//   when the load is over it starts again and everything is read once. Links and objects are always watched.
import { performance } from 'node:perf_hooks';
import type { FibBatch } from '../../core/records.ts';
import { IpMonitor } from '../../iproute2/monitor.ts';
import type { MonitorLine } from '../../iproute2/monitor-line.ts';
import { findTable, findVrf, type KernelTable, listVrfs } from '../../iproute2/table.ts';
import type { ApplyResult, EmitSinkEvent, Sink, SinkState } from '../sink.ts';
import { HostTable } from './host-table.ts';
import type { HostSinkOptions } from './options.ts';

/** Nothing applied for this long: the load is over. */
const IDLE_MS = 1000;
/** Between two checks: links that change by the hundred are one check each tenth of a second. */
const CHECK_SPACING_MS = 100;
/** When `ip` fails as a whole. */
const RETRY_MS = 2000;
/** A load of more lines than this, and than a quarter of what is there, is not followed through the monitor. */
const FOLLOWED_LINES = 20_000;
/** Looking for unused objects reads every table: it may take at most one part in this many of the time. */
const CLEANING_SHARE = 20;

const unknownResult: ApplyResult = { known: false, failures: [], durationMs: 0 };

export function createHostSink(options: HostSinkOptions, emit: EmitSinkEvent): Sink {
  return new HostSink(options, emit);
}

class HostSink implements Sink {
  readonly #options: HostSinkOptions;
  readonly #emit: EmitSinkEvent;
  readonly #routeMonitor: IpMonitor;
  readonly #linkMonitor: IpMonitor;
  #table: HostTable | undefined;
  #state: SinkState = 'connecting';
  #turn: Promise<unknown> = Promise.resolve();
  #isClosed = false;
  /** By another network: what looks like ours in the table may be its. */
  #isTaken = false;
  /** As the agent said last. */
  #isToBeTaken = false;
  #checkTimer: NodeJS.Timeout | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #lastCheck = Number.NEGATIVE_INFINITY;
  #linksChanged = false;
  #readAgain = false;
  #followed = true;
  #linesSinceIdle = 0;
  #nextCleaning = 0;

  constructor(options: HostSinkOptions, emit: EmitSinkEvent) {
    this.#options = options;
    this.#emit = emit;
    const { namespace } = options;
    const onMissed = () => this.#requestRead();
    this.#routeMonitor = new IpMonitor({
      namespace,
      objects: ['route'],
      onLine: (line) => this.#hearRoute(line),
      onLull: () => this.#table?.reportDrift(),
      onMissed,
    });
    this.#linkMonitor = new IpMonitor({
      namespace,
      objects: ['link', 'address', 'nexthop'],
      onLine: (line) => this.#hearLink(line),
      onLull: () => undefined,
      onMissed,
    });
  }

  async open(): Promise<void> {
    this.#tell('connecting', 'reading the kernel');
    this.#inBackground(() => this.#begin());
  }

  apply(batch: FibBatch): Promise<ApplyResult> {
    return this.#inTurn(() => this.#apply(batch));
  }

  /** It may be free because our device has another table by now: that is looked at before the old one is cleared up as ours. */
  block(isTaken: boolean): void {
    this.#isToBeTaken = isTaken;
    if (isTaken) this.#isTaken = true;
    else if (this.#isTaken) this.#inBackground(() => this.#takeOver());
  }

  async #takeOver(): Promise<void> {
    try {
      await this.#check();
    } finally {
      this.#isTaken = this.#isToBeTaken;
    }
  }

  flush(): Promise<{ removedCount: number }> {
    return this.#inTurn(async () => (await this.#table?.flush()) ?? { removedCount: 0 });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of [this.#checkTimer, this.#idleTimer, this.#retryTimer]) clearTimeout(timer);
    this.#routeMonitor.stop();
    this.#linkMonitor.stop();
    await this.#turn;
    this.#table?.close();
  }

  /** Finds the table and reads it; waits for it when there is none. */
  async #begin(): Promise<void> {
    this.#table?.close();
    this.#table = undefined;
    await this.#watch();
    const found = await this.#find();
    if (found === undefined) return this.#tell('waiting', this.#whyWaiting());
    this.#table = new HostTable(this.#options, found, this.#emit);
    this.#readAgain = false;
    await this.#table.read();
    if (this.#table.hasMisplaced && !this.#isTaken) await this.#moveMisplaced(this.#table);
    this.#tell('ready', `table ${found.number} read`);
    this.#startIdleTimer();
  }

  /** As many lines as a big load: not followed. */
  async #moveMisplaced(table: HostTable): Promise<void> {
    this.#routeMonitor.stop();
    await table.moveMisplaced();
    await this.#watch();
    await table.read();
  }

  #find(): Promise<KernelTable | undefined> {
    const { namespace, table, isVrf } = this.#options;
    return isVrf ? findVrf(namespace, String(table)) : findTable(namespace, table);
  }

  #whyWaiting(): string {
    const { table, isVrf } = this.#options;
    return isVrf ? `VRF device ${table} does not exist` : `no table or VRF device named ${table}`;
  }

  /** The VRF device is gone, or has another table. Its old one is nobody's now, unless another device has taken it over. */
  async #leave(table: HostTable): Promise<void> {
    const { number, vrf } = table.kernelTable;
    this.#tell('connecting', `table ${number} is not ${this.#options.table}'s any more`);
    if (vrf === undefined || this.#isTaken) return;
    const owners = await listVrfs(this.#options.namespace);
    if (!owners.some(({ vrfTable }) => vrfTable === number)) await table.flush();
  }

  async #watch(): Promise<void> {
    if (!this.#linkMonitor.isRunning) await this.#linkMonitor.start();
    if (!this.#routeMonitor.isRunning) await this.#routeMonitor.start();
    this.#followed = true;
  }

  async #apply(batch: FibBatch): Promise<ApplyResult> {
    const table = this.#table;
    if (table === undefined || this.#state !== 'ready') return unknownResult;
    clearTimeout(this.#idleTimer); // A batch under way is no idleness, however long the kernel takes.
    table.reportDrift();
    this.#followOrNot(table, batch.count);
    const start = performance.now();
    try {
      const { failures, lineCount, objectMissing } = await table.apply(batch);
      this.#linesSinceIdle += lineCount;
      if (objectMissing) this.#requestCheck();
      return { known: true, failures, durationMs: performance.now() - start };
    } catch (error) {
      // The child died: what it had done is in the kernel, and only there.
      this.#requestRead();
      this.#tell('connecting', (error as Error).message);
      return unknownResult;
    } finally {
      if (!this.#followed) table.settle();
      this.#startIdleTimer();
      setImmediate(() => this.#table?.reportDrift()); // After the answer is on its way.
    }
  }

  /** Stops following routes when a load has become big. */
  #followOrNot(table: HostTable, count: number): void {
    const lines = this.#linesSinceIdle + count;
    if (!this.#followed || lines <= Math.max(FOLLOWED_LINES, table.ownedCount / 4)) return;
    this.#followed = false;
    this.#routeMonitor.stop();
  }

  #startIdleTimer(): void {
    clearTimeout(this.#idleTimer);
    if (this.#isClosed) return;
    this.#idleTimer = setTimeout(() => this.#inBackground(() => this.#idle()), IDLE_MS);
  }

  /** The load is over: follow routes again, and clean up. */
  async #idle(): Promise<void> {
    const table = this.#table;
    if (table === undefined || this.#state !== 'ready') return;
    this.#linesSinceIdle = 0;
    if (!this.#followed) {
      await this.#watch();
      await table.read();
    }
    // What the monitor has not told a second after the last write changed nothing.
    if (table.hasOutstanding) table.settle();
    table.reportDrift();
    await this.#clean(table);
  }

  async #clean(table: HostTable): Promise<void> {
    if (!table.mayHaveUnused || this.#isTaken) return;
    const start = performance.now();
    if (start < this.#nextCleaning) return this.#startIdleTimer();
    await table.removeUnused();
    const end = performance.now();
    this.#nextCleaning = end + (end - start) * CLEANING_SHARE;
  }

  #hearRoute(line: MonitorLine): void {
    if (this.#table?.hearRoute(line)) this.#requestCheck();
  }

  #hearLink(line: MonitorLine): void {
    if (line.about === 'link') this.#linksChanged = true;
    if (line.about === 'nexthop' && !line.deleted) return; // Ours, or none of our business.
    this.#requestCheck();
  }

  #requestRead(): void {
    this.#readAgain = true;
    this.#requestCheck();
  }

  /** A check soon: at once after a quiet time. */
  #requestCheck(): void {
    if (this.#checkTimer !== undefined || this.#isClosed) return;
    const wait = Math.max(0, this.#lastCheck + CHECK_SPACING_MS - performance.now());
    this.#checkTimer = setTimeout(() => {
      this.#checkTimer = undefined;
      this.#inBackground(() => this.#check());
    }, wait);
  }

  async #check(): Promise<void> {
    this.#lastCheck = performance.now();
    const table = this.#table;
    const found = await this.#find();
    const known = table?.kernelTable;
    if (found?.number !== known?.number || found?.vrf !== known?.vrf) {
      if (table !== undefined) await this.#leave(table);
      return this.#begin();
    }
    if (table === undefined) return;
    if (this.#linksChanged) table.renewDevices();
    this.#linksChanged = false;
    if (this.#readAgain || !(await table.hasItsObjects())) {
      this.#readAgain = false;
      await table.read();
      this.#tell('ready', 'read again');
    }
    await table.followNextHops();
  }

  #tell(state: SinkState, reason: string): void {
    if (this.#state === 'ready' && state === 'ready') return;
    this.#state = state;
    this.#emit({ type: 'state', state, reason });
  }

  /** Runs a task when every earlier one has ended. */
  #inTurn<Result>(task: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(task);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** Runs a task nobody waits for; when `ip` fails as a whole, everything begins again a little later. */
  #inBackground(task: () => Promise<void>): void {
    if (this.#isClosed) return;
    this.#inTurn(async () => {
      if (!this.#isClosed) await task();
    }).catch((error: Error) => {
      if (this.#isClosed) return;
      this.#tell('connecting', error.message);
      clearTimeout(this.#retryTimer);
      this.#retryTimer = setTimeout(() => this.#inBackground(() => this.#begin()), RETRY_MS);
    });
  }
}
