// The next hop objects of one table: which kernel id stands for which next hop and for which set. Pure bookkeeping.
//
// One object per BGP next hop, one group per set of several (or of one with a weight). A next hop that lies behind a gateway keeps
// its object when the gateway changes: one `nexthop replace` moves every route.
//
// Ids come from a range of the table's own, so the sinks of two tables never touch each other's objects, and protocol plus range say
// after a restart which objects are ours. What is read back knows gateway and device, not the BGP next hop it was made for: it stands
// for its gateway until a next hop that resolves to the same gateway and device claims it. Until then and after, `idInPlace` finds it
// under what was reported, so that a route that already uses the right object is not written again.
//
//   FIRST_ID + (table mod 4096) × 65536 + n       n = 0: the discard object;  1…65535: next hops and groups
import type { NextHop, NextHopSet } from '../../core/records.ts';
import {
  compareIpAddresses,
  formatIpAddress,
  isLinkLocal,
  parseIpAddress,
} from '../../net/ip-address.ts';
import {
  type GroupMember,
  groupLine,
  groupText,
  type KernelNextHop,
  type NextHopLocation,
  nextHopLine,
} from './nexthop-line.ts';

export type SetMembers = Omit<NextHopSet, 'id'>;

const FIRST_ID = 0x5200_0000;
const IDS_PER_TABLE = 0x1_0000;
const TABLE_MASK = 0xfff;

interface MemberObject {
  readonly id: number;
  /** Key of the next hop it was made or claimed for. */
  key: string;
  nextHop: NextHop;
  location: NextHopLocation;
  /** False for an object read back that no next hop has asked for yet. */
  claimed: boolean;
}

export class NextHopObjects {
  readonly discardId: number;
  readonly #protocol: number;
  readonly #members = new Map<string, MemberObject>();
  readonly #membersById = new Map<number, MemberObject>();
  /** Group text → id, and back. */
  readonly #groups = new Map<string, number>();
  readonly #groupsById = new Map<number, readonly GroupMember[]>();
  /** Sets as they were reported when objects were read back → id. */
  readonly #readBack = new Map<string, number>();
  #hasDiscard = false;
  /** Ids in our range that are taken, by whomever. */
  readonly #taken = new Set<number>();
  #nextId: number;

  constructor(table: number, protocol: number) {
    this.discardId = FIRST_ID + (table & TABLE_MASK) * IDS_PER_TABLE;
    this.#protocol = protocol;
    this.#nextId = this.discardId + 1;
  }

  get nextHops(): readonly NextHop[] {
    return [...this.#membersById.values()].filter((each) => each.claimed).map((e) => e.nextHop);
  }

  isOwnId(id: number): boolean {
    return id >= this.discardId && id < this.discardId + IDS_PER_TABLE;
  }

  /** Takes over what the kernel holds. Next hops keep the objects that are still as they were. */
  load(objects: readonly KernelNextHop[], indexOf: (device: string) => number): void {
    const before = new Map(this.#membersById);
    this.#clear();
    for (const object of objects) {
      if (!this.isOwnId(object.id)) continue;
      this.#taken.add(object.id);
      if (object.protocol !== this.#protocol) continue;
      if (object.kind === 'discard') this.#hasDiscard ||= object.id === this.discardId;
      if (object.location !== undefined)
        this.#loadMember(object.id, object.location, before, indexOf);
    }
    for (const { id, group, protocol } of objects) {
      if (!this.isOwnId(id) || protocol !== this.#protocol || group === undefined) continue;
      this.#rememberGroup(id, group);
    }
    for (const id of [...this.#membersById.keys(), ...this.#groupsById.keys()]) {
      const set = this.setOf(id);
      if (set !== undefined) this.#readBack.set(setKey(set), id);
    }
  }

  /** Whether the kernel holds exactly what we think it does. */
  matches(objects: readonly KernelNextHop[]): boolean {
    const ours = objects.filter(
      ({ id, protocol }) => this.isOwnId(id) && protocol === this.#protocol,
    );
    const expected = this.#membersById.size + this.#groupsById.size + (this.#hasDiscard ? 1 : 0);
    return ours.length === expected && ours.every((object) => this.#isAsKnown(object));
  }

  /** What an object forwards to, or undefined when it is not ours or unknown. */
  setOf(id: number): SetMembers | undefined {
    if (id === this.discardId) return this.#hasDiscard ? { discard: true, members: [] } : undefined;
    const member = this.#membersById.get(id);
    if (member !== undefined)
      return { discard: false, members: [{ ...member.nextHop, weight: 1 }] };
    const group = this.#groupsById.get(id);
    if (group === undefined) return undefined;
    const members = group.map((each) => {
      const object = this.#membersById.get(each.id);
      return object === undefined ? undefined : { ...object.nextHop, weight: each.weight };
    });
    if (members.includes(undefined)) return undefined;
    return { discard: false, members: (members as NextHop[]).sort(compareNextHops) };
  }

  /** The object that stands for a set, or undefined when there is none yet. */
  idOf(set: SetMembers): number | undefined {
    if (set.discard) return this.#hasDiscard ? this.discardId : undefined;
    const group = this.#groupMembers(set);
    if (group === undefined) return undefined;
    return isSingle(set) ? group[0]!.id : this.#groups.get(groupText(group));
  }

  /** The object that routes reported with this set use. */
  idInPlace(set: SetMembers): number | undefined {
    return this.idOf(set) ?? this.#readBack.get(setKey(set));
  }

  /** Whether a next hop has its object. */
  hasMember(nextHop: NextHop): boolean {
    return this.#members.get(nextHopKey(nextHop))?.claimed === true;
  }

  /** Gives a next hop its object; the lines that are needed to make it, or none when one read back serves. */
  addMember(nextHop: NextHop, location: NextHopLocation): { id: number; lines: string[] } {
    const key = nextHopKey(nextHop);
    const unclaimed =
      this.#unclaimed((each) => each.key === key && isSame(each.location, location)) ??
      this.#unclaimed((each) => isSame(each.location, location));
    if (unclaimed !== undefined) {
      this.#claim(unclaimed, key, nextHop);
      return { id: unclaimed.id, lines: [] };
    }
    const id = this.#allocate();
    this.#remember({ id, key, nextHop, location, claimed: true });
    return { id, lines: [nextHopLine('add', id, location, this.#protocol)] };
  }

  /** Makes the group of a set whose members all have their objects. */
  addGroup(set: SetMembers): { id: number; lines: string[] } {
    const group = this.#groupMembers(set);
    if (group === undefined) throw new Error('a group needs an object for each of its next hops');
    const id = this.#allocate();
    this.#rememberGroup(id, group);
    return { id, lines: [groupLine(id, group, this.#protocol)] };
  }

  addDiscard(): void {
    this.#hasDiscard = true;
  }

  /** A next hop lies elsewhere now: the line that moves its object, or undefined when it is there already. */
  moveMember(nextHop: NextHop, location: NextHopLocation): string | undefined {
    const object = this.#members.get(nextHopKey(nextHop));
    if (object === undefined || isSame(object.location, location)) return undefined;
    object.location = location;
    return nextHopLine('replace', object.id, location, this.#protocol);
  }

  /** The kernel refused to make it, or it was removed. The id stays taken when somebody else holds it. */
  forget(id: number, isTaken: boolean): void {
    if (id === this.discardId) this.#hasDiscard = false;
    const member = this.#membersById.get(id);
    this.#membersById.delete(id);
    if (member !== undefined && this.#members.get(member.key) === member) {
      this.#members.delete(member.key);
    }
    const group = this.#groupsById.get(id);
    this.#groupsById.delete(id);
    if (group !== undefined) this.#groups.delete(groupText(group));
    for (const [key, each] of this.#readBack) if (each === id) this.#readBack.delete(key);
    if (!isTaken) this.#taken.delete(id);
  }

  /** Objects that neither a route of `usedIds` nor a group in use needs; groups first. */
  unused(usedIds: ReadonlySet<number>): number[] {
    const groups = [...this.#groupsById].filter(([id]) => !usedIds.has(id)).map(([id]) => id);
    const inGroups = new Set(
      [...this.#groupsById]
        .filter(([id]) => usedIds.has(id))
        .flatMap(([, members]) => members.map((member) => member.id)),
    );
    const members = [...this.#membersById.keys()].filter(
      (id) => !usedIds.has(id) && !inGroups.has(id),
    );
    const discard = this.#hasDiscard && !usedIds.has(this.discardId) ? [this.discardId] : [];
    return [...groups, ...members, ...discard];
  }

  #isAsKnown({ id, kind, location, group }: KernelNextHop): boolean {
    if (kind === 'discard') return id === this.discardId && this.#hasDiscard;
    const member = this.#membersById.get(id);
    if (member !== undefined) return location !== undefined && isSame(location, member.location);
    const known = this.#groupsById.get(id);
    return known !== undefined && group !== undefined && groupText(known) === groupText(group);
  }

  #groupMembers(set: SetMembers): GroupMember[] | undefined {
    const group: GroupMember[] = [];
    for (const nextHop of set.members) {
      const object = this.#members.get(nextHopKey(nextHop));
      if (object?.claimed !== true) return undefined;
      group.push({ id: object.id, weight: nextHop.weight });
    }
    return group;
  }

  #loadMember(
    id: number,
    location: NextHopLocation,
    before: ReadonlyMap<number, MemberObject>,
    indexOf: (device: string) => number,
  ): void {
    const known = before.get(id);
    if (known !== undefined && isSame(known.location, location)) {
      this.#remember(known);
      return;
    }
    const address = parseIpAddress(location.gateway);
    if (address === undefined) return;
    const interfaceIndex = isLinkLocal(address) ? indexOf(location.device) : 0;
    const nextHop = { address, weight: 1, interfaceIndex };
    this.#remember({ id, key: nextHopKey(nextHop), nextHop, location, claimed: false });
  }

  #unclaimed(matches: (object: MemberObject) => boolean): MemberObject | undefined {
    return [...this.#membersById.values()].find((each) => !each.claimed && matches(each));
  }

  #claim(object: MemberObject, key: string, nextHop: NextHop): void {
    if (this.#members.get(object.key) === object) this.#members.delete(object.key);
    object.key = key;
    object.nextHop = { ...nextHop, weight: 1 };
    object.claimed = true;
    this.#members.set(key, object);
  }

  #remember(object: MemberObject): void {
    this.#taken.add(object.id);
    this.#membersById.set(object.id, object);
    if (object.claimed || !this.#members.has(object.key)) this.#members.set(object.key, object);
  }

  #rememberGroup(id: number, members: readonly GroupMember[]): void {
    this.#taken.add(id);
    this.#groupsById.set(id, members);
    this.#groups.set(groupText(members), id);
  }

  #allocate(): number {
    const end = this.discardId + IDS_PER_TABLE;
    for (let tried = 1; tried < IDS_PER_TABLE; tried++) {
      const id = this.#nextId;
      this.#nextId = id + 1 < end ? id + 1 : this.discardId + 1;
      if (!this.#taken.has(id)) return id;
    }
    throw new Error(`every next hop id from ${this.discardId} to ${end - 1} is taken`);
  }

  #clear(): void {
    this.#members.clear();
    this.#membersById.clear();
    this.#groups.clear();
    this.#groupsById.clear();
    this.#readBack.clear();
    this.#taken.clear();
    this.#hasDiscard = false;
  }
}

/** Text that two next hops share exactly when they are the same way out. */
export function nextHopKey({ address, interfaceIndex }: NextHop): string {
  const text = formatIpAddress(address);
  return interfaceIndex === 0 ? text : `${text}%${interfaceIndex}`;
}

function setKey(set: SetMembers): string {
  if (set.discard) return 'discard';
  return set.members
    .map((member) => `${nextHopKey(member)}*${member.weight}`)
    .sort()
    .join(' ');
}

/** A set that needs no group: one next hop without a weight. */
function isSingle(set: SetMembers): boolean {
  return set.members.length === 1 && set.members[0]!.weight === 1;
}

function isSame(a: NextHopLocation, b: NextHopLocation): boolean {
  return a.gateway === b.gateway && a.device === b.device;
}

function compareNextHops(a: NextHop, b: NextHop): number {
  return compareIpAddresses(a.address, b.address) || a.interfaceIndex - b.interfaceIndex;
}
