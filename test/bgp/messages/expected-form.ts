// Our decoded objects in the form of the fixtures' `expect`, so that whole messages can be compared.
import type { AsPathElement } from '../../../src/bgp/attributes/as-path.ts';
import type {
  DescribedAggregator,
  DescribedAttributes,
} from '../../../src/bgp/attributes/describe.ts';
import type { DescribedNextHop } from '../../../src/bgp/attributes/next-hop.ts';
import type { DescribedMessage } from '../../../src/bgp/messages/describe.ts';
import type {
  DescribedCapability,
  DescribedOpen,
} from '../../../src/bgp/messages/describe-open.ts';
import type { DescribedUpdate } from '../../../src/bgp/messages/describe-update.ts';
import type { DescribedRoute } from '../../../src/bgp/nlri/describe.ts';
import type { DescribedBmp } from '../../../src/sources/bmp.ts';
import type { BmpPeer } from '../../../src/sources/bmp-fields.ts';

type Json = Record<string, unknown>;

export function expectedMessage(message: DescribedMessage): Json {
  switch (message.type) {
    case 'update':
      return expectedUpdate(message);
    case 'open':
      return expectedOpen(message);
    case 'keepalive':
      return { msg: 'keepalive' };
    case 'notification':
      return {
        msg: 'notification',
        code: message.errorCode,
        subcode: message.errorSubcode,
        data: message.data,
      };
    case 'routeRefresh':
      return {
        msg: 'route-refresh',
        family: familyWord(message.family),
        subtype: message.subtype,
        ...given({ orf: message.orf }),
      };
    case 'unknown':
      return { msg: 'unknown' };
  }
}

function expectedUpdate(update: DescribedUpdate): Json {
  const attrs = expectedAttributes(update.attributes);
  return {
    msg: 'update',
    withdraw: update.withdrawn.map((route) => expectedRoute(route)),
    announce: update.announced.map((route) => ({ ...expectedRoute(route), ...nextHops(route) })),
    ...(Object.keys(attrs).length > 0 ? { attrs } : {}),
    ...given({ eor: update.endOfRib && familyWord(update.endOfRib) }),
  };
}

export function expectedRoute(route: DescribedRoute): Json {
  const { family } = route;
  const raw = route.labels?.map((label) => label.raw);
  if (route.routeType !== undefined) {
    const evpn = given({
      type: route.routeType,
      rd: route.routeDistinguisher && typedDistinguisher(route.routeDistinguisher),
      esi: route.ethernetSegmentId?.replaceAll(':', ''),
      etag: route.ethernetTag,
      mac: route.mac,
      ip: route.address,
      prefix: route.prefix,
      gw: route.gateway,
      labels_raw: raw,
      raw: route.raw,
    });
    return given({ family, path_id: route.pathId, evpn });
  }
  return given({
    family: familyWord(family),
    path_id: route.pathId,
    prefix: route.prefix,
    rd: route.routeDistinguisher && typedDistinguisher(route.routeDistinguisher),
    labels: route.labels?.map((label) => label.label),
    labels_raw: raw,
    raw: route.raw,
  });
}

/** "65000:1" → "0:65000:1": the type shows in the text. */
function typedDistinguisher(text: string): string {
  const [administrator = '', value = ''] = text.split(':');
  if (administrator.includes('.')) return `1:${text}`;
  if (administrator.endsWith('L')) return `2:${administrator.slice(0, -1)}:${value}`;
  return Number(administrator) > 0xffff ? `2:${text}` : `0:${text}`;
}

function nextHops({ nextHop, linkLocalNextHop }: DescribedNextHop): Json {
  return { nexthop: nextHop ?? null, ...given({ nexthop_ll: linkLocalNextHop }) };
}

export function expectedAttributes(attributes: DescribedAttributes): Json {
  const { mpReach, mpUnreach } = attributes;
  const other = expectedOther(attributes);
  return given({
    origin: attributes.origin,
    as_path: attributes.asPath && segments(attributes.asPath),
    next_hop: attributes.nextHop,
    med: attributes.med,
    local_pref: attributes.localPref,
    atomic_aggregate: attributes.atomicAggregate,
    aggregator: aggregator(attributes.aggregator),
    communities: attributes.communities,
    originator_id: attributes.originatorId,
    cluster_list: attributes.clusterList,
    ext_communities: attributes.extendedCommunities?.map(({ hex }) => hex),
    large_communities: attributes.largeCommunities,
    as4_path: attributes.as4Path && segments(attributes.as4Path),
    as4_aggregator: aggregator(attributes.as4Aggregator),
    mp_reach: mpReach && { family: familyWord(mpReach.family ?? ''), ...nextHops(mpReach) },
    mp_unreach: mpUnreach && { family: familyWord(mpUnreach.family) },
    other: other.length > 0 ? other : undefined,
    duplicate: attributes.duplicates,
  });
}

function expectedOther(attributes: DescribedAttributes): Json[] {
  const list: Json[] = (attributes.other ?? []).map(({ type, flags, hex }) => ({
    code: type,
    flags,
    hex,
  }));
  if (attributes.onlyToCustomer !== undefined) {
    const hex = attributes.onlyToCustomer.toString(16).padStart(8, '0');
    list.push({ code: 35, flags: 0xc0, hex });
  }
  return list;
}

function aggregator(value: DescribedAggregator | undefined): string | undefined {
  return value && `${value.asn}:${value.address}`;
}

/** Bare numbers are sequences; the expectation names every segment. */
function segments(elements: readonly AsPathElement[]): [string, number[]][] {
  const list: [string, number[]][] = [];
  for (const element of elements) {
    const last = list.at(-1);
    if (typeof element !== 'number') list.push(namedSegment(element));
    else if (last?.[0] === 'seq') last[1].push(element);
    else list.push(['seq', [element]]);
  }
  return list;
}

function namedSegment(element: Exclude<AsPathElement, number>): [string, number[]] {
  if ('set' in element) return ['set', [...element.set]];
  if ('confedSet' in element) return ['confed_set', [...element.confedSet]];
  return ['confed_seq', [...element.confedSequence]];
}

function expectedOpen(open: DescribedOpen): Json {
  return {
    msg: 'open',
    version: open.version,
    asn: open.asn,
    hold_time: open.holdTimeSeconds,
    bgp_id: open.bgpIdentifier,
    ext_opt: open.extendedParameters,
    caps: open.capabilities.map(expectedCapability),
  };
}

function expectedCapability(capability: DescribedCapability): Json {
  const { code, hex, families } = capability;
  const known: Record<number, () => Json> = {
    1: () => given({ mp: capability.family && familyWord(capability.family) }),
    5: () =>
      given({
        ext_nexthop: families?.map((entry) => ({
          family: familyWord(String(entry['family'])),
          nh_afi: entry['nextHopAfi'],
        })),
      }),
    64: () =>
      given({
        gr: families && {
          flags: capability.restartFlags,
          time: capability.restartTimeSeconds,
          families: families.map((entry) => ({
            family: familyWord(String(entry['family'])),
            flags: entry['flags'],
          })),
        },
      }),
    65: () => given({ asn4: capability.asn }),
    69: () =>
      given({
        addpath: families?.map((entry) => ({
          family: familyWord(String(entry['family'])),
          mode: entry['sendReceive'],
        })),
      }),
  };
  return { code, hex, ...known[code]?.() };
}

const bmpWords: Readonly<Record<string, string>> = {
  routeMonitoring: 'route-monitoring',
  peerDown: 'peer-down',
  peerUp: 'peer-up',
  routeMirroring: 'route-mirroring',
};

export function expectedBmp(bmp: DescribedBmp): Json {
  const isVersion4Route = bmp.version === 4 && bmp.type === 'routeMonitoring';
  return given({
    bmp: bmpWords[bmp.type] ?? bmp.type,
    version: bmp.version,
    peer: bmp.peer && expectedPeer(bmp.peer),
    update: isVersion4Route ? undefined : bmp.update && expectedMessage(bmp.update),
    v4_body: isVersion4Route ? bmp.data : undefined,
    local_address: bmp.localAddress,
    local_port: bmp.localPort,
    remote_port: bmp.remotePort,
    sent_open: bmp.sentOpen && expectedMessage(bmp.sentOpen),
    received_open: bmp.receivedOpen && expectedMessage(bmp.receivedOpen),
    count: bmp.statistics?.length,
    stats: bmp.statistics?.map(({ type, hex }) => ({ type, hex })),
    reason: bmp.reason,
    notification: bmp.notification && expectedMessage(bmp.notification),
    fsm: bmp.fsmEvent,
    data: isVersion4Route ? undefined : bmp.data,
    tlvs: isVersion4Route ? undefined : bmp.tlvs?.map(({ type, hex }) => ({ type, hex })),
  });
}

function expectedPeer(peer: BmpPeer): Json {
  const time = peer.timestamp;
  return {
    type: peer.type,
    flags: peer.flags,
    rd: peer.distinguisher ? distinguisherHex(peer.distinguisher) : '0000000000000000',
    address: peer.address,
    asn: peer.asn,
    bgp_id: peer.bgpIdentifier,
    ts_sec: time ? Date.parse(`${time.slice(0, 19)}Z`) / 1000 : 0,
    ts_usec: time ? Number(time.slice(20, 26)) : 0,
  };
}

function distinguisherHex(text: string): string {
  if (text.startsWith('0x')) return text.slice(2);
  const [type = '', administrator = '', value = ''] = typedDistinguisher(text).split(':');
  const hex = (number: number, digits: number) => number.toString(16).padStart(digits, '0');
  const octets = administrator.split('.').map((octet) => hex(Number(octet), 2));
  if (type === '1') return `0001${octets.join('')}${hex(Number(value), 4)}`;
  return type === '0'
    ? `0000${hex(Number(administrator), 4)}${hex(Number(value), 8)}`
    : `0002${hex(Number(administrator), 8)}${hex(Number(value), 4)}`;
}

/** The data's word for a family. */
function familyWord(family: string): string {
  return family === 'ipv4-rtc' ? 'rtc' : family;
}

/** Without the fields that are not there. */
function given(fields: Json): Json {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
