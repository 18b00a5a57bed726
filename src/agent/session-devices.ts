// The devices that sessions live in: which are missing, and that the speaker and the core hear when one comes, goes or is made anew.
import type { Speaker } from '../bgp/speaker.ts';
import type { Config, NetworkConfig } from '../config/config.ts';
import { type Devices, whyNoVrf } from '../iproute2/devices.ts';
import { type DeviceChange, DeviceWatch } from '../networks/device-watch.ts';
import type { Logger } from '../observe/log.ts';

export interface SessionDevicesParts {
  readonly speaker: Pick<Speaker, 'setDevice'>;
  readonly log: Logger;
  /** The core must learn the new index of an interface before its peers come back. */
  readonly onInterface: (name: string) => Promise<void>;
  /** A device came, went or has another table. */
  readonly onDevices: () => void;
}

export class SessionDevices {
  readonly #parts: SessionDevicesParts;
  readonly #watch: DeviceWatch;
  /** What each device is for; one that is both must be a VRF device. */
  #uses: ReadonlyMap<string, Use> = new Map();
  #turn: Promise<void> = Promise.resolve();

  constructor(parts: SessionDevicesParts) {
    this.#parts = parts;
    this.#watch = new DeviceWatch({
      log: parts.log,
      onChanged: (change) => this.#changed(change),
    });
  }

  /** Follows what this configuration needs. The speaker has been told when it resolves. */
  async follow(config: Config): Promise<void> {
    this.#uses = usesOf(config);
    await this.#watch.follow(new Set(this.#uses.keys()));
    await this.#turn;
    for (const name of this.#uses.keys()) this.#parts.speaker.setDevice(name, this.#missing(name));
  }

  /** The followed devices that are there, as far as anybody can tell. */
  get devices(): Devices {
    return this.#watch.devices ?? new Map();
  }

  /** Why the network cannot do its work now, or undefined. */
  whyWaiting({ vrf }: NetworkConfig): string | undefined {
    return vrf === undefined ? undefined : this.#missing(vrf);
  }

  stop(): void {
    this.#watch.stop();
  }

  #missing(name: string): string | undefined {
    const { devices } = this.#watch;
    const use = this.#uses.get(name);
    return devices && use && whyMissing(devices, name, use);
  }

  /** One after the other, in the order of the kernel's events. */
  #changed(change: DeviceChange): void {
    this.#parts.onDevices();
    this.#turn = this.#turn.then(() => this.#take(change));
  }

  async #take({ name, before, after }: DeviceChange): Promise<void> {
    const { speaker, log, onInterface } = this.#parts;
    const use = this.#uses.get(name);
    if (use === undefined) return;
    const facts = { device: name, index: after?.index, table: after?.vrfTable };
    if (before !== undefined || after === undefined) {
      log.warn(facts, after === undefined ? 'device is gone' : 'device is another one');
      speaker.setDevice(name, whyMissing(new Map(), name, use));
    } else {
      log.info(facts, 'device is there');
    }
    if (use === 'interface') await onInterface(name);
    speaker.setDevice(name, this.#missing(name));
  }
}

type Use = 'vrf' | 'interface';

/** The devices of a configuration. */
function usesOf({ bgp, networks }: Pick<Config, 'bgp' | 'networks'>): Map<string, Use> {
  const interfaces = bgp.peers.flatMap((peer) => peer.interface ?? []);
  const vrfs = networks.flatMap(({ vrf }) => vrf ?? []);
  return new Map<string, Use>([
    ...interfaces.map((name) => [name, 'interface'] as const),
    ...vrfs.map((name) => [name, 'vrf'] as const),
  ]);
}

function whyMissing(devices: Devices, name: string, use: Use): string | undefined {
  if (use === 'vrf') return whyNoVrf(devices, name);
  return devices.has(name) ? undefined : `interface ${name} does not exist`;
}
