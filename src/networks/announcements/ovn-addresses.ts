// Addresses as rows of the Northbound database write them → prefixes. Text is hostile: what is no address is left out. Pure.
import { formatIpAddress, isLinkLocal, parseIpAddress } from '../../net/ip-address.ts';
import { formatPrefix, type Prefix, parsePrefix } from '../../net/prefix.ts';

/**
 * `addresses` and `dynamic_addresses` of a Logical_Switch_Port (ovn-nb(5)): "MAC IP IP…", "dynamic", "MAC dynamic", "dynamic IP",
 * "unknown", "router". What is dynamic stands in the second column.
 */
export function portPrefixes(
  addresses: Iterable<string>,
  dynamicAddresses: string | undefined,
): Prefix[] {
  const words = [...addresses].flatMap(wordsOf);
  const isDynamic = words.includes('dynamic');
  return hostPrefixes([...words, ...(isDynamic ? wordsOf(dynamicAddresses ?? '') : [])]);
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/);
}

/** A host prefix for each text that is an address; a length behind it is left aside. */
export function hostPrefixes(texts: Iterable<string>): Prefix[] {
  const addresses = [...texts].flatMap((text) => parseIpAddress(text.replace(/\/\d+$/, '')) ?? []);
  return distinct(
    addresses.map((address) => ({ address, length: address.length * 8 })).filter(isAnnounceable),
  );
}

/** `networks` of a Logical_Router_Port: "10.0.0.1/24". */
export function connectedPrefixes(networks: Iterable<string>): Prefix[] {
  return distinct([...networks].flatMap((text) => parsePrefix(text) ?? []).filter(isAnnounceable));
}

/** `other_config` of a Logical_Switch: `subnet`, and `ipv6_prefix`, which is a /64 whatever it says (ovn-nb(5)). */
export function subnetPrefixes(otherConfig: ReadonlyMap<string, string>): Prefix[] {
  const ipv6 = otherConfig.get('ipv6_prefix')?.replace(/\/\d+$/, '');
  const texts = [otherConfig.get('subnet'), ipv6 === undefined ? undefined : `${ipv6}/64`];
  return connectedPrefixes(texts.filter((text) => text !== undefined));
}

/** A key of a load balancer's `vips`: "192.0.2.1:80", "[fd00::1]:80", or an address alone. */
export function virtualIp(key: string): Prefix | undefined {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(key)?.[1];
  const v4 = /^([\d.]+):\d+$/.exec(key)?.[1];
  return hostPrefixes([bracketed ?? v4 ?? key])[0];
}

/** Nobody else can reach unspecified, loopback, link-local and multicast addresses (RFC 6890 §2.2). */
function isAnnounceable({ address }: Prefix): boolean {
  const [first, second] = address as unknown as [number, number];
  if (address.length === 4) {
    const isLinkLocal4 = first === 169 && second === 254;
    return first !== 0 && first !== 127 && first < 224 && !isLinkLocal4;
  }
  const text = formatIpAddress(address);
  return first !== 0xff && !isLinkLocal(address) && text !== '::' && text !== '::1';
}

function distinct(prefixes: readonly Prefix[]): Prefix[] {
  const seen = new Map(prefixes.map((prefix) => [formatPrefix(prefix), prefix]));
  return [...seen.values()];
}
