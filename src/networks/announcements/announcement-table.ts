// What all networks announce, and in whose sessions: the candidates of every network, and where networks meet.
//
//   setCandidates ─► NetworkPrefixes ─► announcement per (network, prefix)
//                                   └─► Overlaps per place ─► withheld from a place
//
// A network's prefixes go into its own sessions and into those of the networks it exports to. They are never routes there: what
// one network announces in another's sessions is not in that network's Loc-RIB and cannot be imported from it.
//
// Networks meet in a place: the sessions of a network that others export to, or a host table that several forward by. Where the
// prefixes of two networks overlap in a place, neither is announced there. Whether they are ready does not count: on another
// node the other of the two may be the ready one, and the fabric would spread one destination over two networks.
// What a policy keeps out of a place does not meet anybody there.
//
// Pure: the order of calls does not matter to what comes out, and a change costs what it touches.
import type { Announcement, Candidate, ExportLine, NetworkRequests } from './announcement.ts';
import { NetworkPrefixes } from './network-prefixes.ts';
import { Overlaps } from './overlaps.ts';

/** A prefix of a network whose announcement may be another than before. */
export interface ChangedPrefix {
  readonly network: string;
  readonly text: string;
}

/** What a network's sessions are to be told of a prefix, or why they are not. */
export interface Verdict {
  /** The network the prefix belongs to. */
  readonly network: string;
  readonly announcement: Announcement;
  /** `ready`: it is announced. */
  readonly state: Announcement['state'] | 'overlapping' | 'rejected';
  readonly reason: string | undefined;
}

/** Two networks' prefixes that keep each other from being announced. */
export interface OverlapReport {
  readonly network: string;
  readonly prefix: string;
  readonly otherNetwork: string;
  readonly otherPrefix: string;
  /** `the sessions of default`, `table 100`. */
  readonly place: string;
}

interface Place {
  readonly name: string;
  /** The network whose sessions it is; undefined for a host table. */
  readonly sessionsOf: string | undefined;
  readonly overlaps: Overlaps;
}

interface Network {
  readonly requests: NetworkRequests;
  readonly prefixes: NetworkPrefixes;
  /** Places where it meets others. */
  readonly places: Place[];
}

const CHANGE_SEPARATOR = ' ';

/** Whether policies let an announcement into the sessions that an export line names; without a line, into its own network's. */
export type Admit = (announcement: Announcement, line: ExportLine | undefined) => boolean;

export class AnnouncementTable {
  readonly #admit: Admit;
  readonly #networks = new Map<string, Network>();
  /** Of each network's sessions: whose prefixes are announced there, its own first. */
  readonly #announcers = new Map<string, readonly string[]>();
  /** Places of sessions, by the network the sessions live in. */
  readonly #sessionPlaces = new Map<string, Place>();
  readonly #tablePlaces = new Map<string, Place>();
  readonly #bySubject = new Map<string, readonly Candidate[]>();
  readonly #changed = new Map<string, ChangedPrefix>();

  constructor(admit: Admit = () => true) {
    this.#admit = admit;
  }

  /** Takes another configuration, and asks `admit` anew. Candidates whose request stays are kept. */
  configure(networks: readonly NetworkRequests[]): void {
    for (const [name, { prefixes }] of this.#networks) {
      for (const text of prefixes.texts()) this.#mark(name, text);
    }
    this.#networks.clear();
    this.#announcers.clear();
    for (const requests of networks) {
      const prefixes = new NetworkPrefixes(requests);
      this.#networks.set(requests.name, { requests, prefixes, places: [] });
    }
    this.#meet(networks);
    for (const candidates of this.#bySubject.values()) {
      for (const candidate of candidates) this.#prefixesOf(candidate)?.add(candidate);
    }
  }

  #meet(networks: readonly NetworkRequests[]): void {
    this.#sessionPlaces.clear();
    this.#tablePlaces.clear();
    for (const { name } of networks) {
      const exporters = networks.filter(({ exports }) => exports.some(({ to }) => to === name));
      const members = [name, ...exporters.map((each) => each.name)];
      this.#announcers.set(name, members);
      const place = { name: `the sessions of ${name}`, sessionsOf: name };
      this.#addPlace(this.#sessionPlaces, name, place, members);
    }
    for (const [table, sharers] of Map.groupBy(networks, (each) => each.table)) {
      if (table === undefined) continue;
      const members = sharers.map(({ name }) => name);
      const place = { name: `table ${table}`, sessionsOf: undefined };
      this.#addPlace(this.#tablePlaces, table, place, members);
    }
  }

  #addPlace(
    places: Map<string, Place>,
    key: string,
    named: Omit<Place, 'overlaps'>,
    members: readonly string[],
  ): void {
    if (members.length < 2) return;
    const place = { ...named, overlaps: new Overlaps() };
    places.set(key, place);
    for (const member of members) this.#networks.get(member)?.places.push(place);
  }

  /** Replaces what one row, or the configuration, gives reason to announce. */
  setCandidates(subject: string, candidates: readonly Candidate[]): void {
    // Added first: a prefix that stays is ready all the time
    for (const candidate of candidates) this.#prefixesOf(candidate)?.add(candidate);
    for (const candidate of this.#bySubject.get(subject) ?? []) {
      this.#prefixesOf(candidate)?.remove(candidate);
    }
    if (candidates.length === 0) this.#bySubject.delete(subject);
    else this.#bySubject.set(subject, candidates);
  }

  has(subject: string): boolean {
    return this.#bySubject.has(subject);
  }

  /** Subjects that have candidates. */
  subjects(): IterableIterator<string> {
    return this.#bySubject.keys();
  }

  #prefixesOf(candidate: Candidate): NetworkPrefixes | undefined {
    const prefixes = this.#networks.get(candidate.network)?.prefixes;
    return prefixes?.isRequested(candidate) ? prefixes : undefined;
  }

  /** What may be announced otherwise than at the last call. */
  takeChanges(): readonly ChangedPrefix[] {
    for (const [name, network] of this.#networks) {
      for (const text of network.prefixes.takeChanged()) {
        this.#mark(name, text);
        this.#place(name, network, text);
      }
    }
    const changes = [...this.#changed.values()];
    this.#changed.clear();
    return changes;
  }

  #place(name: string, { prefixes, places }: Network, text: string): void {
    if (places.length === 0) return;
    const announcement = prefixes.get(text);
    for (const { overlaps, sessionsOf } of places) {
      const isThere =
        announcement !== undefined &&
        (sessionsOf === undefined || this.#isAdmitted(announcement, name, sessionsOf));
      const touched = isThere
        ? overlaps.add({ network: name, prefix: announcement.prefix, text })
        : overlaps.remove(name, text);
      for (const other of touched) this.#mark(other.network, other.text);
    }
  }

  #mark(network: string, text: string): void {
    this.#changed.set(`${network}${CHANGE_SEPARATOR}${text}`, { network, text });
  }

  /** Names of the networks in whose sessions this one's prefixes are announced. */
  announcedIn(network: string): readonly string[] {
    const exports = this.#networks.get(network)?.requests.exports ?? [];
    return [network, ...exports.map(({ to }) => to)];
  }

  announcement(network: string, text: string): Announcement | undefined {
    return this.#networks.get(network)?.prefixes.get(text);
  }

  /** Every announcement of a network, whatever its state. */
  *announcements(network: string): Generator<Announcement> {
    const prefixes = this.#networks.get(network)?.prefixes;
    for (const text of prefixes?.texts() ?? []) yield prefixes!.get(text)!;
  }

  /** What the sessions of `network` are to be told of a prefix: one verdict per network that has it. */
  verdicts(network: string, text: string): Verdict[] {
    return (this.#announcers.get(network) ?? []).flatMap((owner): Verdict[] => {
      const announcement = this.announcement(owner, text);
      if (announcement === undefined) return [];
      const { state, reason } = announcement;
      if (state === 'ready' && !this.#isAdmitted(announcement, owner, network)) {
        const rejected = 'a policy of the request or of the export rejects it';
        return [{ network: owner, announcement, state: 'rejected', reason: rejected }];
      }
      const overlap = state === 'ready' ? this.#overlap(owner, network, text) : undefined;
      if (overlap === undefined) return [{ network: owner, announcement, state, reason }];
      return [{ network: owner, announcement, state: 'overlapping', reason: overlap }];
    });
  }

  #isAdmitted(announcement: Announcement, owner: string, place: string): boolean {
    return this.#admit(announcement, this.exportLine(owner, place));
  }

  /** The line by which a network's prefixes are announced in another's sessions; undefined for its own. */
  exportLine(network: string, to: string): ExportLine | undefined {
    return this.#networks.get(network)?.requests.exports.find((line) => line.to === to);
  }

  /** Texts of everything that the sessions of `network` may be told. */
  textsTowards(network: string): Set<string> {
    const owners = this.#announcers.get(network) ?? [];
    return new Set(owners.flatMap((owner) => [...this.#networks.get(owner)!.prefixes.texts()]));
  }

  /** Why a ready prefix of `owner` is kept out of the sessions of `network`. */
  #overlap(owner: string, network: string, text: string): string | undefined {
    const { table } = this.#networks.get(owner)!.requests;
    const places = [
      this.#sessionPlaces.get(network),
      table === undefined ? undefined : this.#tablePlaces.get(table),
    ];
    for (const place of places) {
      const other = place?.overlaps.first(owner, text);
      if (other) return `overlaps ${other.text} of network ${other.network} in ${place!.name}`;
    }
    return undefined;
  }

  /** Every prefix of a network that overlaps another network's where they meet. */
  *overlapsOf(network: string): Generator<OverlapReport> {
    for (const text of this.#networks.get(network)?.prefixes.texts() ?? []) {
      yield* this.overlaps(network, text);
    }
  }

  /** What a prefix overlaps, in each place where its network meets others. */
  overlaps(network: string, prefix: string): OverlapReport[] {
    const { places = [] } = this.#networks.get(network) ?? {};
    return places.flatMap(({ name: place, overlaps }) => {
      const other = overlaps.first(network, prefix);
      if (other === undefined) return [];
      return [{ network, prefix, otherNetwork: other.network, otherPrefix: other.text, place }];
    });
  }
}
