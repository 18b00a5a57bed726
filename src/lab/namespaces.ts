// Network namespaces of our own: made, wired with veth pairs, and removed with everything in them, after a failure too.
//
// Every name begins with `rutter-`. Beside each namespace a small record names the process that made it (id and start time, so a
// reused id is no mistake): `removeStaleNamespaces` takes away what a killed process left, and nothing of a living one. Devices
// are created inside the namespaces, never in the machine's own, so deleting a namespace deletes its devices.
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { execute } from './execute.ts';
import { isAlive, processIdentity, signalProcess } from './process-identity.ts';

const recordDirectory = '/run/rutter-namespaces';

/** One end of a veth pair. */
export interface LinkEnd {
  /** Namespace, full name as `add` returned it. */
  readonly namespace: string;
  /** Device name: two letters or more, at most 15. */
  readonly device: string;
  /** `address/length`, IPv4 or IPv6. */
  readonly addresses?: readonly string[];
}

export class NetworkNamespaces implements AsyncDisposable {
  readonly #label: string;
  readonly #names: string[] = [];

  /** `label` tells this set from others: namespaces are named `rutter-<label>-<name>`. */
  constructor(label: string) {
    this.#label = label;
  }

  get names(): readonly string[] {
    return this.#names;
  }

  /** Creates a namespace with its loopback up and returns its full name. A stale one of the same name goes first. */
  async add(name: string): Promise<string> {
    const full = namespaceName(this.#label, name);
    await removeStaleNamespaces(full);
    await mkdir(recordDirectory, { recursive: true });
    await execute('ip', ['netns', 'add', full]);
    this.#names.push(full);
    await writeFile(`${recordDirectory}/${full}`, await processIdentity(process.pid));
    // Addresses are usable at once: no duplicate address detection in a network that is ours alone.
    for (const scope of ['all', 'default']) {
      await execute('sysctl', ['-q', '-w', `net.ipv6.conf.${scope}.accept_dad=0`], {
        namespace: full,
      });
    }
    await execute('ip', ['-n', full, 'link', 'set', 'lo', 'up']);
    return full;
  }

  /** Connects two namespaces with a veth pair, both ends up. */
  async link(left: LinkEnd, right: LinkEnd): Promise<void> {
    const end = (side: LinkEnd) => ['name', side.device, 'netns', side.namespace];
    await execute('ip', ['link', 'add', ...end(left), 'type', 'veth', 'peer', ...end(right)]);
    // Up before the addresses: with the other order the far end let the first neighbour solicitation go by for a second.
    for (const { namespace, device } of [left, right]) {
      await execute('ip', ['-n', namespace, 'link', 'set', device, 'up']);
    }
    for (const { namespace, device, addresses } of [left, right]) {
      for (const address of addresses ?? []) await this.address(namespace, device, address);
    }
  }

  /** Adds an address to a device (`lo` too). */
  async address(namespace: string, device: string, address: string): Promise<void> {
    const nodad = address.includes(':') ? ['nodad'] : [];
    await execute('ip', ['-n', namespace, 'address', 'add', address, 'dev', device, ...nodad]);
  }

  /** Removes the namespaces, with every process still in them. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of this.#names.splice(0).reverse()) await deleteNamespace(name);
  }
}

/** The full name of a set's namespace. */
export function namespaceName(label: string, name: string): string {
  return `rutter-${label}-${name}`;
}

/** Namespaces of ours whose maker is gone; of all names, or of one. */
export async function staleNamespaces(name?: string): Promise<string[]> {
  const recorded = await readdir(recordDirectory).catch(() => [] as string[]);
  const stale: string[] = [];
  for (const each of name === undefined ? recorded : recorded.filter((entry) => entry === name)) {
    if (!(await isMakerAlive(each))) stale.push(each);
  }
  return stale;
}

/** Removes the namespaces that a dead process left, with the processes and devices in them; returns their names. */
export async function removeStaleNamespaces(name?: string): Promise<string[]> {
  const stale = await staleNamespaces(name);
  for (const each of stale) await deleteNamespace(each);
  return stale;
}

/** Ids of the processes in a namespace; empty when there is no such namespace. */
export async function namespaceProcesses(name: string): Promise<number[]> {
  const text = await execute('ip', ['netns', 'pids', name]).catch(() => '');
  return text.split('\n').filter(Boolean).map(Number);
}

async function deleteNamespace(name: string): Promise<void> {
  await endProcesses(name);
  const present = await execute('ip', ['netns', 'list']);
  if (present.split('\n').some((line) => line.split(' ')[0] === name)) {
    await execute('ip', ['netns', 'delete', name]);
  }
  await rm(`${recordDirectory}/${name}`, { force: true });
}

/** TERM, then after three seconds KILL. */
async function endProcesses(name: string): Promise<void> {
  for (let attempt = 0; attempt < 80; attempt++) {
    const ids = await namespaceProcesses(name);
    if (ids.length === 0) return;
    if (attempt === 0) for (const id of ids) signalProcess(id, 'SIGTERM');
    if (attempt >= 60) for (const id of ids) signalProcess(id, 'SIGKILL');
    await delay(50);
  }
  throw new Error(`processes in namespace ${name} outlived SIGKILL, expected none`);
}

async function isMakerAlive(name: string): Promise<boolean> {
  return isAlive(await readFile(`${recordDirectory}/${name}`, 'utf8').catch(() => ''));
}
