// The next hop of the other family: a session over IPv4 announces IPv6 prefixes too, and they need an IPv6 next hop (RFC 4760 §3).
import { networkInterfaces } from 'node:os';
import {
  compareIpAddresses,
  formatIpAddress,
  type IpAddress,
  isLinkLocal,
  parseIpAddress,
} from '../../net/ip-address.ts';

/** The first address of the other family on the interface that has the address, if others can reach it. */
export function addressBeside(
  address: IpAddress,
  interfaces: NodeJS.Dict<{ readonly address: string }[]> = networkInterfaces(),
): IpAddress | undefined {
  for (const entries of Object.values(interfaces)) {
    const addresses = (entries ?? []).flatMap((entry) => parseIpAddress(entry.address) ?? []);
    if (!addresses.some((each) => compareIpAddresses(each, address) === 0)) continue;
    return addresses.find((each) => each.length !== address.length && isReachable(each));
  }
  return undefined;
}

function isReachable(address: IpAddress): boolean {
  if (address.length === 4) return address[0] !== 127;
  return !isLinkLocal(address) && formatIpAddress(address) !== '::1';
}
