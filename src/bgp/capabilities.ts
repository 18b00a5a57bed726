// Capabilities as values (RFC 5492). capability-codec.ts has their bytes, capability-offer.ts what we offer, negotiate.ts what holds.
//
// RFC 4760 multiprotocol, 2918 and 7313 route refresh, 8950 extended next hop, 8654 extended messages, 4724 and 8538
// graceful restart, 6793 four-octet AS, 7911 ADD-PATH (we receive, never send), FQDN (code 73). Others are kept by number.
import { type AddressFamily, familyNumbers } from '../net/address-family.ts';

export interface AfiSafi {
  readonly afi: number;
  readonly safi: number;
}

export interface GracefulRestartCapability {
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

export function afiSafi(family: AddressFamily): AfiSafi {
  const { afi, safi } = familyNumbers(family);
  return { afi, safi };
}
