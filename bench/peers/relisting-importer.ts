// An importer that lists the whole kernel table on every event and writes what differs, as OVN-Kubernetes' does: the twin to compare
// following with.
//
// It shares no code with Rutter's source but the running of `ip`. What a Go program would save in reading the listing is said beside the figures.
import { setTimeout as sleep } from 'node:timers/promises';
import { readIpLines } from '../../src/iproute2/command.ts';
import { IpMonitor } from '../../src/iproute2/monitor.ts';
import type { BareRows } from './bare-rows.ts';
import { FEED_ADDRESS, type Site } from './site.ts';

export interface RelistingOptions {
  readonly site: Site;
  readonly rows: BareRows;
  /** Prefixes by route; all have a row over the first gateway. */
  readonly prefixes: readonly string[];
  /** Time from an event to its listing; what comes meanwhile goes with it. */
  readonly delayMs: number;
}

export class RelistingImporter {
  readonly #options: RelistingOptions;
  readonly #monitor: IpMonitor;
  readonly #routes: ReadonlyMap<string, number>;
  readonly #written: string[];
  #isBusy = false;
  #hasNews = false;

  private constructor(options: RelistingOptions) {
    const { site, prefixes } = options;
    this.#options = options;
    this.#routes = new Map(prefixes.map((prefix, route) => [prefix, route]));
    this.#written = prefixes.map(() => FEED_ADDRESS);
    this.#monitor = new IpMonitor({
      namespace: site.routerNamespace,
      objects: ['route'],
      onLine: () => void this.#hear(),
      onLull: () => undefined,
      onMissed: () => void this.#hear(),
    });
    site.onClose(async () => this.#monitor.stop());
  }

  static async start(options: RelistingOptions): Promise<RelistingImporter> {
    const importer = new RelistingImporter(options);
    await importer.#monitor.start();
    return importer;
  }

  async #hear(): Promise<void> {
    this.#hasNews = true;
    if (this.#isBusy) return;
    this.#isBusy = true;
    while (this.#hasNews) {
      await sleep(this.#options.delayMs);
      this.#hasNews = false;
      await this.#reconcile();
    }
    this.#isBusy = false;
  }

  async #reconcile(): Promise<void> {
    const { site, rows } = this.#options;
    const listed = new Map<string, string>();
    const args = ['-4', '-oneline', 'route', 'show', 'table', 'main', 'proto', 'bgp'];
    await readIpLines(site.routerNamespace, args, (line) => {
      const words = line.split(' ');
      const prefix = words[0]!.includes('/') ? words[0]! : `${words[0]}/32`;
      listed.set(prefix, words[words.indexOf('via') + 1]!);
    });
    for (const [prefix, gateway] of listed) {
      const route = this.#routes.get(prefix);
      if (route === undefined || this.#written[route] === gateway) continue;
      this.#written[route] = gateway;
      await rows.replace(route, gateway);
    }
  }
}
