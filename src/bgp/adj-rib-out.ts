// Adj-RIB-Out of one peer: what it is to be told, what it was told, and the messages that close the gap (RFC 4271 §3.2).
//
// Nothing goes out but what advertise() was given (RFC 8212 §3, RFC 4271 §9.1.3 is never reached by a learned route). The table
// lives as long as the peer is configured; begin() starts over with each session. A route that ends as it was told writes
// nothing. Withdrawals go before announcements; a family's End-of-RIB or EoRR goes after the last of its routes.
import { type AddressFamily, familyNumbers } from '../net/address-family.ts';
import type { LargeCommunity } from '../net/community.ts';
import { formatIpAddress, type IpAddress } from '../net/ip-address.ts';
import { formatPrefix, type Prefix, prefixFamily } from '../net/prefix.ts';
import { asSequence } from './attributes/as-path.ts';
import type { Origin } from './iana.ts';
import { encodeRouteRefresh, RefreshSubtype } from './messages/route-refresh.ts';
import {
  type AnnouncedAttributes,
  encodeAnnouncement,
  encodeEndOfRib,
  encodeWithdrawal,
} from './messages/update.ts';
import type { NegotiatedSession } from './negotiate.ts';

/** A local route as the agent gives it. What is left out is filled in per session. */
export interface AdvertisedRoute {
  readonly prefix: Prefix;
  /** The session's own address of the family by default. */
  readonly nextHop?: IpAddress | undefined;
  /** `igp` by default. */
  readonly origin?: Origin | undefined;
  /** AS numbers after ours. */
  readonly asPath?: readonly number[] | undefined;
  readonly med?: number | undefined;
  /** Towards iBGP; 100 by default. */
  readonly localPref?: number | undefined;
  readonly communities?: readonly number[] | undefined;
  readonly extendedCommunities?: readonly Uint8Array[] | undefined;
  readonly largeCommunities?: readonly LargeCommunity[] | undefined;
}

/** What of the session shapes what the peer is told. */
export interface OutboundSession {
  readonly localAsn: number;
  readonly localAddress: IpAddress;
  readonly nextHops: Partial<Record<AddressFamily, IpAddress>>;
  readonly negotiated: NegotiatedSession;
}

/** A route that cannot be told to this peer. */
export interface RefusedRoute {
  readonly prefix: Prefix;
  readonly reason: string;
}

/** A route that the peer holds from us. */
export interface ToldRoute {
  readonly prefix: Prefix;
  /** As sent. */
  readonly attributes: AnnouncedAttributes;
  /** Milliseconds since 1970 when the peer was first told so. */
  readonly since: number;
}

interface Told extends ToldRoute {
  readonly fingerprint: string;
  /** The peer wants to hear it again. */
  readonly isDue: boolean;
}

/** The mark that follows a family's last route. */
interface Ending {
  readonly family: AddressFamily;
  readonly kind: 'endOfRib' | 'endOfRefresh';
}

/** Prefixes per take(): about 64 kB of messages at most. */
const BATCH_PREFIXES = 4096;
const DEFAULT_LOCAL_PREF = 100;

export class AdjRibOut {
  /** What the peer is to be told. */
  readonly #desired = new Map<string, AdvertisedRoute>();
  /** What it was told in this session. */
  readonly #told = new Map<string, Told>();
  readonly #pending = new Map<string, Prefix>();
  readonly #refused = new Map<string, RefusedRoute>();
  #endings: Ending[] = [];
  #marks: Uint8Array[] = [];
  #session: OutboundSession | undefined;
  readonly #wallTime: () => number;

  /** `wallTime`: milliseconds since 1970. */
  constructor(wallTime: () => number = () => 0) {
    this.#wallTime = wallTime;
  }

  /** What the peer was told of a prefix, by its text. */
  told(text: string): ToldRoute | undefined {
    return this.#told.get(text);
  }

  /** Why the session cannot carry a prefix. */
  refusal(text: string): string | undefined {
    return this.#refused.get(text)?.reason;
  }

  /** Routes the peer holds from us. */
  get advertisedCount(): number {
    return this.#told.size;
  }

  get refused(): readonly RefusedRoute[] {
    return [...this.#refused.values()];
  }

  /** Adds routes, or replaces those of the same prefix. */
  advertise(routes: Iterable<AdvertisedRoute>): void {
    for (const route of routes) {
      const key = formatPrefix(route.prefix);
      this.#desired.set(key, route);
      if (this.#session) this.#pending.set(key, route.prefix);
    }
  }

  withdraw(prefixes: Iterable<Prefix>): void {
    for (const prefix of prefixes) {
      const key = formatPrefix(prefix);
      this.#refused.delete(key);
      if (this.#desired.delete(key) && this.#session) this.#pending.set(key, prefix);
    }
  }

  /** A session is Established: the peer knows nothing yet, and learns the end of each family's first dump. */
  begin(session: OutboundSession): void {
    this.end();
    this.#session = session;
    for (const [key, { prefix }] of this.#desired) this.#pending.set(key, prefix);
    this.#endings = session.negotiated.families.map((family) => ({ family, kind: 'endOfRib' }));
  }

  end(): void {
    this.#session = undefined;
    this.#told.clear();
    this.#pending.clear();
    this.#refused.clear();
    this.#endings = [];
    this.#marks = [];
  }

  /** The peer wants a family again; between enhanced speakers inside BoRR and EoRR (RFC 7313 §4). */
  resend(family: AddressFamily): void {
    if (this.#session === undefined) return;
    const { afi, safi } = familyNumbers(family);
    // RFC 7313 §4.1: no BoRR before the End-of-RIB of the first dump
    this.#flushEnding(family);
    if (this.#session.negotiated.enhancedRouteRefresh) {
      this.#marks.push(encodeRouteRefresh({ afi, safi, subtype: RefreshSubtype.begin }));
      this.#endings.push({ family, kind: 'endOfRefresh' });
    }
    for (const [key, told] of this.#told) {
      if (prefixFamily(told.prefix) !== family) continue;
      this.#told.set(key, { ...told, isDue: true });
      this.#pending.set(key, told.prefix);
    }
  }

  /** Messages to send next, at most a batch; empty when the peer knows everything. */
  take(): Uint8Array[] {
    const session = this.#session;
    if (session === undefined) return [];
    const messages = this.#marks;
    this.#marks = [];
    messages.push(...this.#changes(session));
    messages.push(...this.#finishedEndings());
    return messages;
  }

  #changes(session: OutboundSession): Uint8Array[] {
    const withdrawn: Prefix[] = [];
    const groups = new Map<string, { attributes: AnnouncedAttributes; prefixes: Prefix[] }>();
    let count = 0;
    for (const [key, prefix] of this.#pending) {
      if (count++ === BATCH_PREFIXES) break;
      this.#pending.delete(key);
      const attributes = this.#attributesOf(key, session);
      const told = this.#told.get(key);
      if (attributes === undefined) {
        if (told) withdrawn.push(prefix);
        this.#told.delete(key);
        continue;
      }
      const print = fingerprint(attributes);
      const isSame = told?.fingerprint === print;
      if (isSame && !told.isDue) continue;
      const since = isSame ? told.since : this.#wallTime();
      this.#told.set(key, { prefix, attributes, since, fingerprint: print, isDue: false });
      const group = groups.get(print);
      if (group) group.prefixes.push(prefix);
      else groups.set(print, { attributes, prefixes: [prefix] });
    }
    return [
      ...encodeWithdrawal(withdrawn, session.negotiated),
      ...[...groups.values()].flatMap((group) => this.#announce(group, session)),
    ];
  }

  #announce(
    { attributes, prefixes }: { attributes: AnnouncedAttributes; prefixes: Prefix[] },
    session: OutboundSession,
  ): Uint8Array[] {
    try {
      return encodeAnnouncement(prefixes, attributes, session.negotiated);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const held = prefixes.filter((prefix) => this.#refuse(prefix, error.message));
      return encodeWithdrawal(held, session.negotiated);
    }
  }

  /** Attributes for this session; undefined when the route is not, or cannot be, announced in it. */
  #attributesOf(key: string, session: OutboundSession): AnnouncedAttributes | undefined {
    const route = this.#desired.get(key);
    if (route === undefined) return undefined;
    const family = prefixFamily(route.prefix);
    const { negotiated } = session;
    if (!negotiated.families.includes(family)) {
      this.#refused.set(key, { prefix: route.prefix, reason: `${family} was not negotiated` });
      return undefined;
    }
    const nextHop = route.nextHop ?? session.nextHops[family] ?? session.localAddress;
    if (!fitsFamily(nextHop, family, negotiated)) {
      const reason = `next hop ${formatIpAddress(nextHop)} does not fit ${family} in this session`;
      this.#refused.set(key, { prefix: route.prefix, reason });
      return undefined;
    }
    this.#refused.delete(key);
    const isExternal = negotiated.kind === 'ebgp';
    const path = route.asPath ?? [];
    return {
      origin: route.origin ?? 'igp',
      // RFC 4271 §5.1.2
      asPath: asSequence(isExternal ? [session.localAsn, ...path] : path),
      nextHop,
      med: route.med,
      // RFC 4271 §5.1.5
      localPref: isExternal ? undefined : (route.localPref ?? DEFAULT_LOCAL_PREF),
      communities: route.communities,
      extendedCommunities: route.extendedCommunities,
      largeCommunities: route.largeCommunities,
    };
  }

  /** Takes back an announcement that could not be encoded; true when the peer may hold an earlier one. */
  #refuse(prefix: Prefix, reason: string): boolean {
    const key = formatPrefix(prefix);
    this.#refused.set(key, { prefix, reason });
    return this.#told.delete(key);
  }

  #finishedEndings(): Uint8Array[] {
    if (this.#endings.length === 0) return [];
    const open = new Set([...this.#pending.values()].map(prefixFamily));
    const finished = this.#endings.filter(({ family }) => !open.has(family));
    this.#endings = this.#endings.filter(({ family }) => open.has(family));
    return finished.map(endingMessage);
  }

  /** Sends what is left of a family's first dump, with its End-of-RIB, ahead of anything later. */
  #flushEnding(family: AddressFamily): void {
    const isOpen = () => this.#endings.some((ending) => ending.family === family);
    while (isOpen()) {
      const messages = this.take();
      this.#marks.push(...messages);
    }
  }
}

/** RFC 4271 §5.1.3, RFC 4760 §3, RFC 8950 §4. */
function fitsFamily(
  nextHop: IpAddress,
  family: AddressFamily,
  { extendedNextHop }: NegotiatedSession,
): boolean {
  if (family === 'ipv6-unicast') return nextHop.length === 16;
  return nextHop.length === 4 || extendedNextHop.includes(family);
}

function endingMessage({ family, kind }: Ending): Uint8Array {
  if (kind === 'endOfRib') return encodeEndOfRib(family);
  const { afi, safi } = familyNumbers(family);
  return encodeRouteRefresh({ afi, safi, subtype: RefreshSubtype.end });
}

function fingerprint(attributes: AnnouncedAttributes): string {
  return JSON.stringify(attributes, (_key, value) =>
    value instanceof Uint8Array ? [...value].join('.') : value,
  );
}
