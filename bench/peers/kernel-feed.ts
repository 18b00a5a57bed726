// The kernel's main table as FRR fills it: routes of protocol bgp over next-hop objects of zebra, changed one at a time.
import { IpBatch } from '../../src/iproute2/batch.ts';
import { monotonicNow } from '../harness/wait.ts';
import { FEED_ADDRESS, OTHER_NEXT_HOPS, ROUTER_DEVICE, type Site } from './site.ts';

const gateways: readonly string[] = [FEED_ADDRESS, ...OTHER_NEXT_HOPS];
/** 11 is zebra's. */
const OBJECT_PROTOCOL = 11;

export class KernelFeed {
  readonly #prefixes: readonly string[];
  readonly #ip: IpBatch;

  private constructor(site: Site, prefixes: readonly string[]) {
    this.#prefixes = prefixes;
    this.#ip = new IpBatch(site.routerNamespace);
    site.onClose(async () => this.#ip.close());
  }

  /** All of them over the first gateway. */
  static async fill(site: Site, prefixes: readonly string[]): Promise<KernelFeed> {
    const feed = new KernelFeed(site, prefixes);
    const objects = gateways.map(
      (gateway, i) =>
        `nexthop add id ${i + 1} via ${gateway} dev ${ROUTER_DEVICE} proto ${OBJECT_PROTOCOL}`,
    );
    await feed.#run(objects);
    await feed.#run(prefixes.map((prefix) => routeLine(prefix, FEED_ADDRESS)));
    return feed;
  }

  /** Replaces one route; when it was asked of the kernel. */
  async change(route: number, gateway: string): Promise<{ at: number; prefix: string }> {
    const prefix = this.#prefixes[route]!;
    const at = monotonicNow();
    await this.#run([routeLine(prefix, gateway)]);
    return { at, prefix };
  }

  async #run(lines: readonly string[]): Promise<void> {
    const [failure] = await this.#ip.run(lines);
    if (failure !== undefined) throw new Error(`ip: ${lines[failure.index]}: ${failure.reason}`);
  }
}

function routeLine(prefix: string, gateway: string): string {
  const object = gateways.indexOf(gateway) + 1;
  return `route replace ${prefix} nhid ${object} proto bgp metric 20`;
}
