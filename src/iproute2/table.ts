// A configured table (number, name, VRF device) → the kernel's table number.
import { readFile } from 'node:fs/promises';
import { readIpJson } from './command.ts';
import { type Device, readDevices } from './devices.ts';

export interface KernelTable {
  readonly number: number;
  /** The VRF device whose table it is. */
  readonly vrf?: string;
}

const wellKnown: ReadonlyMap<string, number> = new Map([
  ['default', 253],
  ['main', 254],
  ['local', 255],
]);
const nameFiles = ['/etc/iproute2/rt_tables', '/usr/share/iproute2/rt_tables'];

/** The table, or undefined while no table or VRF device has that name. */
export async function findTable(
  namespace: string | undefined,
  table: string | number,
): Promise<KernelTable | undefined> {
  const text = String(table);
  if (/^\d+$/.test(text)) return { number: Number(text) };
  const known = wellKnown.get(text);
  if (known !== undefined) return { number: known };
  const vrf = await findVrf(namespace, text);
  if (vrf !== undefined) return vrf;
  const named = await findNamedTable(text);
  return named === undefined ? undefined : { number: named };
}

/** The table of a VRF device, or undefined while there is no VRF device of that name. */
export async function findVrf(
  namespace: string | undefined,
  name: string,
): Promise<KernelTable | undefined> {
  const device = (await listVrfs(namespace)).find((each) => each.name === name);
  return device?.vrfTable === undefined ? undefined : { number: device.vrfTable, vrf: name };
}

/** Every VRF device. */
export async function listVrfs(namespace: string | undefined): Promise<Device[]> {
  const links = await readIpJson(namespace, ['-details', 'link', 'show', 'type', 'vrf']);
  return [...readDevices(links).values()];
}

/** rt_tables(5): lines of `number name`. */
async function findNamedTable(name: string): Promise<number | undefined> {
  for (const file of nameFiles) {
    const text = await readFile(file, 'utf8').catch(() => '');
    for (const line of text.split('\n')) {
      const [number, word] = line.trim().split(/\s+/);
      if (word === name && /^\d+$/.test(number!)) return Number(number);
    }
  }
  return undefined;
}
