// One kernel table being filled: reading it, writing batches to it, and noticing what others do to it.
//
// Everything that asks or changes the kernel runs one after the other (the sink sees to that); the monitor's lines come at any time
// and only take notes here. What was seen is reported through `emit` when it can no longer be overtaken (drift.ts).
import type { FibBatch, Observation } from '../../core/records.ts';
import { encodeForeign, encodeObservations } from '../../core/records.ts';
import { IpBatch } from '../../iproute2/batch.ts';
import { type KernelRoute, parseGateways, parseKernelRoute } from '../../iproute2/kernel-route.ts';
import { Links } from '../../iproute2/links.ts';
import type { MonitorLine } from '../../iproute2/monitor-line.ts';
import type { KernelTable } from '../../iproute2/table.ts';
import { readTable, readUsedNextHops } from '../../iproute2/table-reader.ts';
import { isLinkLocal } from '../../net/ip-address.ts';
import { containsPrefix, type Prefix, parsePrefix } from '../../net/prefix.ts';
import type { EmitSinkEvent } from '../sink.ts';
import { Drift } from './drift.ts';
import { ForeignRoutes } from './foreign-routes.ts';
import { type MisplacedRoute, misplacedRoute, moveToMetric } from './metric-move.ts';
import { NextHopMaker } from './nexthop-maker.ts';
import { NextHopObjects, type SetMembers } from './nexthop-objects.ts';
import type { HostSinkOptions } from './options.ts';
import { OwnWrites, type Written } from './own-writes.ts';
import { isOurs, RouteLines, type RouteMark } from './route-line.ts';
import { RouteWriter, type WriteResult } from './route-writer.ts';
import { WaitingRecords } from './waiting-records.ts';

/** Observations per event: a few milliseconds of the main thread. */
const OBSERVATIONS_PER_EVENT = 5000;

interface PrintedRoute {
  readonly route: KernelRoute;
  readonly text: string;
}

export class HostTable {
  readonly kernelTable: KernelTable;
  readonly #options: HostSinkOptions;
  readonly #emit: EmitSinkEvent;
  readonly #mark: RouteMark;
  readonly #links: Links;
  readonly #ip: IpBatch;
  readonly #objects: NextHopObjects;
  readonly #maker: NextHopMaker;
  readonly #writer: RouteWriter;
  readonly #lines: RouteLines;
  readonly #writes = new OwnWrites();
  readonly #drift = new Drift();
  readonly #waiting = new WaitingRecords();
  /** Prefixes where a route of somebody else has our metric. */
  readonly #foreign = new Set<string>();
  /** All their routes in the table, where they are to be told. */
  readonly #foreignRoutes: ForeignRoutes | undefined;
  /** Routes per next hop object, roughly: tells when it is worth looking for unused objects, never that one is unused. */
  readonly #usage = new Map<number, number>();
  /** Routes of ours with a metric of before. */
  #misplaced: MisplacedRoute[] = [];
  #ownedCount = 0;
  #mayHaveUnused = false;
  #batchNumber = 0;
  #answeredBatch = 0;
  /** Route lines that came while the table was read; undefined at other times. */
  #held: MonitorLine[] | undefined;

  constructor(options: HostSinkOptions, table: KernelTable, emit: EmitSinkEvent) {
    const { namespace, protocol, metric } = options;
    this.#mark = { table: table.number, protocol, metric };
    this.#options = options;
    this.kernelTable = table;
    this.#emit = emit;
    this.#foreignRoutes = options.tellsForeign ? new ForeignRoutes(metric) : undefined;
    this.#links = new Links(namespace);
    this.#ip = new IpBatch(namespace);
    this.#lines = new RouteLines(this.#mark);
    this.#objects = new NextHopObjects(table.number, protocol);
    const scope = { namespace, protocol, vrfs: options.nextHopVrfs ?? [undefined] };
    const [ip, links, objects] = [this.#ip, this.#links, this.#objects];
    this.#maker = new NextHopMaker({ ip, scope, links, objects });
    this.#writer = new RouteWriter({
      ip,
      lines: this.#lines,
      objects,
      maker: this.#maker,
      writes: this.#writes,
      foreign: this.#foreign,
      waiting: this.#waiting,
      isOurs: (route) => this.#isOurs(route),
      readExact: (prefixes) => this.#readExact(prefixes),
      onMoved: (from, to) => this.#count(from, to),
    });
  }

  /** Routes of ours, roughly. */
  get ownedCount(): number {
    return this.#ownedCount;
  }

  get mayHaveUnused(): boolean {
    return this.#mayHaveUnused;
  }

  /** Whether the last reading saw routes of ours with a metric of before. */
  get hasMisplaced(): boolean {
    return this.#misplaced.length > 0;
  }

  /** Gives them the metric of now. The table must be read again afterwards. */
  moveMisplaced(): Promise<void> {
    return moveToMetric(this.#ip, this.#misplaced, this.#mark);
  }

  /** Whether the monitor still owes echoes. */
  get hasOutstanding(): boolean {
    return this.#writes.outstandingCount > 0;
  }

  /** Reads all that is there and reports it as one snapshot. */
  async read(): Promise<void> {
    this.#held = [];
    this.#ip.prepare();
    await this.#links.read();
    this.#objects.load(await this.#maker.readKernel(), (device) => this.#links.indexOf(device));
    this.#foreign.clear();
    this.#foreignRoutes?.clear();
    this.#usage.clear();
    this.#emit({ type: 'snapshotBegin' });
    const counts = await this.#readRoutes();
    this.#tellForeign();
    this.#emit({ type: 'snapshotEnd', ...counts });
    this.#ownedCount = counts.ownedCount;
    const unused = this.#objects.unused(new Set(this.#usage.keys()));
    this.#mayHaveUnused = unused.length > 0;
    this.#releaseFree();
    this.#hearHeld();
  }

  async apply(batch: FibBatch): Promise<WriteResult> {
    this.#batchNumber++;
    try {
      const result = await this.#writer.write(batch);
      if (result.notFound.size > 0) await this.#lookAgain(result.notFound);
      return result;
    } finally {
      this.#answeredBatch = this.#batchNumber;
    }
  }

  /**
   * A route of ours that could not be removed as it was known may still be there, changed by somebody a moment ago. The answer to the batch
   * says that it is gone; what is there is reported after it.
   */
  async #lookAgain(prefixes: ReadonlySet<string>): Promise<void> {
    for (const [prefix, { route, text }] of await this.#readExact(prefixes)) {
      if (this.#isOurs(route)) this.#drift.see(prefix, this.#setOf(route, text), this.#batchNumber);
    }
  }

  /** Whether every next hop object is as we left it: the kernel drops them, and their routes, when a link goes down. */
  async hasItsObjects(): Promise<boolean> {
    return this.#objects.matches(await this.#maker.readKernel());
  }

  /** Follows gateways and devices, and releases what waited for a next hop that is reachable now. */
  async followNextHops(): Promise<void> {
    await this.#maker.follow(this.#objects.nextHops);
    const unreachable = this.#waiting.unreachableNextHops;
    const locations = await this.#maker.locate(unreachable);
    const released = unreachable.flatMap((nextHop, i) =>
      locations[i]!.reachable ? this.#waiting.takeReachable(nextHop) : [],
    );
    this.#release(released);
  }

  /** Removes objects of ours that no route in any table uses. */
  async removeUnused(): Promise<void> {
    const used = await readUsedNextHops(this.#options.namespace);
    await this.#maker.remove(this.#objects.unused(used));
    this.#mayHaveUnused = false;
  }

  /** Removes every route and object of ours. */
  async flush(): Promise<{ removedCount: number }> {
    const routes: KernelRoute[] = [];
    await this.#eachRoute((route) => this.#isOurs(route) && routes.push(route));
    this.#writes.beginBatch();
    const lines = this.#lines;
    const writes = this.#writes;
    const removals = (function* () {
      for (const { prefix, nextHopId } of routes) {
        writes.expect(prefix, 'removed');
        yield lines.remove(prefix, nextHopId);
      }
    })();
    const refused = await this.#ip.run(removals);
    this.#usage.clear();
    this.#ownedCount = 0;
    await this.removeUnused();
    return { removedCount: routes.length - refused.length };
  }

  /** Links have changed: what the child knows of device names may be wrong. */
  renewDevices(): void {
    this.#ip.renew();
  }

  /** Nothing that was written will be told any more (the monitor is stopped, or has caught up). */
  settle(): void {
    this.#writes.settle();
  }

  close(): void {
    this.#ip.close();
  }

  /** Takes note of a change the kernel told; true when it may move one of our next hops. */
  hearRoute(line: MonitorLine): boolean {
    if (this.#held !== undefined) {
      this.#held.push(line);
      return false;
    }
    const route = parseKernelRoute(line.text, false);
    if (route === undefined) return false;
    const { table, metric, prefix } = route;
    const isInTheWay = table === this.kernelTable.number && metric === this.#options.metric;
    if (isInTheWay && this.#isOurs(route)) {
      this.#hearOwn(line, route);
      return false;
    }
    if (table === this.kernelTable.number) this.#noteForeign(line, route);
    if (isInTheWay) this.#hearForeign(line, prefix);
    return this.#coversNextHop(prefix);
  }

  /** An echo of what we wrote, or somebody's hand on a route of ours. */
  #hearOwn(line: MonitorLine, route: KernelRoute): void {
    const { prefix } = route;
    const written: Written = line.deleted ? 'removed' : (route.nextHopId ?? 'removed');
    const isEcho = (line.deleted || route.nextHopId !== undefined) && this.#echo(prefix, written);
    if (isEcho) return;
    const set = line.deleted ? undefined : this.#setOf(route, line.text);
    this.#drift.see(prefix, set, this.#batchNumber);
  }

  #coversNextHop(text: string): boolean {
    const prefix = parsePrefix(text);
    if (prefix === undefined) return false;
    const nextHops = [...this.#objects.nextHops, ...this.#waiting.unreachableNextHops];
    return nextHops.some(({ address }) =>
      containsPrefix(prefix, { address, length: address.length * 8 }),
    );
  }

  /** Reports what others did, as far as it is certain. */
  reportDrift(): void {
    if (this.#held !== undefined) return;
    this.#tellForeign();
    if (this.#drift.size === 0) return;
    const seen = this.#drift.take(this.#answeredBatch, (prefix) =>
      this.#writes.isOutstanding(prefix),
    );
    const observations = seen.flatMap(({ prefix, set }) => {
      const parsed = parsePrefix(prefix);
      return parsed === undefined ? [] : [{ prefix: parsed, set }];
    });
    this.#observe(observations);
  }

  #echo(prefix: string, written: Written): boolean {
    if (!this.#writes.takeEcho(prefix, written)) return false;
    this.#drift.overwritten(prefix);
    return true;
  }

  #noteForeign({ deleted }: MonitorLine, { prefix, metric }: KernelRoute): void {
    if (deleted) this.#foreignRoutes?.delete(prefix, metric);
    else this.#foreignRoutes?.add(prefix, metric);
  }

  #tellForeign(): void {
    const changed = this.#foreignRoutes?.takeChanged() ?? [];
    for (let start = 0; start < changed.length; start += OBSERVATIONS_PER_EVENT) {
      const routes = changed.slice(start, start + OBSERVATIONS_PER_EVENT).flatMap((each) => {
        const prefix = parsePrefix(each.prefix);
        return prefix === undefined ? [] : [{ prefix, kind: each.kind }];
      });
      this.#emit({ type: 'foreign', ...encodeForeign(routes) });
    }
  }

  /** A route of somebody else at our metric: where it has replaced ours, ours is gone. */
  #hearForeign({ deleted }: MonitorLine, prefix: string): void {
    if (!deleted) {
      this.#foreign.add(prefix);
      this.#drift.see(prefix, undefined, this.#batchNumber);
      return;
    }
    this.#foreign.delete(prefix);
    const waiting = this.#waiting.takeCollision(prefix);
    if (waiting !== undefined) this.#release([waiting]);
  }

  async #readRoutes(): Promise<{ ownedCount: number; foreignCount: number }> {
    const counts = { ownedCount: 0, foreignCount: 0 };
    let observations: Observation[] = [];
    this.#misplaced = [];
    await this.#eachRoute((route, text) => {
      const misplaced = misplacedRoute(route, this.#mark, (id) => this.#objects.isOwnId(id));
      if (misplaced !== undefined) {
        this.#count(undefined, route.nextHopId);
        this.#misplaced.push(misplaced);
        return;
      }
      if (!this.#isOurs(route)) {
        counts.foreignCount++;
        this.#foreignRoutes?.add(route.prefix, route.metric);
        if (route.metric === this.#options.metric) this.#foreign.add(route.prefix);
        return;
      }
      counts.ownedCount++;
      this.#count(undefined, route.nextHopId);
      const prefix = parsePrefix(route.prefix);
      if (prefix !== undefined) observations.push({ prefix, set: this.#setOf(route, text) });
      if (observations.length < OBSERVATIONS_PER_EVENT) return;
      this.#observe(observations);
      observations = [];
    });
    this.#observe(observations);
    return counts;
  }

  /** The routes with our metric at these prefixes, and as they are printed. */
  async #readExact(prefixes: ReadonlySet<string>): Promise<Map<string, PrintedRoute>> {
    const found = new Map<string, PrintedRoute>();
    await this.#eachRoute((route, text) => {
      if (route.metric !== this.#options.metric || !prefixes.has(route.prefix)) return;
      // Where somebody else's route shares the prefix with ours, theirs decides.
      const known = found.get(route.prefix);
      if (known === undefined || this.#isOurs(known.route))
        found.set(route.prefix, { route, text });
    });
    return found;
  }

  #eachRoute(onRoute: (route: KernelRoute, text: string) => void): Promise<void> {
    return readTable(this.#options.namespace, this.kernelTable.number, onRoute);
  }

  #hearHeld(): void {
    const lines = this.#held ?? [];
    this.#held = undefined;
    for (const line of lines) this.hearRoute(line);
    this.reportDrift();
  }

  /** What a route of ours does, through its object or as it is printed. */
  #setOf(route: KernelRoute, text: string): SetMembers {
    const known = route.nextHopId === undefined ? undefined : this.#objects.setOf(route.nextHopId);
    if (known !== undefined) return known;
    if (route.isBlackhole) return { discard: true, members: [] };
    const members = parseGateways(text).map(({ address, device, weight }) => {
      const interfaceIndex = isLinkLocal(address) ? this.#links.indexOf(device ?? '') : 0;
      return { address, weight, interfaceIndex };
    });
    return { discard: false, members };
  }

  #isOurs(route: KernelRoute): boolean {
    return isOurs(route, this.#mark, (id) => this.#objects.isOwnId(id));
  }

  #count(from: number | undefined, to: number | undefined): void {
    if (from !== undefined) {
      const left = (this.#usage.get(from) ?? 0) - 1;
      this.#usage.set(from, left);
      if (left <= 0) this.#mayHaveUnused = true;
    }
    if (to !== undefined) this.#usage.set(to, (this.#usage.get(to) ?? 0) + 1);
    if (from === undefined && to !== undefined) this.#ownedCount++;
    if (from !== undefined && to === undefined) this.#ownedCount--;
  }

  /** What collided with a route that is not there any more. */
  #releaseFree(): void {
    this.#release(this.#waiting.takeFree(this.#foreign));
  }

  #release(prefixes: readonly Prefix[]): void {
    if (prefixes.length === 0) return;
    const records = encodeObservations(prefixes.map((prefix) => ({ prefix, set: undefined })));
    this.#emit({ type: 'released', ...records });
  }

  #observe(observations: readonly Observation[]): void {
    if (observations.length === 0) return;
    this.#emit({ type: 'observed', ...encodeObservations(observations) });
  }
}
