// The kernel's interfaces, as next hop objects need them: index ↔ name, and whether the link carries anything.
import { readIpJson } from './command.ts';

interface LinkJson {
  readonly ifindex: number;
  readonly ifname: string;
  readonly flags?: readonly string[];
}

export interface Link {
  readonly index: number;
  readonly name: string;
  readonly isUp: boolean;
}

export class Links {
  readonly #namespace: string | undefined;
  #byIndex = new Map<number, Link>();
  #byName = new Map<string, Link>();

  constructor(namespace: string | undefined) {
    this.#namespace = namespace;
  }

  async read(): Promise<void> {
    const list = (await readIpJson(this.#namespace, ['link', 'show'])) as LinkJson[];
    const links = list.map(({ ifindex, ifname, flags }) => {
      return { index: ifindex, name: ifname, isUp: flags?.includes('LOWER_UP') ?? false };
    });
    this.#byIndex = new Map(links.map((link) => [link.index, link]));
    this.#byName = new Map(links.map((link) => [link.name, link]));
  }

  get(index: number): Link | undefined {
    return this.#byIndex.get(index);
  }

  /** The index of a device, or 0. */
  indexOf(name: string): number {
    return this.#byName.get(name)?.index ?? 0;
  }
}
