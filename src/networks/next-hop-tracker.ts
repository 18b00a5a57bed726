// Keeps the core informed whether the kernel can reach each BGP next hop, and at what cost (RFC 4271 §9.1.2.1, §9.1.2.2 e).
//
// The core says which next hops it uses; the kernel is asked where they are, and asked again when links, addresses or routes that can
// matter change. Routes of our own protocol never resolve a next hop: we would follow ourselves (route-lookup.ts).
//
// Changes of links and addresses are told at once. Routes are told one by one while they are few; when somebody (we, mostly) writes them by the
// thousand, following each would cost more than it tells: then listening stops for a while, and everything is asked anew once a second.
//
// Without iproute2 nobody can be asked: every next hop counts as resolved.
import type { NextHopEvent } from '../core/next-hop-events.ts';
import type { RouteCore } from '../core/route-core.ts';
import { IpError } from '../iproute2/command.ts';
import { parseKernelRoute } from '../iproute2/kernel-route.ts';
import { Links } from '../iproute2/links.ts';
import { IpMonitor } from '../iproute2/monitor.ts';
import type { MonitorLine } from '../iproute2/monitor-line.ts';
import { lookUpRoutes, type Vrf } from '../iproute2/route-lookup.ts';
import { formatIpAddress, type IpAddress, isLinkLocal } from '../net/ip-address.ts';
import { containsPrefix, parsePrefix } from '../net/prefix.ts';

/** More route lines than this in a second are not followed. */
const FOLLOWED_LINES = 2000;
const SECOND_MS = 1000;
/** Seconds without listening after too many lines. */
const PAUSE_SECONDS = 5;
const RETRY_MS = 1000;

export interface NextHopTrackerOptions {
  readonly core: Pick<RouteCore, 'setNextHop'>;
  /** Kernel route protocol of our own routes. */
  readonly protocol: number;
  readonly log: { warn(fields: object, event: string): void };
  /** The core was told something: there may be work. */
  readonly onChanged: () => void;
  /** Every next hop told of so far has been asked for. */
  readonly onSettled?: () => void;
  /** Network namespace to ask; undefined is our own. */
  readonly namespace?: string;
  /** Where the next hops of a network are: VRF devices in this order, undefined for the main tables. All are in the main tables by default. */
  readonly vrfsOf?: (network: number) => readonly Vrf[];
}

interface TrackedNextHop {
  readonly event: NextHopEvent;
  readonly text: string;
  /** What the core was told last. */
  told: { readonly resolved: boolean; readonly metric: number } | undefined;
}

type Resolution = NonNullable<TrackedNextHop['told']>;

export class NextHopTracker {
  readonly #options: NextHopTrackerOptions;
  readonly #tracked = new Map<number, TrackedNextHop>();
  readonly #asked = new Set<number>();
  readonly #links: Links;
  readonly #linkMonitor: IpMonitor;
  readonly #routeMonitor: IpMonitor;
  #hasIp = false;
  #isResolving = false;
  #isStopped = false;
  #ticker: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #lineCount = 0;
  #pausedSeconds = 0;

  constructor(options: NextHopTrackerOptions) {
    this.#options = options;
    const { namespace } = options;
    this.#links = new Links(namespace);
    const askAll = () => this.#askAll();
    const common = { namespace, onMissed: askAll, onLull: () => this.#resolve() };
    this.#linkMonitor = new IpMonitor({ ...common, objects: ['link', 'address'], onLine: askAll });
    this.#routeMonitor = new IpMonitor({
      ...common,
      objects: ['route'],
      onLine: (line) => this.#hearRoute(line),
    });
  }

  async start(): Promise<void> {
    try {
      await this.#linkMonitor.start();
      await this.#routeMonitor.start();
      this.#hasIp = true;
    } catch (error) {
      this.#linkMonitor.stop();
      this.#routeMonitor.stop();
      this.#options.log.warn({ reason: (error as Error).message }, 'next hops are not tracked');
    }
    if (this.#hasIp) this.#ticker = setInterval(() => void this.#tick(), SECOND_MS).unref();
    this.#askAll();
    this.#resolve();
  }

  /** Whether the core knows of every next hop told of so far. */
  get isSettled(): boolean {
    return this.#asked.size === 0 && !this.#isResolving;
  }

  /** What the core was told of the way to a next hop. */
  metric(network: number, address: IpAddress): number {
    const text = formatIpAddress(address);
    for (const each of this.#tracked.values()) {
      if (each.event.network === network && each.text === text) return each.told?.metric ?? 0;
    }
    return 0;
  }

  /** Takes the next hops that have come or gone. */
  take(events: readonly NextHopEvent[]): void {
    for (const event of events) {
      if (event.kind === 'removed') {
        this.#tracked.delete(event.id);
        continue;
      }
      const text = formatIpAddress(event.address);
      this.#tracked.set(event.id, { event, text, told: undefined });
      this.#asked.add(event.id);
    }
    this.#resolve();
  }

  /** Networks live elsewhere now: everything is asked anew. */
  askAgain(): void {
    this.#askAll();
    this.#resolve();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#ticker);
    clearTimeout(this.#retry);
    this.#linkMonitor.stop();
    this.#routeMonitor.stop();
  }

  #askAll(): void {
    for (const id of this.#tracked.keys()) this.#asked.add(id);
  }

  /** Asks about the next hops a changed route covers. */
  #hearRoute({ text }: MonitorLine): void {
    this.#lineCount++;
    if (this.#lineCount > FOLLOWED_LINES) {
      this.#pause();
      return;
    }
    const route = parseKernelRoute(text, false);
    if (route === undefined || route.protocol === this.#options.protocol) return;
    const prefix = parsePrefix(route.prefix);
    if (prefix === undefined) return;
    for (const [id, { event }] of this.#tracked) {
      const host = { address: event.address, length: event.address.length * 8 };
      if (containsPrefix(prefix, host)) this.#asked.add(id);
    }
  }

  #pause(): void {
    this.#routeMonitor.stop();
    this.#pausedSeconds = PAUSE_SECONDS;
  }

  /** Once a second. */
  async #tick(): Promise<void> {
    this.#lineCount = 0;
    if (this.#pausedSeconds === 0) return;
    this.#pausedSeconds--;
    if (this.#pausedSeconds === 0) await this.#routeMonitor.start().catch(() => this.#pause());
    if (this.#isStopped) this.#routeMonitor.stop();
    this.#askAll();
    this.#resolve();
  }

  /** Asks the kernel about everything that is to be asked; what comes meanwhile is asked next. */
  #resolve(): void {
    if (this.#isResolving || this.#asked.size === 0 || this.#isStopped) return;
    this.#isResolving = true;
    const ids = [...this.#asked];
    this.#asked.clear();
    this.#ask(ids).then(
      () => this.#resolved(),
      (error: Error) => this.#failed(ids, error),
    );
  }

  #resolved(): void {
    this.#isResolving = false;
    this.#resolve();
    if (this.isSettled) this.#options.onSettled?.();
  }

  #failed(ids: readonly number[], error: Error): void {
    this.#isResolving = false;
    for (const id of ids) this.#asked.add(id);
    if (this.#isStopped) return;
    this.#options.log.warn({ reason: error.message }, 'next hops cannot be asked for');
    if (error instanceof IpError && error.code === 'ip-not-found') this.#hasIp = false;
    else this.#doubt(ids);
    this.#retry = setTimeout(() => this.#resolve(), RETRY_MS);
  }

  /** Of whom nothing is known yet the core waits for an answer, and keeps what is in place: not for longer than a try. */
  #doubt(ids: readonly number[]): void {
    const unknown = ids.flatMap((id) => this.#tracked.get(id) ?? []).filter(({ told }) => !told);
    for (const nextHop of unknown) this.#tell(nextHop, { resolved: false, metric: 0 });
    if (unknown.length > 0) this.#options.onChanged();
  }

  async #ask(ids: readonly number[]): Promise<void> {
    const present = ids.flatMap((id) => this.#tracked.get(id) ?? []);
    const resolutions = this.#hasIp
      ? await this.#locate(present)
      : present.map(() => ({ resolved: true, metric: 0 }));
    if (this.#isStopped) return;
    let changed = false;
    for (const [i, nextHop] of present.entries()) {
      // Removed, or removed and added anew, while the kernel was asked.
      if (this.#tracked.get(nextHop.event.id) !== nextHop) continue;
      changed = this.#tell(nextHop, resolutions[i]!) || changed;
    }
    if (changed) this.#options.onChanged();
  }

  #tell(nextHop: TrackedNextHop, resolution: Resolution): boolean {
    const { told, event } = nextHop;
    if (told?.resolved === resolution.resolved && told.metric === resolution.metric) return false;
    nextHop.told = resolution;
    this.#options.core.setNextHop(event.id, resolution);
    return true;
  }

  async #locate(nextHops: readonly TrackedNextHop[]): Promise<Resolution[]> {
    const found = new Map<TrackedNextHop, Resolution>();
    const onLink = nextHops.filter(({ event }) => isLinkLocal(event.address));
    if (onLink.length > 0) await this.#links.read();
    for (const each of onLink) {
      const link = this.#links.get(each.event.interfaceIndex);
      found.set(each, { resolved: link?.isUp === true, metric: 0 });
    }
    const routed = nextHops.filter(({ event }) => !isLinkLocal(event.address));
    const places = Map.groupBy(routed, (each) => JSON.stringify(this.#vrfs(each)));
    for (const members of places.values()) {
      const { namespace, protocol } = this.#options;
      const texts = members.map(({ text }) => text);
      const vrfs = this.#vrfs(members[0]!);
      const locations = await lookUpRoutes({ namespace, protocol, vrfs }, texts);
      for (const [i, location] of locations.entries()) {
        const metric = location.reachable ? location.metric : 0;
        found.set(members[i]!, { resolved: location.reachable, metric });
      }
    }
    return nextHops.map((each) => found.get(each)!);
  }

  #vrfs({ event }: TrackedNextHop): readonly Vrf[] {
    return this.#options.vrfsOf?.(event.network) ?? [undefined];
  }
}
