// What we offer in our OPEN, without what the peer has refused before.
import { type AddressFamily, familyNumbers } from '../net/address-family.ts';
import { afiSafi, type Capabilities, noCapabilities } from './capabilities.ts';
import { CapabilityCode } from './iana.ts';

const code = CapabilityCode;

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
