// The kernel's next-hop objects and groups, kept true from one listing and the monitor's lines. Pure.
//
//   10 via 10.1.1.2 dev eth0 scope 253 proto 11        12 group 10/11,3 proto 11        13 blackhole proto 11
//
// A changed object is a changed way for every route that uses it, by itself or through a group: whoever asks hears which ids are touched.
import { parseIpAddress } from '../../net/ip-address.ts';
import type { Way } from './route-line.ts';

interface GroupMember {
  readonly id: number;
  readonly weight: number;
}

type NextHopObject =
  | { readonly kind: 'way'; readonly way: Way }
  | { readonly kind: 'group'; readonly members: readonly GroupMember[] }
  /** Blackholes, and objects of bridges' forwarding tables: nothing a route can be learned with. */
  | { readonly kind: 'discard' };

interface PrintedObject {
  readonly id: number;
  readonly text: string;
}

/** RTPROT_ZEBRA: what FRR writes into its objects. */
const zebra = / proto 11\b/;

export class NextHopObjects {
  #texts = new Map<number, string>();
  #objects = new Map<number, NextHopObject>();
  /** Groups by member. */
  #groups = new Map<number, Set<number>>();

  get size(): number {
    return this.#objects.size;
  }

  get devices(): ReadonlySet<string> {
    const devices = new Set<string>();
    for (const object of this.#objects.values()) {
      if (object.kind === 'way') devices.add(object.way.device);
    }
    return devices;
  }

  isOfFrr(id: number): boolean {
    return zebra.test(this.#texts.get(id) ?? '');
  }

  /** The ways of an object or a group; undefined while there is no such object, empty for one that discards. */
  resolve(id: number): readonly Way[] | undefined {
    const object = this.#objects.get(id);
    if (object === undefined) return undefined;
    switch (object.kind) {
      case 'way':
        return [object.way];
      case 'discard':
        return [];
      case 'group':
        return object.members.flatMap((member) => {
          const way = this.#objects.get(member.id);
          return way?.kind === 'way' ? [{ ...way.way, weight: member.weight }] : [];
        });
    }
  }

  /** Takes a line of `ip monitor nexthop`; the ids of all that it touches. */
  hear(text: string, isDeleted: boolean): number[] {
    const printed = readObject(text);
    if (printed === undefined) return [];
    if (isDeleted ? !this.#objects.has(printed.id) : this.#texts.get(printed.id) === printed.text) {
      return [];
    }
    if (isDeleted) this.#remove(printed.id);
    else this.#put(printed);
    return [printed.id, ...(this.#groups.get(printed.id) ?? [])];
  }

  /** Takes a whole listing; the ids of all that is not as it was. */
  load(lines: readonly string[]): Set<number> {
    const touched = new Set<number>();
    const listed = new Set<number>();
    for (const line of lines) {
      const printed = readObject(line);
      if (printed === undefined) continue;
      listed.add(printed.id);
      for (const id of this.hear(line, false)) touched.add(id);
    }
    for (const id of [...this.#objects.keys()].filter((each) => !listed.has(each))) {
      for (const each of [id, ...(this.#groups.get(id) ?? [])]) touched.add(each);
      this.#remove(id);
    }
    return touched;
  }

  #put({ id, text }: PrintedObject): void {
    this.#remove(id);
    const object = parseObject(text);
    this.#texts.set(id, text);
    this.#objects.set(id, object);
    if (object.kind !== 'group') return;
    for (const member of object.members) {
      const groups = this.#groups.get(member.id) ?? new Set();
      this.#groups.set(member.id, groups.add(id));
    }
  }

  /** Groups that name it keep the name: the kernel tells of them on their own. */
  #remove(id: number): void {
    const object = this.#objects.get(id);
    this.#texts.delete(id);
    this.#objects.delete(id);
    if (object?.kind !== 'group') return;
    for (const member of object.members) {
      const groups = this.#groups.get(member.id);
      groups?.delete(id);
      if (groups?.size === 0) this.#groups.delete(member.id);
    }
  }
}

function readObject(line: string): PrintedObject | undefined {
  const match = /^id (\d+) (.*)$/.exec(line);
  return match === null ? undefined : { id: Number(match[1]), text: match[2]!.trim() };
}

function parseObject(text: string): NextHopObject {
  const words = text.split(' ');
  let gateway: Way['gateway'];
  let device: string | undefined;
  let isUnusable = false;
  for (let i = 0; i < words.length; i++) {
    switch (words[i]) {
      case 'group':
        return { kind: 'group', members: (words[i + 1] ?? '').split('/').map(readMember) };
      case 'via':
        gateway ??= parseIpAddress(words[++i] ?? '');
        break;
      case 'dev':
        device ??= words[++i];
        break;
      case 'blackhole':
      case 'fdb':
        isUnusable = true;
        break;
    }
  }
  if (isUnusable || device === undefined) return { kind: 'discard' };
  return { kind: 'way', way: { gateway, device, weight: 1, isDead: words.includes('dead') } };
}

/** `11` or `11,3`: the weight is left out when it is 1. */
function readMember(text: string): GroupMember {
  const [id, weight = '1'] = text.split(',');
  return { id: Number(id), weight: Number(weight) || 1 };
}
