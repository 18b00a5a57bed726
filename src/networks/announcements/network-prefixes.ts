// The prefixes of one network: candidates in, one announcement per prefix out, with aggregates (RFC 4632 §5.1).
//
// A prefix may have several candidates (two load balancers on one virtual IP; a line of the configuration and a port). It is ready
// when any of them is, and the first request among the ready ones gives the attributes.
//
// An aggregate is active while a ready prefix lies strictly within it; a counter per aggregate keeps that, so that a prefix that
// changes costs one step per aggregate. Only where an aggregate that suppresses comes or goes all prefixes within it are looked at.
// Aggregates are no reason for one another: what is inside the smaller one is inside the larger one too.
import { containsPrefix, formatPrefix, type Prefix } from '../../net/prefix.ts';
import type {
  AggregateRequest,
  Announcement,
  Candidate,
  NetworkRequests,
  RequestedAttributes,
} from './announcement.ts';

interface Known {
  readonly prefix: Prefix;
  readonly text: string;
  readonly candidates: Set<Candidate>;
  /** Counted in the aggregates around it. */
  isReady: boolean;
}

interface Aggregate {
  readonly request: AggregateRequest;
  readonly text: string;
  readyCount: number;
}

export class NetworkPrefixes {
  readonly #requests: ReadonlyMap<string, { rank: number; attributes: RequestedAttributes }>;
  readonly #aggregates: readonly Aggregate[];
  readonly #known = new Map<string, Known>();
  #changed = new Set<string>();

  constructor({ requests, aggregates }: Pick<NetworkRequests, 'requests' | 'aggregates'>) {
    this.#requests = new Map(
      requests.map(({ id, attributes }, rank) => [id, { rank, attributes }] as const),
    );
    this.#aggregates = aggregates.map((request) => ({
      request,
      text: formatPrefix(request.prefix),
      readyCount: 0,
    }));
    for (const { text } of this.#aggregates) this.#changed.add(text);
  }

  /** Whether the candidate answers a request of this network. */
  isRequested({ request }: Candidate): boolean {
    return this.#requests.has(request);
  }

  add(candidate: Candidate): void {
    const text = formatPrefix(candidate.prefix);
    let known = this.#known.get(text);
    if (known === undefined) {
      known = { prefix: candidate.prefix, text, candidates: new Set(), isReady: false };
      this.#known.set(text, known);
    }
    known.candidates.add(candidate);
    this.#recount(known);
  }

  remove(candidate: Candidate): void {
    const known = this.#known.get(formatPrefix(candidate.prefix))!;
    known.candidates.delete(candidate);
    if (known.candidates.size === 0) this.#known.delete(known.text);
    this.#recount(known);
  }

  /** Texts of the prefixes whose announcement may be another than at the last call. */
  takeChanged(): ReadonlySet<string> {
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }

  /** Every prefix that has a candidate, and every aggregate. */
  texts(): Set<string> {
    return new Set([...this.#known.keys(), ...this.#aggregates.map(({ text }) => text)]);
  }

  /** undefined: the network has no such prefix. */
  get(text: string): Announcement | undefined {
    const known = this.#known.get(text);
    const best = known && this.#best(known);
    const aggregate = this.#aggregates.find((each) => each.text === text);
    if (best !== undefined && (best.notReady === undefined || aggregate === undefined)) {
      return this.#unlessSuppressed(this.#fromCandidate(best, text));
    }
    if (aggregate === undefined) return undefined;
    return this.#unlessSuppressed(fromAggregate(aggregate));
  }

  #fromCandidate({ prefix, source, request, notReady }: Candidate, text: string): Announcement {
    const { attributes } = this.#requests.get(request)!;
    const state = notReady === undefined ? 'ready' : 'waiting';
    return { prefix, text, source, attributes, state, reason: notReady, isAggregate: false };
  }

  #unlessSuppressed(announcement: Announcement): Announcement {
    if (announcement.state !== 'ready') return announcement;
    const around = this.#around(announcement.prefix).find(
      ({ request, readyCount }) => request.suppress && readyCount > 0,
    );
    if (around === undefined) return announcement;
    return { ...announcement, state: 'suppressed', reason: `inside aggregate ${around.text}` };
  }

  /** Ready before not ready, then the order of the requests; the source's text makes it one for any order of arrival. */
  #best({ candidates }: Known): Candidate | undefined {
    let best: Candidate | undefined;
    for (const candidate of candidates) {
      if (best === undefined || this.#compare(candidate, best) < 0) best = candidate;
    }
    return best;
  }

  #compare(a: Candidate, b: Candidate): number {
    const rank = ({ request }: Candidate) => this.#requests.get(request)!.rank;
    return (
      Number(a.notReady !== undefined) - Number(b.notReady !== undefined) ||
      rank(a) - rank(b) ||
      compareText(a.source, b.source) ||
      compareText(a.notReady ?? '', b.notReady ?? '')
    );
  }

  #recount(known: Known): void {
    this.#changed.add(known.text);
    const isReady = [...known.candidates].some(({ notReady }) => notReady === undefined);
    if (isReady === known.isReady) return;
    known.isReady = isReady;
    for (const aggregate of this.#around(known.prefix)) {
      aggregate.readyCount += isReady ? 1 : -1;
      const flips = aggregate.readyCount === (isReady ? 1 : 0);
      if (flips) this.#flipped(aggregate);
    }
  }

  #flipped({ request, text }: Aggregate): void {
    this.#changed.add(text);
    if (!request.suppress) return;
    for (const { prefix, text: inside } of this.#known.values()) {
      if (isWithin(request.prefix, prefix)) this.#changed.add(inside);
    }
    for (const { request: inner, text: inside } of this.#aggregates) {
      if (isWithin(request.prefix, inner.prefix)) this.#changed.add(inside);
    }
  }

  #around(prefix: Prefix): Aggregate[] {
    return this.#aggregates.filter(({ request }) => isWithin(request.prefix, prefix));
  }
}

function fromAggregate({ request, text, readyCount }: Aggregate): Announcement {
  const { prefix, attributes } = request;
  const isActive = readyCount > 0;
  return {
    prefix,
    text,
    source: 'aggregate',
    attributes,
    state: isActive ? 'ready' : 'waiting',
    reason: isActive ? undefined : 'no more specific prefix is ready',
    isAggregate: true,
  };
}

/** Strictly: a prefix is not more specific than itself. */
function isWithin(outer: Prefix, inner: Prefix): boolean {
  return outer.length < inner.length && containsPrefix(outer, inner);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
