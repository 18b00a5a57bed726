// Follows kernel tables that somebody else fills (FRR): one listing, then events. Runs in a thread of its own.
//
//   ip monitor ──► lines ──► NextHopObjects, FollowedTable per source ──► at a lull, what has changed ──► emit
//   ip route show ──► the same tables, as a difference
//
// No event makes a listing, but for those after which the kernel's silence means something:
// - lines were missed (the socket ran over, or `ip monitor` died);
// - a device that routes leave by went down, came up, or moved to another VRF: the kernel drops IPv4 routes and next-hop objects of a dead
//   device and takes them up again without a word; an address that went takes routes with its source along the same way;
// - a line that can mean two things (followed-table.ts): once things are quiet, and not again for a while.
//
// While a listing is read, lines go on being followed; afterwards the listing is taken, and the lines since its start once more.
import { encodeObservations } from '../../core/records.ts';
import { IpMonitor } from '../../iproute2/monitor.ts';
import type { MonitorLine } from '../../iproute2/monitor-line.ts';
import { findTable, findVrf } from '../../iproute2/table.ts';
import { FollowedTable, TableListing } from './followed-table.ts';
import { LinkTable } from './link-table.ts';
import { readLines, readRoutes } from './listing.ts';
import type {
  FollowerOptions,
  KernelSourceMessage,
  KernelSourceOptions,
  KernelSourceState,
} from './messages.ts';
import { NextHopObjects } from './next-hop-objects.ts';
import { RouteLineReader } from './route-line.ts';

/** Observations per message: a few milliseconds of the main thread. */
const OBSERVATIONS_PER_MESSAGE = 2000;
/** A doubt is looked into when nothing has been doubtful for this long … */
const DOUBT_QUIET_MS = 200;
/** … and not again for this long: somebody may be writing such routes all the time. */
const DOUBT_PAUSE_MS = 10_000;
/** After a listing that could not be read. */
const RETRY_MS = 1000;

interface FollowedSource {
  readonly options: KernelSourceOptions;
  readonly table: FollowedTable;
  /** The kernel's number of the table, while it has one. */
  number: number | undefined;
  state: KernelSourceState | undefined;
  reason: string;
  /** Everything has been told once since the beginning, or since it was lost. */
  isListed: boolean;
}

export class KernelFollower {
  readonly #namespace: string | undefined;
  readonly #doubtPauseMs: number;
  readonly #emit: (message: KernelSourceMessage) => void;
  readonly #monitor: IpMonitor;
  readonly #lines = new RouteLineReader();
  readonly #objects = new NextHopObjects();
  readonly #sources: readonly FollowedSource[];
  readonly #links = new LinkTable();
  /** Next-hop objects that have changed since the last lull. */
  #touched = new Set<number>();
  /** Lines since the listing under way began. */
  #heard: MonitorLine[] | undefined;
  #isListing = false;
  /** How often lines were lost with the monitor. */
  #lossCount = 0;
  #mustListAgain = false;
  #isStopped = false;
  #timer: NodeJS.Timeout | undefined;
  #lastDoubtAt = Number.NEGATIVE_INFINITY;

  constructor(
    { namespace, sources, doubtPauseMs = DOUBT_PAUSE_MS }: FollowerOptions,
    emit: (message: KernelSourceMessage) => void,
  ) {
    this.#namespace = namespace;
    this.#doubtPauseMs = doubtPauseMs;
    this.#emit = emit;
    const indexOf = (device: string) => this.#links.indexOf(device);
    this.#sources = sources.map((options) => ({
      options,
      table: new FollowedTable(this.#objects, indexOf),
      number: undefined,
      state: undefined,
      reason: '',
      isListed: false,
    }));
    this.#monitor = new IpMonitor({
      namespace,
      objects: ['route', 'nexthop', 'link', 'address'],
      onLine: (line) => this.#hear(line),
      onLull: () => this.#lull(),
      onLost: (reason) => this.#lose(reason),
      onMissed: () => this.#list(),
    });
  }

  async start(): Promise<void> {
    for (const source of this.#sources) this.#enter(source, 'listing', 'not read yet');
    try {
      await this.#monitor.start();
    } catch {
      return; // `onLost` has said why; the monitor goes on trying.
    }
    this.#list();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#monitor.stop();
  }

  // ---- lines ----

  #hear(line: MonitorLine): void {
    this.#heard?.push(line);
    this.#take(line);
  }

  #take(line: MonitorLine): void {
    switch (line.about) {
      case 'route':
        this.#takeRoute(line);
        break;
      case 'nexthop':
        this.#takeObject(line);
        break;
      case 'link':
        this.#takeLink(line);
        break;
      case 'address':
        this.#takeAddress(line);
    }
  }

  #takeRoute({ text, deleted }: MonitorLine): void {
    const route = this.#lines.read(text, false);
    if (route === undefined) return;
    for (const { number, options, table } of this.#sources) {
      if (route.body.table !== number) continue;
      if (route.body.protocol === options.protocol) table.hear(route, deleted);
      else table.hearForeign(route, deleted);
    }
  }

  #takeObject({ text, deleted }: MonitorLine): void {
    const ids = this.#objects.hear(text, deleted);
    for (const id of ids) this.#touched.add(id);
    // At once, since the number may be used again in the next line.
    if (deleted) this.#dropGone(new Set(ids));
  }

  #takeLink({ text, deleted }: MonitorLine): void {
    const change = this.#links.hear(text, deleted);
    if (change === undefined) return;
    const { name, isAnother, hasMoved } = change;
    const isFollowed = this.#sources.some(({ options }) => options.table === name);
    if ((isFollowed && isAnother) || (hasMoved && this.#uses(name))) this.#list();
  }

  #takeAddress({ text, deleted }: MonitorLine): void {
    const address = / inet (\S+?)\//.exec(text)?.[1];
    if (!deleted || address === undefined) return;
    if (this.#sources.some(({ table }) => table.usesSource(address))) this.#list();
  }

  #uses(device: string): boolean {
    return (
      this.#objects.devices.has(device) ||
      this.#sources.some(({ table }) => table.usesDevice(device))
    );
  }

  #dropGone(ids: ReadonlySet<number>): void {
    const gone = new Set([...ids].filter((id) => this.#objects.resolve(id) === undefined));
    for (const { table } of this.#sources) table.dropObjects(gone);
  }

  #lull(): void {
    this.#tellChanges();
    this.#lookIntoDoubts();
  }

  // ---- listings ----

  /** Reads everything again; one listing at a time. */
  #list(): void {
    if (this.#isListing) {
      this.#mustListAgain = true;
      return;
    }
    if (this.#isStopped || !this.#monitor.isRunning) return;
    this.#isListing = true;
    this.#mustListAgain = false;
    const losses = this.#lossCount;
    this.#readAll(losses).then(
      () => this.#listed(losses),
      (error: Error) => this.#failed(error.message),
    );
  }

  async #readAll(losses: number): Promise<void> {
    this.#heard = [];
    const objects = (await readLines(this.#namespace, ['nexthop', 'show'])).lines;
    const links = (await readLines(this.#namespace, ['link', 'show'])).lines;
    for (const line of links) this.#links.list(line);
    // What became of the objects is known before the routes are read: bad news first (P6).
    this.#takeObjects(objects);
    this.#tellChanges();
    const listings: { source: FollowedSource; listing: TableListing }[] = [];
    for (const source of this.#sources) {
      listings.push({ source, listing: await this.#readSource(source) });
    }
    if (this.#isVoid(losses)) return;
    for (const { source, listing } of listings) source.table.load(listing);
    this.#takeObjects(objects);
  }

  /** The monitor has died since: lines are missing, and its end has been told. */
  #isVoid(losses: number): boolean {
    return this.#isStopped || losses !== this.#lossCount;
  }

  /** Takes a listing of the objects, then every line heard since it began. */
  #takeObjects(objects: readonly string[]): void {
    const touched = this.#objects.load(objects);
    for (const id of touched) this.#touched.add(id);
    this.#dropGone(touched);
    for (const line of this.#heard ?? []) this.#replay(line);
  }

  /** Links and addresses have been acted on. */
  #replay(line: MonitorLine): void {
    if (line.about === 'route' || line.about === 'nexthop') this.#take(line);
  }

  async #readSource(source: FollowedSource): Promise<TableListing> {
    const { table, isVrf, protocol } = source.options;
    const found = isVrf
      ? await findVrf(this.#namespace, String(table))
      : await findTable(this.#namespace, table);
    source.number = found?.number;
    if (found === undefined) return new TableListing();
    const read = await readRoutes(this.#namespace, found, protocol, this.#lines);
    if (!read.isWhole) this.#mustListAgain = true;
    return read.listing;
  }

  #listed(losses: number): void {
    this.#isListing = false;
    this.#heard = undefined;
    if (this.#isVoid(losses)) {
      this.#list();
      return;
    }
    for (const source of this.#sources) {
      if (source.isListed) continue;
      source.table.touchAll();
      source.isListed = true;
      this.#tellSource(source);
      const { options, table } = source;
      this.#emit({ type: 'listed', source: options.name, counts: { ...table.counts } });
    }
    this.#tellChanges();
    for (const source of this.#sources) this.#enterFound(source);
    if (this.#mustListAgain) this.#list();
    else this.#lookIntoDoubts();
  }

  #enterFound(source: FollowedSource): void {
    const { table, isVrf } = source.options;
    const missing = isVrf ? 'VRF device' : 'table or VRF device';
    if (source.number !== undefined) this.#enter(source, 'following', '');
    else this.#enter(source, 'waiting', `no ${missing} ${table}`);
  }

  #failed(reason: string): void {
    this.#isListing = false;
    this.#heard = undefined;
    this.#lose(reason);
    this.#later(RETRY_MS, () => this.#list());
  }

  #lookIntoDoubts(): void {
    if (this.#isListing || !this.#sources.some(({ table }) => table.isDoubtful)) return;
    const pause = this.#lastDoubtAt + this.#doubtPauseMs - performance.now();
    this.#later(Math.max(DOUBT_QUIET_MS, pause), () => {
      this.#lastDoubtAt = performance.now();
      this.#list();
    });
  }

  #later(delayMs: number, act: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = this.#isStopped ? undefined : setTimeout(act, delayMs);
  }

  // ---- what is told ----

  #tellChanges(): void {
    const touched = this.#touched;
    this.#touched = new Set();
    for (const source of this.#sources) {
      source.table.touchObjects(touched);
      if (source.isListed) this.#tellSource(source);
    }
  }

  #tellSource({ options, table }: FollowedSource): void {
    while (table.changeCount > 0) {
      const observations = table.takeChanges(OBSERVATIONS_PER_MESSAGE);
      this.#emit({
        type: 'routes',
        source: options.name,
        ...encodeObservations(observations),
        routeCount: observations.length,
        counts: { ...table.counts },
      });
    }
  }

  #lose(reason: string): void {
    this.#lossCount++;
    for (const source of this.#sources) {
      source.isListed = false;
      this.#enter(source, 'lost', reason);
    }
  }

  #enter(source: FollowedSource, state: KernelSourceState, reason: string): void {
    if (source.state === state && source.reason === reason) return;
    source.state = state;
    source.reason = reason;
    this.#emit({ type: 'state', source: source.options.name, state, reason });
  }
}
