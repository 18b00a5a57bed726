// Follows the devices that sessions live in: VRF devices, and the interfaces of link-local peers. They are never made or removed here.
//
// `ip monitor link` tells that something happened to one of them; then the kernel is asked for all. What others do to other devices costs a
// look at a line each.
import { IpError, readIpJson } from '../iproute2/command.ts';
import { changedDevices, type Device, type Devices, readDevices } from '../iproute2/devices.ts';
import { parseLink } from '../iproute2/link-line.ts';
import { IpMonitor } from '../iproute2/monitor.ts';
import type { MonitorLine } from '../iproute2/monitor-line.ts';

const RETRY_MS = 1000;

export interface DeviceWatchOptions {
  readonly log: { warn(fields: object, event: string): void };
  /** One of the followed devices came, went, was made anew or has another table. */
  readonly onChanged: (change: DeviceChange) => void;
  /** Network namespace to watch; undefined is our own. */
  readonly namespace?: string;
}

export interface DeviceChange {
  readonly name: string;
  readonly before: Device | undefined;
  readonly after: Device | undefined;
}

export class DeviceWatch {
  readonly #options: DeviceWatchOptions;
  readonly #monitor: IpMonitor;
  #names: ReadonlySet<string> = new Set();
  #devices: Devices = new Map();
  /** Without iproute2 nobody can be asked. */
  #isBlind = false;
  #isStopped = false;
  #reading: Promise<void> | undefined;
  #readAgain = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: DeviceWatchOptions) {
    this.#options = options;
    this.#monitor = new IpMonitor({
      namespace: options.namespace,
      objects: ['link'],
      onLine: (line) => this.#hear(line),
      onLull: () => undefined,
      onMissed: () => void this.#read(),
    });
  }

  /** The followed devices that are there; undefined when nobody can tell. */
  get devices(): Devices | undefined {
    return this.#isBlind ? undefined : this.#devices;
  }

  /** Follows these from now on. What is there is known when it resolves. */
  async follow(names: ReadonlySet<string>): Promise<void> {
    this.#names = names;
    if (names.size === 0 && !this.#monitor.isRunning) return;
    await this.#watch();
    await this.#read();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#retry);
    this.#monitor.stop();
  }

  async #watch(): Promise<void> {
    if (this.#monitor.isRunning || this.#isBlind) return;
    try {
      await this.#monitor.start();
    } catch (error) {
      this.#monitor.stop();
      this.#isBlind = true;
      this.#options.log.warn({ reason: (error as Error).message }, 'devices are not followed');
    }
  }

  #hear({ text }: MonitorLine): void {
    const link = parseLink(text);
    if (link === undefined) return;
    // A device that has been given another name is told of under the new one.
    const isKnown = [...this.#devices.values()].some(({ index }) => index === link.index);
    if (isKnown || this.#names.has(link.name)) void this.#read();
  }

  /** Asks the kernel; what happens meanwhile is asked for once more. */
  #read(): Promise<void> {
    this.#readAgain = true;
    this.#reading ??= this.#readUntilQuiet().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readUntilQuiet(): Promise<void> {
    while (this.#readAgain && !this.#isBlind && !this.#isStopped) {
      this.#readAgain = false;
      try {
        this.#take(await this.#ask());
      } catch (error) {
        this.#failed(error as Error);
      }
    }
  }

  async #ask(): Promise<Devices> {
    const links = await readIpJson(this.#options.namespace, ['-details', 'link', 'show']);
    return readDevices(links);
  }

  #take(all: Devices): void {
    const before = this.#devices;
    const after = new Map([...all].filter(([name]) => this.#names.has(name)));
    this.#devices = after;
    if (this.#isStopped) return;
    for (const name of changedDevices(before, after)) {
      this.#options.onChanged({ name, before: before.get(name), after: after.get(name) });
    }
  }

  #failed(error: Error): void {
    if (this.#isStopped) return;
    this.#options.log.warn({ reason: error.message }, 'devices cannot be asked for');
    if (error instanceof IpError && error.code === 'ip-not-found') this.#isBlind = true;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.#read(), RETRY_MS);
  }
}
