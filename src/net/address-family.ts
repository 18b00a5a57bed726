// Address families: the name people write, the AFI/SAFI of the wire (RFC 4760), and the core's table index.
import { FAMILY_IPV4_UNICAST, FAMILY_IPV6_UNICAST, FAMILY_L2VPN_EVPN } from '../../assembly/abi.ts';

export type AddressFamily = 'ipv4-unicast' | 'ipv6-unicast' | 'l2vpn-evpn';

interface FamilyNumbers {
  readonly family: AddressFamily;
  /** IANA Address Family Identifier. */
  readonly afi: number;
  /** IANA Subsequent Address Family Identifier. */
  readonly safi: number;
  /** Index of the family's table in the core, and bit number in a family mask. */
  readonly index: number;
}

const families: readonly FamilyNumbers[] = [
  { family: 'ipv4-unicast', afi: 1, safi: 1, index: FAMILY_IPV4_UNICAST },
  { family: 'ipv6-unicast', afi: 2, safi: 1, index: FAMILY_IPV6_UNICAST },
  { family: 'l2vpn-evpn', afi: 25, safi: 70, index: FAMILY_L2VPN_EVPN },
];

/** Every family Rutter carries, in the order of the core's tables. */
export const addressFamilies: readonly AddressFamily[] = families.map((entry) => entry.family);

/** The numbers of a family Rutter carries. */
export function familyNumbers(family: AddressFamily): FamilyNumbers {
  return families.find((entry) => entry.family === family)!;
}

/** The family of an AFI/SAFI pair, or undefined when Rutter does not carry it. */
export function familyFromAfiSafi(afi: number, safi: number): AddressFamily | undefined {
  return families.find((entry) => entry.afi === afi && entry.safi === safi)?.family;
}

/** The family at a core table index. */
export function familyFromIndex(index: number): AddressFamily {
  return families[index]!.family;
}

/** A bit set over table indexes, as the core takes it. */
export function familyMask(list: readonly AddressFamily[]): number {
  return list.reduce((mask, family) => mask | (1 << familyNumbers(family).index), 0);
}
