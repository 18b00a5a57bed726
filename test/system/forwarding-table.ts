// What an IPv4 table forwards, address by address: the slow, obvious longest match. Labels are texts; undefined is no route.

export interface Ipv4Prefix {
  /** The first address, as a number. */
  readonly address: number;
  readonly length: number;
}

export class ForwardingTable {
  readonly #labels = Array.from({ length: 33 }, () => new Map<number, string>());

  set({ address, length }: Ipv4Prefix, label: string | undefined): void {
    if (label === undefined) this.#labels[length]!.delete(networkOf(address, length));
    else this.#labels[length]!.set(networkOf(address, length), label);
  }

  lookUp(address: number): string | undefined {
    for (let length = 32; length >= 0; length--) {
      const label = this.#labels[length]!.get(networkOf(address, length));
      if (label !== undefined) return label;
    }
    return undefined;
  }

  /** `prefix label` of every entry, sorted. */
  entries(): string[] {
    return this.#labels
      .flatMap((labels, length) =>
        [...labels].map(([network, label]) => {
          const address = network * 2 ** (32 - length);
          return `${formatIpv4(address)}/${length} ${label}`;
        }),
      )
      .sort();
  }
}

export function lastAddress({ address, length }: Ipv4Prefix): number {
  return address + 2 ** (32 - length) - 1;
}

/** `10.0.0.0/8`, `10.0.0.1` or `default`, as `ip` prints them. */
export function parseIpv4Prefix(text: string): Ipv4Prefix {
  if (text === 'default') return { address: 0, length: 0 };
  const [address = '', length = '32'] = text.split('/');
  return {
    address: address.split('.').reduce((number, byte) => number * 256 + Number(byte), 0),
    length: Number(length),
  };
}

export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}

export function formatIpv4Prefix({ address, length }: Ipv4Prefix): string {
  return `${formatIpv4(address)}/${length}`;
}

function networkOf(address: number, length: number): number {
  return Math.floor(address / 2 ** (32 - length));
}
