// The devices that sessions and tables depend on, as `ip -details -json link show` prints them, and what became of them. Pure.

export interface Device {
  readonly name: string;
  /** Kernel interface index; a device that is made anew has another one. */
  readonly index: number;
  /** The table of a VRF device. */
  readonly vrfTable?: number;
}

export type Devices = ReadonlyMap<string, Device>;

interface LinkJson {
  readonly ifindex: number;
  /** Absent where `ip` has filtered the device out. */
  readonly ifname?: string;
  readonly linkinfo?: {
    readonly info_kind?: string;
    readonly info_data?: { readonly table?: number };
  };
}

export function readDevices(links: readonly unknown[]): Devices {
  const devices = (links as LinkJson[]).flatMap(({ ifindex, ifname, linkinfo }): Device[] => {
    if (ifname === undefined) return [];
    const vrfTable = linkinfo?.info_kind === 'vrf' ? linkinfo.info_data?.table : undefined;
    return [{ name: ifname, index: ifindex, ...(vrfTable !== undefined && { vrfTable }) }];
  });
  return new Map(devices.map((device) => [device.name, device]));
}

/** Why a name is no VRF device now, or undefined when it is one. */
export function whyNoVrf(devices: Devices, name: string): string | undefined {
  const device = devices.get(name);
  if (device === undefined) return `VRF device ${name} does not exist`;
  return device.vrfTable === undefined ? `device ${name} is no VRF device` : undefined;
}

/** Names of the devices that came, went, were made anew or have another table. */
export function changedDevices(before: Devices, after: Devices): string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => {
    const [was, is] = [before.get(name), after.get(name)];
    return was?.index !== is?.index || was?.vrfTable !== is?.vrfTable;
  });
}
