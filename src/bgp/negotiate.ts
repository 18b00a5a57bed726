// What holds between two OPENs: ours and the peer's (RFC 4271 §6.2, RFC 5492).
import { type AddressFamily, familyFromAfiSafi } from '../net/address-family.ts';
import { type AfiSafi, afiSafi, type Capabilities, noCapabilities } from './capabilities.ts';
import { decodeCapabilities, encodeCapabilities } from './capability-codec.ts';
import { AS_TRANS, MAX_EXTENDED_MESSAGE_SIZE, MAX_MESSAGE_SIZE, OpenError } from './iana.ts';
import { type OpenMessage, openError } from './messages/open.ts';

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
