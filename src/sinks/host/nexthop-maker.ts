// Sees to it that the next hop objects a batch needs are in the kernel before its routes name them.
import type { NextHop, NextHopSet } from '../../core/records.ts';
import type { IpBatch } from '../../iproute2/batch.ts';
import { readIpJson, readIpLines } from '../../iproute2/command.ts';
import type { Links } from '../../iproute2/links.ts';
import type { Location } from '../../iproute2/route-answer.ts';
import { type LookupScope, lookUpRoutes } from '../../iproute2/route-lookup.ts';
import { formatIpAddress, isLinkLocal } from '../../net/ip-address.ts';
import { type KernelNextHop, readNextHop, removeNextHopLine } from './nexthop-line.ts';
import { type NextHopObjects, nextHopKey } from './nexthop-objects.ts';
import { refusals } from './route-line.ts';

/** The object a set is written as, or why there is none. */
export type Target =
  | { readonly id: number }
  | { readonly id: undefined; readonly reason: string; readonly missing: NextHop };

/** Somebody else may hold the id we chose: how often another one is tried. */
const ATTEMPTS = 4;

export interface NextHopMakerParts {
  readonly ip: IpBatch;
  readonly scope: LookupScope;
  readonly links: Links;
  readonly objects: NextHopObjects;
}

export class NextHopMaker {
  readonly #parts: NextHopMakerParts;

  constructor(parts: NextHopMakerParts) {
    this.#parts = parts;
  }

  /** Makes what is missing; the target of each set, by the set's id in the batch. */
  async prepare(sets: Iterable<NextHopSet>): Promise<Map<number, Target>> {
    const { objects } = this.#parts;
    const targets = new Map<number, Target>();
    const missing: NextHopSet[] = [];
    for (const set of sets) {
      const id = objects.idOf(set);
      if (id === undefined) missing.push(set);
      else targets.set(set.id, { id });
    }
    if (missing.length === 0) return targets;
    if (missing.some((set) => set.discard)) await this.#makeDiscard();
    const reasons = await this.#makeMembers(missing.flatMap((set) => set.members));
    for (const set of missing) targets.set(set.id, await this.#target(set, reasons));
    return targets;
  }

  /** Asks the kernel where these next hops are, in order. */
  async locate(nextHops: readonly NextHop[]): Promise<Location[]> {
    const { scope, links } = this.#parts;
    if (nextHops.some((each) => isLinkLocal(each.address))) await links.read();
    const asked = nextHops.filter((each) => !isLinkLocal(each.address));
    const answers = await lookUpRoutes(
      scope,
      asked.map((each) => formatIpAddress(each.address)),
    );
    let next = 0;
    return nextHops.map((each) =>
      isLinkLocal(each.address) ? this.#locateOnLink(each) : answers[next++]!,
    );
  }

  /** Follows next hops whose gateway or device has changed: every route that uses them moves at once. */
  async follow(nextHops: readonly NextHop[]): Promise<void> {
    const { objects, ip } = this.#parts;
    const lines = (await this.locate(nextHops)).flatMap((location, i) => {
      if (!location.reachable) return [];
      return objects.moveMember(nextHops[i]!, location) ?? [];
    });
    // A refusal leaves the kernel's object as it was, which the next comparison of the two finds.
    if (lines.length > 0) await ip.run(lines);
  }

  async readKernel(): Promise<KernelNextHop[]> {
    const list = await readIpJson(this.#parts.scope.namespace, ['-N', 'nexthop', 'show']);
    return list.map(readNextHop);
  }

  /** Removes objects no route uses. */
  async remove(ids: readonly number[]): Promise<void> {
    const { objects, ip } = this.#parts;
    await ip.run(ids.map(removeNextHopLine));
    for (const id of ids) objects.forget(id, false);
  }

  #locateOnLink({ address, interfaceIndex }: NextHop): Location {
    const text = formatIpAddress(address);
    const link = this.#parts.links.get(interfaceIndex);
    if (link === undefined) {
      const reason = `${text} needs the interface with index ${interfaceIndex}, which is not there`;
      return { reachable: false, reason };
    }
    if (!link.isUp)
      return { reachable: false, reason: `${text} is behind ${link.name}: link down` };
    return { reachable: true, gateway: text, device: link.name, metric: 0 };
  }

  /** One for both families: the kernel takes an IPv6 discard object for IPv4 routes, not the other way round. */
  async #makeDiscard(): Promise<void> {
    const { objects, scope } = this.#parts;
    const mark = ['id', String(objects.discardId), 'blackhole', 'proto', String(scope.protocol)];
    await readIpLines(scope.namespace, ['-6', 'nexthop', 'replace', ...mark], () => undefined);
    objects.addDiscard();
  }

  /** Why next hops could not be made, by their keys. */
  async #makeMembers(nextHops: readonly NextHop[]): Promise<Map<string, string>> {
    const { objects } = this.#parts;
    const wanted = new Map(
      nextHops.filter((each) => !objects.hasMember(each)).map((each) => [nextHopKey(each), each]),
    );
    const reasons = new Map<string, string>();
    const list = [...wanted.values()];
    const locations = await this.locate(list);
    for (const [i, nextHop] of list.entries()) {
      const location = locations[i]!;
      const reason = location.reachable
        ? await this.#make(() => objects.addMember(nextHop, location))
        : location.reason;
      if (reason !== undefined) reasons.set(nextHopKey(nextHop), reason);
    }
    return reasons;
  }

  async #target(set: NextHopSet, reasons: ReadonlyMap<string, string>): Promise<Target> {
    const { objects } = this.#parts;
    const refused = set.members.find((each) => !objects.hasMember(each));
    if (refused !== undefined) {
      const reason = reasons.get(nextHopKey(refused)) ?? 'its next hop object could not be made';
      return { id: undefined, reason, missing: refused };
    }
    const known = objects.idOf(set);
    if (known !== undefined) return { id: known };
    const reason = await this.#make(() => objects.addGroup(set));
    const id = objects.idOf(set);
    if (id !== undefined) return { id };
    return {
      id: undefined,
      reason: reason ?? 'its group could not be made',
      missing: set.members[0]!,
    };
  }

  /** Runs the lines of a new object; the kernel's reason when it refuses. */
  async #make(add: () => { id: number; lines: string[] }): Promise<string | undefined> {
    const { objects, ip } = this.#parts;
    let reason: string | undefined;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { id, lines } = add();
      if (lines.length === 0) return undefined;
      const [failure] = await ip.run(lines);
      if (failure === undefined) return undefined;
      reason = failure.reason;
      const isTaken = refusals.get(reason) === 'exists';
      objects.forget(id, isTaken);
      if (!isTaken) break;
    }
    return reason;
  }
}
