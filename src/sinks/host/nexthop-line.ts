// Next hop objects ↔ lines of `ip -batch`, and back from `ip -json nexthop`.
//
// What an object cannot be without comes last and in quotes: half a line is then no command (route-line.ts says why).

export interface NextHopLocation {
  /** The neighbour packets are handed to. */
  readonly gateway: string;
  readonly device: string;
}

export interface GroupMember {
  readonly id: number;
  readonly weight: number;
}

/** A next hop object as the kernel holds it. */
export interface KernelNextHop {
  readonly id: number;
  readonly protocol: number;
  readonly kind: 'discard' | 'gateway' | 'group' | 'other';
  readonly location?: NextHopLocation;
  readonly group?: readonly GroupMember[];
}

export function nextHopLine(
  verb: 'add' | 'replace',
  id: number,
  { gateway, device }: NextHopLocation,
  protocol: number,
): string {
  return `nexthop ${verb} id ${id} proto ${protocol} via ${gateway} dev "${device}"`;
}

export function groupLine(id: number, members: readonly GroupMember[], protocol: number): string {
  return `nexthop add id ${id} proto ${protocol} group "${groupText(members)}"`;
}

/** `1,2/2,3`: ids with their weights, in the order of ids. */
export function groupText(members: readonly GroupMember[]): string {
  const ordered = [...members].sort((a, b) => a.id - b.id);
  return ordered.map(({ id, weight }) => `${id},${weight}`).join('/');
}

export function removeNextHopLine(id: number): string {
  return `nexthop del id "${id}"`;
}

interface NextHopJson {
  readonly id: number;
  readonly gateway?: string;
  readonly dev?: string;
  readonly group?: readonly { readonly id: number; readonly weight?: number }[];
  readonly blackhole?: null;
  readonly protocol?: string;
}

/** One object of `ip -N -json nexthop show`. */
export function readNextHop(json: unknown): KernelNextHop {
  const { id, gateway, dev, group, blackhole, protocol } = json as NextHopJson;
  const base = { id, protocol: Number(protocol ?? 0) };
  if (blackhole !== undefined) return { ...base, kind: 'discard' };
  if (group !== undefined) {
    const members = group.map((member) => ({ id: member.id, weight: member.weight ?? 1 }));
    return { ...base, kind: 'group', group: members };
  }
  if (gateway === undefined || dev === undefined) return { ...base, kind: 'other' };
  return { ...base, kind: 'gateway', location: { gateway, device: dev } };
}
