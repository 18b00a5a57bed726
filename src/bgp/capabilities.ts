// Capabilities: what we offer, what they offered, what holds between the two (RFC 5492).
//
// RFC 4760 multiprotocol, 2918 and 7313 route refresh, 8950 extended next hop, 8654 extended messages, 4724 and 8538
// graceful restart, 6793 four-octet AS, 7911 ADD-PATH (we receive, never send), FQDN (code 73). Others are kept by number.
import { type AddressFamily, familyFromAfiSafi, familyNumbers } from '../net/address-family.ts';
import { ByteReader, ReadError } from '../net/byte-reader.ts';
import { ByteWriter } from '../net/byte-writer.ts';
import type { BgpError } from './errors.ts';
import {
  AS_TRANS,
  CapabilityCode,
  capabilityName,
  MAX_EXTENDED_MESSAGE_SIZE,
  MAX_MESSAGE_SIZE,
  OpenError,
} from './iana.ts';
import { type OpenMessage, openError, type RawCapability } from './messages/open.ts';

interface AfiSafi {
  readonly afi: number;
  readonly safi: number;
}

interface GracefulRestartCapability {
  /** R: the speaker has restarted and waits for our End-of-RIB. */
  readonly restarting: boolean;
  /** N: NOTIFICATIONs other than Hard Reset keep the routes (RFC 8538 §2). */
  readonly notification: boolean;
  /** 0–4095. */
  readonly restartTimeSeconds: number;
  readonly families: readonly (AfiSafi & {
    /** F: its forwarding went on across the restart. */
    readonly forwardingPreserved: boolean;
  })[];
}

export interface Capabilities {
  readonly multiprotocol: readonly AfiSafi[];
  readonly routeRefresh: boolean;
  readonly enhancedRouteRefresh: boolean;
  readonly extendedMessage: boolean;
  readonly fourOctetAsn: number | undefined;
  readonly extendedNextHop: readonly (AfiSafi & { readonly nextHopAfi: number })[];
  readonly gracefulRestart: GracefulRestartCapability | undefined;
  readonly addPath: readonly (AfiSafi & { readonly receive: boolean; readonly send: boolean })[];
  readonly fqdn: { readonly hostName: string; readonly domainName: string } | undefined;
  /** Codes that mean nothing to us. */
  readonly others: readonly number[];
}

export const noCapabilities: Capabilities = {
  multiprotocol: [],
  routeRefresh: false,
  enhancedRouteRefresh: false,
  extendedMessage: false,
  fourOctetAsn: undefined,
  extendedNextHop: [],
  gracefulRestart: undefined,
  addPath: [],
  fqdn: undefined,
  others: [],
};

// ---- bytes ----

const code = CapabilityCode;

/** Capabilities in ascending order of code; `others` have no value and are left out. */
export function encodeCapabilities(capabilities: Capabilities): RawCapability[] {
  const list: RawCapability[] = [];
  const add = (number: number, value: Uint8Array) => list.push({ code: number, value });
  for (const family of capabilities.multiprotocol) add(code.multiprotocol, multiprotocol(family));
  if (capabilities.routeRefresh) add(code.routeRefresh, new Uint8Array(0));
  if (capabilities.extendedNextHop.length > 0) {
    add(code.extendedNextHop, extendedNextHop(capabilities.extendedNextHop));
  }
  if (capabilities.extendedMessage) add(code.extendedMessage, new Uint8Array(0));
  if (capabilities.gracefulRestart) {
    add(code.gracefulRestart, gracefulRestart(capabilities.gracefulRestart));
  }
  if (capabilities.fourOctetAsn !== undefined) {
    add(code.fourOctetAs, new ByteWriter(4).uint32(capabilities.fourOctetAsn).finish());
  }
  if (capabilities.addPath.length > 0) add(code.addPath, addPath(capabilities.addPath));
  if (capabilities.enhancedRouteRefresh) add(code.enhancedRouteRefresh, new Uint8Array(0));
  if (capabilities.fqdn) add(code.fqdn, fqdn(capabilities.fqdn));
  return list;
}

function multiprotocol({ afi, safi }: AfiSafi): Uint8Array {
  return new ByteWriter(4).uint16(afi).uint8(0).uint8(safi).finish();
}

/** RFC 8950 §4: AFI, SAFI as two octets, next hop AFI. */
function extendedNextHop(list: Capabilities['extendedNextHop']): Uint8Array {
  const writer = new ByteWriter(list.length * 6);
  for (const { afi, safi, nextHopAfi } of list) {
    writer.uint16(afi).uint16(safi).uint16(nextHopAfi);
  }
  return writer.finish();
}

/** RFC 4724 §3: R and N (RFC 8538 §2) in the upper bits of the restart time. */
function gracefulRestart(capability: GracefulRestartCapability): Uint8Array {
  const flags = (capability.restarting ? 0x8000 : 0) | (capability.notification ? 0x4000 : 0);
  const writer = new ByteWriter(2 + capability.families.length * 4);
  writer.uint16(flags | (capability.restartTimeSeconds & 0x0fff));
  for (const { afi, safi, forwardingPreserved } of capability.families) {
    writer
      .uint16(afi)
      .uint8(safi)
      .uint8(forwardingPreserved ? 0x80 : 0);
  }
  return writer.finish();
}

/** RFC 7911 §4: 1 receive, 2 send, 3 both. */
function addPath(list: Capabilities['addPath']): Uint8Array {
  const writer = new ByteWriter(list.length * 4);
  for (const { afi, safi, receive, send } of list) {
    writer
      .uint16(afi)
      .uint8(safi)
      .uint8((receive ? 1 : 0) | (send ? 2 : 0));
  }
  return writer.finish();
}

function fqdn({ hostName, domainName }: { hostName: string; domainName: string }): Uint8Array {
  const host = shortName(hostName);
  const domain = shortName(domainName);
  const writer = new ByteWriter(2 + host.length + domain.length);
  return writer.uint8(host.length).bytes(host).uint8(domain.length).bytes(domain).finish();
}

/** FRR takes names of up to 64 bytes. */
function shortName(name: string): Uint8Array {
  return new TextEncoder().encode(name).subarray(0, 64);
}

/** Throws a BgpError where a capability that we act upon has a value it cannot have. */
export function decodeCapabilities(list: readonly RawCapability[]): Capabilities {
  const capabilities = { ...noCapabilities };
  for (const raw of list) {
    const decode = decoders[raw.code];
    if (decode === undefined) {
      capabilities.others = [...capabilities.others, raw.code];
      continue;
    }
    try {
      decode(new ByteReader(raw.value), capabilities);
    } catch (error) {
      if (error instanceof ReadError) throw malformedCapability(raw, error.message);
      throw error;
    }
  }
  return capabilities;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
type Decoder = (reader: ByteReader, into: Mutable<Capabilities>) => void;

/** One row per capability. A second one of a kind adds to the first where it is a list, else replaces it (RFC 5492 §4). */
const decoders: Readonly<Record<number, Decoder>> = {
  [code.multiprotocol]: (reader, into) => {
    const afi = reader.uint16();
    reader.uint8();
    into.multiprotocol = [...into.multiprotocol, { afi, safi: reader.uint8() }];
    expectEnd(reader);
  },
  [code.routeRefresh]: (_reader, into) => {
    into.routeRefresh = true;
  },
  [code.ciscoRouteRefresh]: (_reader, into) => {
    into.routeRefresh = true;
  },
  [code.enhancedRouteRefresh]: (_reader, into) => {
    into.enhancedRouteRefresh = true;
  },
  [code.extendedMessage]: (_reader, into) => {
    into.extendedMessage = true;
  },
  [code.fourOctetAs]: (reader, into) => {
    into.fourOctetAsn = reader.uint32();
    expectEnd(reader);
  },
  [code.extendedNextHop]: (reader, into) => {
    const entries = [...into.extendedNextHop];
    while (reader.remaining > 0) {
      entries.push({ afi: reader.uint16(), safi: reader.uint16(), nextHopAfi: reader.uint16() });
    }
    into.extendedNextHop = entries;
  },
  [code.gracefulRestart]: (reader, into) => {
    into.gracefulRestart = decodeGracefulRestart(reader);
  },
  [code.addPath]: (reader, into) => {
    const entries = [...into.addPath];
    while (reader.remaining > 0) {
      const family = { afi: reader.uint16(), safi: reader.uint8() };
      const mode = reader.uint8();
      // RFC 7911 §4: any other value is as if the entry were absent
      if (mode < 1 || mode > 3) continue;
      entries.push({ ...family, receive: (mode & 1) !== 0, send: (mode & 2) !== 0 });
    }
    into.addPath = entries;
  },
  [code.fqdn]: (reader, into) => {
    into.fqdn = decodeFqdn(reader);
  },
};

function decodeGracefulRestart(reader: ByteReader): GracefulRestartCapability {
  const head = reader.uint16();
  const families: GracefulRestartCapability['families'][number][] = [];
  while (reader.remaining > 0) {
    const family = { afi: reader.uint16(), safi: reader.uint8() };
    families.push({ ...family, forwardingPreserved: (reader.uint8() & 0x80) !== 0 });
  }
  return {
    restarting: (head & 0x8000) !== 0,
    notification: (head & 0x4000) !== 0,
    restartTimeSeconds: head & 0x0fff,
    families,
  };
}

/** Only for show, so that nothing in it is an error; control characters could fool a terminal. */
function decodeFqdn(reader: ByteReader): Capabilities['fqdn'] {
  const name = () => {
    if (reader.remaining === 0) return '';
    const size = Math.min(reader.uint8(), reader.remaining);
    return new TextDecoder().decode(reader.bytes(size)).replace(/\p{Cc}/gu, ' ');
  };
  return { hostName: name(), domainName: name() };
}

function expectEnd(reader: ByteReader): void {
  if (reader.remaining > 0) throw reader.error(`${reader.remaining} bytes too many`);
}

function malformedCapability({ code: number }: RawCapability, message: string): BgpError {
  return openError(0, `capability ${capabilityName(number) ?? number}: ${message}`);
}

// ---- what we offer ----

export interface CapabilityOffer {
  readonly localAsn: number;
  readonly families: readonly AddressFamily[];
  /** IPv4 routes with IPv6 next hops (RFC 8950). */
  readonly extendedNextHop: boolean;
  readonly addPathReceive: readonly AddressFamily[];
  readonly gracefulRestart:
    | {
        readonly restartTimeSeconds: number;
        readonly restarting: boolean;
        readonly forwardingPreserved: boolean;
      }
    | undefined;
  readonly hostName: string | undefined;
}

/** Capability codes that a peer refused, or all of them. */
export type Withheld = readonly number[] | 'all';

/** What goes into our OPEN, without what the peer has refused before (RFC 5492 §3). */
export function offerCapabilities(offer: CapabilityOffer, withheld: Withheld): Capabilities {
  if (withheld === 'all') return noCapabilities;
  const families = offer.families.map(afiSafi);
  const full: Capabilities = {
    multiprotocol: families,
    routeRefresh: true,
    enhancedRouteRefresh: true,
    extendedMessage: true,
    fourOctetAsn: offer.localAsn,
    extendedNextHop:
      offer.extendedNextHop && offer.families.includes('ipv4-unicast')
        ? [{ ...afiSafi('ipv4-unicast'), nextHopAfi: familyNumbers('ipv6-unicast').afi }]
        : [],
    gracefulRestart: offer.gracefulRestart && {
      restarting: offer.gracefulRestart.restarting,
      notification: true,
      restartTimeSeconds: offer.gracefulRestart.restartTimeSeconds,
      families: families.map((family) => ({
        ...family,
        forwardingPreserved: offer.gracefulRestart!.forwardingPreserved,
      })),
    },
    addPath: offer.addPathReceive.map((family) => ({
      ...afiSafi(family),
      receive: true,
      send: false,
    })),
    fqdn: offer.hostName === undefined ? undefined : { hostName: offer.hostName, domainName: '' },
    others: [],
  };
  return withheld.reduce(without, full);
}

function without(capabilities: Capabilities, refused: number): Capabilities {
  const field = fields[refused];
  return field === undefined ? capabilities : { ...capabilities, [field]: noCapabilities[field] };
}

const fields: Readonly<Record<number, keyof Capabilities>> = {
  [code.multiprotocol]: 'multiprotocol',
  [code.routeRefresh]: 'routeRefresh',
  [code.extendedNextHop]: 'extendedNextHop',
  [code.extendedMessage]: 'extendedMessage',
  [code.gracefulRestart]: 'gracefulRestart',
  [code.fourOctetAs]: 'fourOctetAsn',
  [code.addPath]: 'addPath',
  [code.enhancedRouteRefresh]: 'enhancedRouteRefresh',
  [code.fqdn]: 'fqdn',
};

function afiSafi(family: AddressFamily): AfiSafi {
  const { afi, safi } = familyNumbers(family);
  return { afi, safi };
}

// ---- what holds ----

/** What the two OPENs agree on. */
export interface NegotiatedSession {
  readonly kind: 'ebgp' | 'ibgp';
  readonly peerAsn: number;
  /** The peer's BGP identifier, host order. */
  readonly routerId: number;
  readonly holdTimeSeconds: number;
  readonly keepaliveTimeSeconds: number;
  readonly families: readonly AddressFamily[];
  readonly fourOctetAs: boolean;
  /** 4096, or 65535 with RFC 8654. */
  readonly maxMessageBytes: number;
  readonly routeRefresh: boolean;
  readonly enhancedRouteRefresh: boolean;
  /** Families in which the peer sends path identifiers (RFC 7911). */
  readonly addPathReceive: readonly AddressFamily[];
  /** Families that may have an IPv6 next hop though they are not IPv6 (RFC 8950). */
  readonly extendedNextHop: readonly AddressFamily[];
  readonly gracefulRestart: NegotiatedGracefulRestart | undefined;
  readonly hostName: string | undefined;
}

/** How the peer restarts; undefined unless both sides announced the capability (RFC 4724 §4.2). */
interface NegotiatedGracefulRestart {
  readonly restartTimeSeconds: number;
  readonly restarting: boolean;
  /** Both sides set N (RFC 8538 §2). */
  readonly notification: boolean;
  readonly families: readonly {
    readonly family: AddressFamily;
    readonly forwardingPreserved: boolean;
  }[];
}

/** What this peer's OPEN is measured against. */
export interface OpenPolicy {
  readonly localAsn: number;
  readonly localRouterId: number;
  readonly peerAsn: number | 'external' | 'internal';
  readonly holdTimeSeconds: number;
  readonly keepaliveTimeSeconds: number;
}

/** Throws a BgpError when the peer is not who it should be or nothing can be exchanged (RFC 4271 §6.2). */
export function negotiate(
  policy: OpenPolicy,
  ours: Capabilities,
  open: OpenMessage,
): NegotiatedSession {
  const theirs = decodeCapabilities(open.capabilities);
  const peerAsn = checkAsn(policy, theirs.fourOctetAsn ?? open.asn);
  const kind = peerAsn === policy.localAsn ? 'ibgp' : 'ebgp';
  // RFC 6286 §2.2: equal identifiers are an error inside one AS only
  if (kind === 'ibgp' && open.routerId === policy.localRouterId) {
    throw openError(OpenError.badBgpIdentifier, 'BGP identifier equal to ours inside one AS');
  }
  const holdTimeSeconds = Math.min(policy.holdTimeSeconds, open.holdTimeSeconds);
  const extended = ours.extendedMessage && theirs.extendedMessage;
  return {
    kind,
    peerAsn,
    routerId: open.routerId,
    holdTimeSeconds,
    // RFC 4271 §4.4: a third of the hold time at most
    keepaliveTimeSeconds: Math.min(policy.keepaliveTimeSeconds, holdTimeSeconds / 3),
    families: commonFamilies(ours, theirs),
    fourOctetAs: ours.fourOctetAsn !== undefined && theirs.fourOctetAsn !== undefined,
    maxMessageBytes: extended ? MAX_EXTENDED_MESSAGE_SIZE : MAX_MESSAGE_SIZE,
    routeRefresh: theirs.routeRefresh,
    // RFC 7313 §3.1: enhanced refresh needs both sides
    enhancedRouteRefresh: ours.enhancedRouteRefresh && theirs.enhancedRouteRefresh,
    addPathReceive: known(
      ours.addPath.filter(
        (mine) =>
          mine.receive && theirs.addPath.some((other) => sameFamily(mine, other) && other.send),
      ),
    ),
    extendedNextHop: known(
      ours.extendedNextHop.filter((mine) =>
        theirs.extendedNextHop.some(
          (other) => sameFamily(mine, other) && mine.nextHopAfi === other.nextHopAfi,
        ),
      ),
    ),
    gracefulRestart: negotiateGracefulRestart(ours, theirs),
    hostName: theirs.fqdn?.hostName,
  };
}

function checkAsn(policy: OpenPolicy, asn: number): number {
  const { peerAsn, localAsn } = policy;
  const fits =
    peerAsn === 'internal'
      ? asn === localAsn
      : peerAsn === 'external'
        ? asn !== localAsn && asn !== AS_TRANS
        : asn === peerAsn;
  // RFC 7607 §2: AS 0 is nobody's
  if (!fits || asn === 0) throw openError(OpenError.badPeerAs, `AS ${asn}, expected ${peerAsn}`);
  return asn;
}

/** A speaker without the multiprotocol capability speaks IPv4 unicast (RFC 4760 §8). */
function commonFamilies(ours: Capabilities, theirs: Capabilities): AddressFamily[] {
  const spoken = (capabilities: Capabilities): readonly AfiSafi[] =>
    capabilities.multiprotocol.length > 0 ? capabilities.multiprotocol : [afiSafi('ipv4-unicast')];
  const common = known(
    spoken(ours).filter((mine) => spoken(theirs).some((other) => sameFamily(mine, other))),
  );
  if (common.length > 0) return common;
  const missing = encodeCapabilities({ ...noCapabilities, multiprotocol: ours.multiprotocol });
  // RFC 5492 §5: the data are the capabilities that are missing
  const data = missing.flatMap(({ code: number, value }) => [number, value.length, ...value]);
  throw openError(
    OpenError.unsupportedCapability,
    'no address family in common',
    Uint8Array.from(data),
  );
}

function negotiateGracefulRestart(
  ours: Capabilities,
  theirs: Capabilities,
): NegotiatedGracefulRestart | undefined {
  if (ours.gracefulRestart === undefined || theirs.gracefulRestart === undefined) return undefined;
  const { restartTimeSeconds, restarting, notification, families } = theirs.gracefulRestart;
  return {
    restartTimeSeconds,
    restarting,
    notification: notification && ours.gracefulRestart.notification,
    families: families.flatMap(({ afi, safi, forwardingPreserved }) => {
      const family = familyFromAfiSafi(afi, safi);
      return family === undefined ? [] : [{ family, forwardingPreserved }];
    }),
  };
}

function sameFamily(a: AfiSafi, b: AfiSafi): boolean {
  return a.afi === b.afi && a.safi === b.safi;
}

function known(list: readonly AfiSafi[]): AddressFamily[] {
  const families = list.flatMap(({ afi, safi }) => familyFromAfiSafi(afi, safi) ?? []);
  return [...new Set(families)];
}
