// A network's routes as a plain list, decided anew whenever somebody asks: the twin of assembly/rib.
import { formatIpAddress, isLinkLocal, parseIpAddress } from '../../src/net/ip-address.ts';
import { containsPrefix, parsePrefix } from '../../src/net/prefix.ts';
import { type Candidate, type Decision, decide, type Options } from './best-path.ts';

export interface NaivePeer {
  readonly id: number;
  readonly address: string;
  readonly asn: number;
  readonly routerId: number;
  readonly interfaceIndex: number;
}

export interface NaiveAttributes {
  readonly asPath: readonly number[];
  readonly med?: number;
  readonly localPref?: number;
  readonly nextHop: string;
}

export interface NaiveRoute extends Candidate {
  readonly peer: NaivePeer | undefined;
  readonly prefix: string;
  readonly attributes: NaiveAttributes | undefined;
  readonly stale: boolean;
}

interface StoredRoute {
  readonly peer: NaivePeer;
  readonly prefix: string;
  readonly pathId: number;
  readonly attributes: NaiveAttributes;
  stale: boolean;
}

export interface NextHopState {
  readonly resolved: boolean;
  readonly metric: number;
}

export class RouteTable {
  readonly nextHopStates = new Map<string, NextHopState>();
  /** Routes of peers to one of these, or to a part of one, are not eligible. */
  ownSubnets: readonly string[] = [];
  readonly #localAs: number;
  readonly #options: Options;
  #routes: StoredRoute[] = [];
  readonly #local = new Set<string>();

  constructor(localAs: number, options: Options) {
    this.#localAs = localAs;
    this.#options = options;
  }

  announce(peer: NaivePeer, prefix: string, pathId: number, attributes: NaiveAttributes): void {
    this.withdraw(peer, prefix, pathId);
    this.#routes.push({ peer, prefix, pathId, attributes, stale: false });
  }

  withdraw(peer: NaivePeer, prefix: string, pathId: number): void {
    this.#routes = this.#routes.filter(
      (route) => route.peer !== peer || route.prefix !== prefix || route.pathId !== pathId,
    );
  }

  originate(prefix: string): void {
    this.#local.add(prefix);
  }

  withdrawOriginated(prefix: string): void {
    this.#local.delete(prefix);
  }

  markStale(peer: NaivePeer, isIpv6: boolean): void {
    for (const route of this.#of(peer, isIpv6)) route.stale = true;
  }

  removeStale(peer: NaivePeer, isIpv6: boolean): void {
    const gone = this.#of(peer, isIpv6).filter(({ stale }) => stale);
    this.#routes = this.#routes.filter((route) => !gone.includes(route));
  }

  prefixes(): string[] {
    return [...new Set([...this.#routes.map(({ prefix }) => prefix), ...this.#local])];
  }

  decision(prefix: string): Decision<NaiveRoute> & { readonly routes: readonly NaiveRoute[] } {
    const learned = this.#routes.filter((route) => route.prefix === prefix);
    const routes = learned.map((route) => this.#candidate(route));
    if (this.#local.has(prefix)) routes.push(localRoute(prefix));
    return { ...decide(routes, this.#options), routes };
  }

  isOwn(prefix: string): boolean {
    const inner = parsePrefix(prefix)!;
    return this.ownSubnets.some((subnet) => containsPrefix(parsePrefix(subnet)!, inner));
  }

  /** Next hops that some route has, eligible or not. */
  usedNextHops(): Set<string> {
    return new Set(this.#routes.map(({ peer, attributes }) => nextHopOf(peer, attributes.nextHop)));
  }

  #of(peer: NaivePeer, isIpv6: boolean): StoredRoute[] {
    return this.#routes.filter(
      (route) => route.peer === peer && route.prefix.includes(':') === isIpv6,
    );
  }

  #candidate({ peer, prefix, pathId, attributes, stale }: StoredRoute): NaiveRoute {
    const nextHop = nextHopOf(peer, attributes.nextHop);
    const state = this.nextHopStates.get(nextHop) ?? { resolved: false, metric: 0 };
    const isEbgp = peer.asn !== this.#localAs;
    return {
      peer,
      prefix,
      attributes,
      stale,
      eligible: state.resolved && !attributes.asPath.includes(this.#localAs) && !this.isOwn(prefix),
      isLocal: false,
      weight: 0,
      localPref: isEbgp ? 100 : (attributes.localPref ?? 100),
      asPath: attributes.asPath,
      origin: 0,
      med: attributes.med ?? 0,
      isEbgp,
      igpMetric: state.metric,
      originatorId: undefined,
      peerRouterId: peer.routerId,
      clusterListLength: 0,
      peerAddress: peer.address,
      pathId,
      nextHop,
    };
  }
}

/** A link-local address is another next hop on each interface. */
function nextHopOf(peer: NaivePeer, address: string): string {
  return nextHopText(parseIpAddress(address)!, peer.interfaceIndex);
}

export function nextHopText(address: Uint8Array, interfaceIndex: number): string {
  const text = formatIpAddress(address);
  return isLinkLocal(address) ? `${text}%${interfaceIndex}` : text;
}

function localRoute(prefix: string): NaiveRoute {
  return {
    peer: undefined,
    prefix,
    attributes: undefined,
    stale: false,
    eligible: true,
    isLocal: true,
    weight: 0,
    localPref: 100,
    asPath: [],
    origin: 0,
    med: 0,
    isEbgp: false,
    igpMetric: 0,
    originatorId: undefined,
    peerRouterId: 0,
    clusterListLength: 0,
    peerAddress: '0.0.0.0',
    pathId: 0,
    nextHop: '',
  };
}
