// Rules between keys: names that must exist or be unique, values that must fit each other. Reads the raw file leniently, so
// that these problems are reported beside those of the single keys.

import { isLinkLocal, parseIpAddress } from '../net/ip-address.ts';
import { containsPrefix, formatPrefix, parsePrefix } from '../net/prefix.ts';
import { ovnParts } from './announcements.ts';
import { networkTable } from './followed-tables.ts';
import type { Fault } from './issues.ts';
import { type LooseConfig, type LooseNetwork, type LoosePeer, readLoosely } from './loose.ts';
import { checkPolicies } from './policy-checks.ts';
import type { Path } from './problem.ts';
import { checkSources } from './source-checks.ts';
import { parseDuration } from './values.ts';

export function checkAcrossKeys(raw: unknown): Fault[] {
  const config = readLoosely(raw);
  return [
    ...checkDuplicates(config),
    ...config.bgp.peers.flatMap((peer, index) => checkPeer(peer, ['bgp', 'peers', index], config)),
    ...config.networks.flatMap((network, index) =>
      checkNetwork(network, ['networks', index], config),
    ),
    ...checkPolicies(config),
    ...checkOvn(config),
    ...checkSources(config),
  ];
}

function checkDuplicates({ bgp, networks }: LooseConfig): Fault[] {
  const peers = ['bgp', 'peers'] as const;
  return [
    ...repeated(bgp.peers, (peer) => peer.name, [...peers], 'name'),
    ...repeated(bgp.peers, (peer) => endpoint(peer, networks), [...peers], 'address'),
    ...repeated(
      bgp.listen,
      ({ address, port }) => address && `${address} port ${port ?? 179}`,
      ['bgp', 'listen'],
      'address',
    ),
    ...repeated(networks, (network) => network.name, ['networks'], 'name'),
    ...shared(networks, 'table', ({ table, vrf }) => networkTable({ table, vrf })),
    ...shared(networks, 'ovn.router', (network) => network.ovn?.router),
    ...shared(networks, 'ovn.outputPort', (network) => network.ovn?.outputPort),
  ];
}

/** Two sessions need two peers: one address (on one interface) in one VRF is one of them. */
function endpoint(peer: LoosePeer, networks: readonly LooseNetwork[]): string | undefined {
  if (!peer.address) return undefined;
  const { vrf } = networks.find(({ name }) => name === (peer.network ?? 'default')) ?? {};
  const suffix = peer.interface === undefined ? '' : ` on ${peer.interface}`;
  return vrf === undefined ? `${peer.address}${suffix}` : `${peer.address}${suffix} in VRF ${vrf}`;
}

function repeated<Item>(
  items: readonly Item[],
  key: (item: Item) => string | undefined,
  path: Path,
  field: string,
): Fault[] {
  const first = new Map<string, number>();
  return items.flatMap((item, index) => {
    const value = key(item);
    if (value === undefined) return [];
    const earlier = first.get(value);
    if (earlier === undefined) first.set(value, index);
    const message = `must be unique, is ${value} like ${path.at(-1)}[${earlier}]`;
    return earlier === undefined ? [] : [{ path: [...path, index, field], message }];
  });
}

/** Two networks that write one place would undo each other's work. */
function shared(
  networks: readonly LooseNetwork[],
  field: string,
  place: (network: LooseNetwork) => string | undefined,
): Fault[] {
  const owners = new Map<string, LooseNetwork>();
  return networks.flatMap((network, index) => {
    const value = place(network);
    if (value === undefined) return [];
    const owner = owners.get(value);
    if (owner === undefined) owners.set(value, network);
    const message = `must not be shared, is ${value} of network ${owner?.name} and network ${network.name}`;
    return owner === undefined ? [] : [{ path: ['networks', index, ...field.split('.')], message }];
  });
}

function checkPeer(peer: LoosePeer, path: Path, config: LooseConfig): Fault[] {
  const faults: Fault[] = [];
  const fault = (key: string, message: string) => faults.push({ path: [...path, key], message });
  const address = parseIpAddress(peer.address ?? '');
  const localAddress = parseIpAddress(peer.localAddress ?? '');

  const isEmpty = peer.name === undefined && peer.asn === undefined; // reported key by key
  if (peer.address === undefined && peer.interface === undefined && !isEmpty) {
    faults.push({ path, message: 'must have an address or an interface' });
  }
  if (address && isLinkLocal(address) && peer.interface === undefined) {
    fault('address', `must come with an interface, is link-local ${peer.address}`);
  }
  if (address && localAddress && address.length !== localAddress.length) {
    fault('localAddress', `must be of the family of ${peer.address}, is ${peer.localAddress}`);
  }
  const network = peer.network ?? 'default';
  if (!config.networks.some(({ name }) => name === network)) {
    const known = config.networks.flatMap(({ name }) => name ?? []).join(', ');
    fault('network', `must be one of the networks (${known}), is ${network}`);
  }
  checkTimes(peer, fault);
  if (peer.multihop !== undefined && peer.ttlSecurity !== undefined) {
    fault('ttlSecurity', 'must not be together with multihop');
  }
  if (
    peer.asn === config.bgp.asn &&
    peer.ttlSecurity === undefined &&
    peer.multihop !== undefined
  ) {
    fault('multihop', 'must be left out for an iBGP peer, which may be any number of hops away');
  }
  return faults;
}

function checkTimes(peer: LoosePeer, fault: (key: string, message: string) => void): void {
  const hold = parseDuration(peer.holdTime ?? '90s');
  const keepalive = parseDuration(peer.keepaliveTime ?? '');
  if (hold === undefined || keepalive === undefined) return;
  if (hold === 0) fault('keepaliveTime', 'must be left out where holdTime is 0');
  else if (keepalive >= hold) {
    fault(
      'keepaliveTime',
      `must be less than holdTime ${peer.holdTime ?? '90s'}, is ${peer.keepaliveTime}`,
    );
  }
}

function checkNetwork(network: LooseNetwork, path: Path, config: LooseConfig): Fault[] {
  const faults: Fault[] = [];
  if (network.table !== undefined && network.vrf !== undefined) {
    faults.push({ path: [...path, 'vrf'], message: 'must not be together with table' });
  }
  faults.push(...checkAdvertise(network, path), ...checkSubnets(network, path));
  faults.push(...repeated(network.imports, ({ from }) => from, [...path, 'imports'], 'from'));
  const others = new Set(config.networks.map(({ name }) => name));
  const references = [
    ...network.imports.map(({ from }, index) => ['imports', index, 'from', from] as const),
    ...network.exports.map(({ to }, index) => ['exports', index, 'to', to] as const),
  ];
  for (const [list, index, key, other] of references) {
    if (other === undefined || (others.has(other) && other !== network.name)) continue;
    const message = `must be another network, is ${other}`;
    faults.push({ path: [...path, list, index, key], message });
  }
  return faults;
}

function checkAdvertise(network: LooseNetwork, path: Path): Fault[] {
  const objects = new Set<string>();
  return [
    ...checkAdvertisedPrefixes(network, path),
    ...checkAggregates(network, path),
    ...network.advertise.flatMap((entry, index) =>
      checkAdvertisedObject(entry, [...path, 'advertise', index], objects),
    ),
  ];
}

function checkAdvertisedPrefixes(network: LooseNetwork, path: Path): Fault[] {
  const faults: Fault[] = [];
  const seen = new Set<string>();
  network.advertise.forEach(({ prefix: text, nextHop }, index) => {
    const prefix = typeof text === 'string' ? parsePrefix(text) : undefined;
    if (prefix === undefined) return;
    const canonical = formatPrefix(prefix);
    if (seen.has(canonical)) {
      faults.push({ path: [...path, 'advertise', index], message: `must be unique, is ${text}` });
    }
    seen.add(canonical);
    const address = parseIpAddress(nextHop ?? '');
    // RFC 8950 lets an IPv6 next hop carry an IPv4 prefix; nothing allows the reverse.
    if (address && address.length < prefix.address.length) {
      const message = `must be an IPv6 address for ${text}, is ${nextHop}`;
      faults.push({ path: [...path, 'advertise', index, 'nextHop'], message });
    }
    if (address && containsPrefix(prefix, { address, length: address.length * 8 })) {
      const message = `must be outside ${text}, is ${nextHop}`;
      faults.push({ path: [...path, 'advertise', index, 'nextHop'], message });
    }
  });
  return faults;
}

function checkAggregates({ aggregates }: LooseNetwork, path: Path): Fault[] {
  return repeated(
    aggregates,
    ({ prefix }) => {
      const parsed = parsePrefix(prefix ?? '');
      return parsed && formatPrefix(parsed);
    },
    [...path, 'aggregates'],
    'prefix',
  );
}

/** One object of OVN, one part of it, asked for once. */
function checkAdvertisedObject(
  { prefix, ovn }: LooseNetwork['advertise'][number],
  path: Path,
  seen: Set<string>,
): Fault[] {
  if (ovn === undefined) return [];
  if (prefix !== undefined) {
    return [{ path: [...path, 'ovn'], message: 'must not be together with prefix' }];
  }
  const kinds = (['switch', 'router', 'nat', 'loadBalancers'] as const).filter(
    (kind) => ovn[kind] !== undefined,
  );
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) {
    const message = 'must name one of switch, router, nat and loadBalancers';
    return [{ path: [...path, 'ovn'], message }];
  }
  const parts: readonly string[] = ovnParts[kind];
  const what = ovn.what ?? parts[0]!;
  if (!parts.includes(what)) {
    const message = `must be ${parts.join(' or ')} for a ${kind}, is ${what}`;
    return [{ path: [...path, 'ovn', 'what'], message }];
  }
  const object = `${kind} ${what} ${ovn[kind]}`;
  if (seen.has(object)) return [{ path, message: `must be unique, is ${object}` }];
  seen.add(object);
  return [];
}

function checkSubnets(network: LooseNetwork, path: Path): Fault[] {
  const seen = new Set<string>();
  return network.subnets.flatMap((text, index) => {
    const prefix = parsePrefix(text ?? '');
    if (prefix === undefined) return [];
    const canonical = formatPrefix(prefix);
    const isKnown = seen.has(canonical);
    seen.add(canonical);
    const at = [...path, 'subnets', index];
    if (prefix.length === 0) {
      return [{ path: at, message: `must not be everything, is ${text}` }];
    }
    return isKnown ? [{ path: at, message: `must be unique, is ${text}` }] : [];
  });
}

function checkOvn(config: LooseConfig): Fault[] {
  const { northbound = '', southbound = '' } = config.ovn;
  const usesTls = northbound.includes('ssl:') || southbound.includes('ssl:');
  if (!usesTls || config.ovn.tls !== undefined) return [];
  return [{ path: ['ovn', 'tls'], message: 'must be given for an ssl: remote' }];
}
