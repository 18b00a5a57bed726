// Tells the core and the peers what the networks announce, as it changes (src/networks/announcements decides what that is).
//
//   configuration ─┐                                    ┌─► core: local routes, discards of aggregates
//   OvnWatch ──────┴─► AnnouncementTable ─► backlog ─► settle ─┴─► speaker: withdrawals first, then announcements (P6, P8)
//
// A port that goes down is withdrawn in the turn in which the database's message was read. What is more than a slice of work goes on in
// the next turns (announcement-backlog.ts).
import { isDeepStrictEqual } from 'node:util';
import type { AdvertisedRoute, Speaker } from '../bgp/speaker.ts';
import type { Config } from '../config/config.ts';
import type { RouteCore } from '../core/route-core.ts';
import { type Prefix, parsePrefix, prefixFamily } from '../net/prefix.ts';
import type { Announcement, ExportLine } from '../networks/announcements/announcement.ts';
import {
  AnnouncementTable,
  type ChangedPrefix,
  type Verdict,
} from '../networks/announcements/announcement-table.ts';
import { readSystemId } from '../networks/announcements/chassis.ts';
import { OvnWatch, type OvnWatchOptions } from '../networks/announcements/ovn-watch.ts';
import type { Logger } from '../observe/log.ts';
import { AnnouncementBacklog } from './announcement-backlog.ts';
import { type AnnouncementRequests, readAnnouncementRequests } from './announcement-requests.ts';
import { applyPolicy, type ExportStep } from './export-policy.ts';
import { OverlapLog } from './overlap-log.ts';
import { ownSubnets } from './own-subnets.ts';
import type { PolicyTable } from './policy-table.ts';
import type { NetworkRuntime, PeerRuntime } from './runtime.ts';

/** Sessions wait this long for what OVN has to announce: after a restart the first dump should be whole (RFC 4724 §4.1). */
const FIRST_SYNC_MS = 5000;

const CONFIGURATION = 'configuration';

export interface AnnouncerParts {
  readonly core: RouteCore;
  readonly speaker: Pick<Speaker, 'advertise' | 'withdraw'>;
  readonly policies: Pick<PolicyTable, 'try'>;
  readonly networks: ReadonlyMap<string, NetworkRuntime>;
  readonly peers: ReadonlyMap<string, PeerRuntime>;
  readonly log: Logger;
  /** The core was told something. */
  readonly onChanged: () => void;
}

/** What becomes of one network's prefix in one peer's session. */
export interface Outcome {
  readonly verdict: Verdict;
  readonly route: AdvertisedRoute | undefined;
  readonly state: Verdict['state'] | 'rejected' | 'refused';
  /** Empty where it is ready. */
  readonly reason: string;
}

export class Announcer {
  readonly table: AnnouncementTable;
  readonly #parts: AnnouncerParts;
  /** Local routes in the core, by network. */
  readonly #local = new Map<
    string,
    { readonly id: number; readonly prefixes: Map<string, Prefix> }
  >();
  /** As the core was told. */
  readonly #subnets = new Map<string, readonly Prefix[]>();
  readonly #overlapLog: OverlapLog;
  readonly #backlog: AnnouncementBacklog;
  #watch: OvnWatch | undefined;
  /** Takes over from #watch with its first complete answer. */
  #nextWatch: OvnWatch | undefined;
  #watched = '';
  #onComplete: (() => void)[] = [];

  constructor(parts: AnnouncerParts) {
    this.#parts = parts;
    this.table = new AnnouncementTable(
      (announcement, line) => this.#admitted(announcement, line) !== undefined,
    );
    this.#overlapLog = new OverlapLog(this.table, parts.log);
    this.#backlog = new AnnouncementBacklog({
      read: (most) => this.#read(most),
      takeChanges: () => this.table.takeChanges(),
      isInPlace: ({ network, text }) => this.#local.get(network)?.prefixes.has(text) ?? false,
      settle: (changes) => this.#settle(changes),
      onEmpty: () => this.#settled(),
    });
  }

  /** Takes the configuration; its own prefixes are announced at once. Networks and peers are in their tables by now. */
  async configure(config: Config): Promise<void> {
    const requests = readAnnouncementRequests(config);
    this.table.configure(requests.networks);
    this.table.setCandidates(CONFIGURATION, requests.candidates);
    await this.#follow(config, requests);
    this.#backlog.work();
    for (const { name } of config.networks) this.#ownSubnets(name);
    // Peers that a network no longer exports to are in no change
    for (const peer of this.#parts.peers.values()) this.tell(peer);
  }

  /** Resolves when OVN has said what it has to announce, or after a while. */
  async firstSync(): Promise<void> {
    if (this.#nextWatch === undefined && !this.#backlog.isBusy) return;
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([
      new Promise<void>((resolve) => this.#onComplete.push(resolve)),
      new Promise<void>((resolve) => {
        timer = setTimeout(resolve, FIRST_SYNC_MS);
      }),
    ]);
    clearTimeout(timer);
  }

  close(): void {
    this.#backlog.close();
    this.#watch?.close();
    this.#nextWatch?.close();
  }

  /** A network goes: its local routes must be gone before. What its peers were told is withdrawn by configure(). */
  forget(network: string): void {
    this.#subnets.delete(network);
    const local = this.#local.get(network);
    if (local === undefined) return;
    this.#local.delete(network);
    for (const prefix of local.prefixes.values()) {
      this.#parts.core.withdrawOriginated(local.id, prefix);
    }
  }

  /** A peer was added, or takes other prefixes than before. */
  tell(peer: PeerRuntime): void {
    const texts = new Set([...this.table.textsTowards(peer.network.config.name), ...peer.told]);
    this.#tell(peer, texts);
  }

  /** How many of a network's prefixes are in which state. */
  counts(network: string): Record<Announcement['state'], number> {
    const counts = { ready: 0, waiting: 0, suppressed: 0 };
    for (const { state } of this.table.announcements(network)) counts[state]++;
    return counts;
  }

  /** What keeps a network's requests from being answered. */
  problems(network: string): string[] {
    const watch = this.#watch ?? this.#nextWatch;
    return watch?.problems(network) ?? [];
  }

  /** Starts to follow OVN, or what is to be followed anew: until the new watch has read all, the old one's word holds. */
  async #follow({ ovn, node }: Config, { ovn: requests }: AnnouncementRequests): Promise<void> {
    const watched = JSON.stringify([ovn, node, requests]);
    if (watched === this.#watched) return;
    this.#watched = watched;
    this.#nextWatch?.close();
    this.#nextWatch = undefined;
    if (requests.length === 0) return this.#takeOver(undefined);
    const { northbound, southbound, tls } = ovn;
    const chassis = ovn.chassis ?? (await readSystemId()) ?? node;
    const options: OvnWatchOptions = {
      ...{ northbound, southbound, tls, chassis, requests },
      log: this.#parts.log,
      isKnown: (subject) => this.table.has(subject),
      onChanged: () => this.#ovnChanged(watch),
    };
    const watch = new OvnWatch(options);
    this.#nextWatch = watch;
    watch.start();
  }

  #ovnChanged(watch: OvnWatch): void {
    if (watch === this.#nextWatch) this.#takeOver(watch);
    if (watch === this.#watch) this.#backlog.work();
  }

  #read(most: number): boolean {
    if (!this.#watch?.hasTouched) return false;
    for (const [subject, candidates] of this.#watch.takeTouched(most)) {
      this.table.setCandidates(subject, candidates);
    }
    return true;
  }

  /** All that was heard of is told. */
  #settled(): void {
    this.#overlapLog.say();
    if (this.#nextWatch === undefined) {
      for (const resolve of this.#onComplete.splice(0)) resolve();
    }
  }

  #takeOver(watch: OvnWatch | undefined): void {
    this.#watch?.close();
    this.#watch = watch;
    this.#nextWatch = undefined;
    const subjects = [...this.table.subjects()].filter((subject) => subject !== CONFIGURATION);
    if (watch !== undefined) watch.succeed(subjects);
    else for (const subject of subjects) this.table.setCandidates(subject, []);
  }

  #settle(changes: readonly ChangedPrefix[]): void {
    this.#tellPeers(changes);
    this.#overlapLog.look(changes);
    for (const change of changes) this.#originate(change);
    const wide = changes.filter(({ text }) => !isHostRoute(parsePrefix(text)!));
    for (const network of new Set(wide.map((change) => change.network))) this.#ownSubnets(network);
    this.#parts.onChanged();
  }

  #tellPeers(changes: readonly ChangedPrefix[]): void {
    const byNetwork = new Map<string, Set<string>>();
    for (const { network, text } of changes) {
      for (const place of this.table.announcedIn(network)) {
        const texts = byNetwork.get(place);
        if (texts) texts.add(text);
        else byNetwork.set(place, new Set([text]));
      }
    }
    for (const peer of this.#parts.peers.values()) {
      const texts = byNetwork.get(peer.network.config.name);
      if (texts) this.#tell(peer, texts);
    }
  }

  #tell(peer: PeerRuntime, texts: Iterable<string>): void {
    const { speaker } = this.#parts;
    const { name } = peer.config;
    const withdrawn: Prefix[] = [];
    const announced: AdvertisedRoute[] = [];
    for (const text of texts) {
      const route = this.#route(peer, text);
      if (route !== undefined) {
        peer.told.add(text);
        announced.push(route);
      } else if (peer.told.delete(text)) withdrawn.push(parsePrefix(text)!);
    }
    if (withdrawn.length > 0) speaker.withdraw(name, withdrawn);
    if (announced.length > 0) speaker.advertise(name, announced);
  }

  /** What a peer is to be told of a prefix; undefined: nothing. Learned routes never come here (P7). */
  #route(peer: PeerRuntime, text: string): AdvertisedRoute | undefined {
    for (const { route } of this.outcomes(peer, text)) if (route !== undefined) return route;
    return undefined;
  }

  /** What becomes of a prefix in a peer's session: for each network that has it, the route, or why there is none. */
  outcomes(peer: PeerRuntime, text: string): Outcome[] {
    const own = peer.network.config.name;
    return this.table.verdicts(own, text).map((verdict) => {
      if (verdict.state !== 'ready') {
        const { state, reason = '' } = verdict;
        return { verdict, route: undefined, state, reason };
      }
      return { verdict, ...this.#export(peer, verdict) };
    });
  }

  #export({ config, network }: PeerRuntime, verdict: Verdict): Omit<Outcome, 'verdict'> {
    const { prefix } = verdict.announcement;
    const family = prefixFamily(prefix);
    if (!config.families.includes(family)) {
      return { route: undefined, state: 'refused', reason: `${family} is not configured` };
    }
    const line = this.table.exportLine(verdict.network, network.config.name);
    const admitted = this.#admitted(verdict.announcement, line);
    const { policies } = this.#parts;
    const route = admitted && applyPolicy(policies, config.export, admitted, config.name);
    if (route !== undefined) return { route, state: 'ready', reason: '' };
    return { route, state: 'rejected', reason: `export policy ${config.export} rejects it` };
  }

  /** The policies that a prefix meets on its way to a peer, in order, and the route that the first of them sees. */
  exportPath(
    { config, network }: PeerRuntime,
    { network: owner, announcement }: Verdict,
  ): { readonly steps: readonly ExportStep[]; readonly offered: AdvertisedRoute } {
    const line = this.table.exportLine(owner, network.config.name);
    const { policy } = announcement.attributes;
    const { name, export: toPeer } = config;
    const request = announcement.isAggregate ? 'aggregates' : 'advertise';
    return {
      offered: offeredRoute(announcement, line),
      steps: [
        ...(policy ? [{ at: `networks.${owner}.${request}`, policy }] : []),
        ...(line ? [{ at: `networks.${owner}.exports.${line.to}`, policy: line.policy }] : []),
        { at: `bgp.peers.${name}.export`, policy: toPeer, peer: name },
      ],
    };
  }

  /** As the policies of the request and of the export line leave it. */
  #admitted(announcement: Announcement, line?: ExportLine): AdvertisedRoute | undefined {
    const { policies } = this.#parts;
    const { policy = 'accept' } = announcement.attributes;
    const requested = applyPolicy(policies, policy, offeredRoute(announcement, line));
    return requested && applyPolicy(policies, line?.policy ?? 'accept', requested);
  }

  /** Routes from outside must not claim what is the network's own. */
  #ownSubnets(network: string): void {
    const { core, networks } = this.#parts;
    const runtime = networks.get(network);
    if (runtime === undefined) return;
    const prefixes = this.#local.get(network)?.prefixes.values() ?? [];
    const subnets = ownSubnets(runtime.config, prefixes);
    const before = this.#subnets.get(network);
    this.#subnets.set(network, subnets);
    if (!isDeepStrictEqual(before, subnets)) core.setOwnSubnets(runtime.id, subnets);
  }

  /** The network's own prefixes are in its look-ups and dumps. */
  #originate({ network, text }: ChangedPrefix): void {
    const { core, networks } = this.#parts;
    const runtime = networks.get(network);
    const announcement = this.table.announcement(network, text);
    const isLocal = announcement !== undefined && announcement.state !== 'waiting';
    let local = this.#local.get(network);
    if (local === undefined && runtime !== undefined) {
      local = { id: runtime.id, prefixes: new Map() };
      this.#local.set(network, local);
    }
    if (local === undefined) return;
    if (isLocal) {
      local.prefixes.set(text, announcement.prefix);
      const discard = announcement.isAggregate;
      core.originate(local.id, announcement.prefix, Math.floor(Date.now() / 1000), { discard });
      return;
    }
    const before = local.prefixes.get(text);
    if (before === undefined) return;
    local.prefixes.delete(text);
    core.withdrawOriginated(local.id, before);
  }
}

/** Before any policy has seen it. */
function offeredRoute({ prefix, attributes }: Announcement, line?: ExportLine): AdvertisedRoute {
  const { policy: _, ...own } = attributes;
  // Another network's next hop is no address of this one
  return { ...own, prefix, nextHop: line === undefined ? own.nextHop : undefined };
}

function isHostRoute({ address, length }: Prefix): boolean {
  return length === address.length * 8;
}
