// What a reload has to do: the running configuration and a new one → peers and networks to add, remove and change. Pure.
//
// A key that cannot change while running keeps its old value and is named in `needsRestart`.
import { isDeepStrictEqual } from 'node:util';
import type { Config, NetworkConfig, PeerConfig } from '../config/config.ts';
import { isTableFollowed } from '../config/followed-tables.ts';
import { importedVrfs } from './next-hop-vrfs.ts';

export interface ConfigDiff {
  readonly peers: {
    readonly added: readonly PeerConfig[];
    /** By name. */
    readonly removed: readonly string[];
    /** The session starts anew. */
    readonly replaced: readonly PeerConfig[];
    /** Only the policies are others: the session stays. */
    readonly updated: readonly PeerConfig[];
  };
  readonly networks: {
    readonly added: readonly NetworkConfig[];
    /** By name. */
    readonly removed: readonly string[];
    readonly changed: readonly NetworkConfig[];
  };
  /** Paths of keys that are others in the file and stay as they were until a restart. */
  readonly needsRestart: readonly string[];
  /** What the agent runs on after the reload. */
  readonly config: Config;
}

const topLevelFixed = [
  'node',
  'host',
  'startup',
  'core',
  'verify',
  'control',
  'http',
  'log',
] as const;
const bgpFixed = ['asn', 'routerId', 'listen', 'decision'] as const;

/** `rekeyed`: peers whose password file says something else than it did. */
export function diffConfig(
  before: Config,
  after: Config,
  rekeyed: ReadonlySet<string> = new Set(),
): ConfigDiff {
  const ovnChanged = !isDeepStrictEqual(before.ovn, after.ovn);
  const networks = diffByName(
    before.networks,
    after.networks,
    (network) =>
      isTableFollowed(before, network) !== isTableFollowed(after, network) ||
      !isDeepStrictEqual(importedVrfs(before, network), importedVrfs(after, network)),
  );
  const isElsewhere = ({ network }: PeerConfig) => vrfOf(before, network) !== vrfOf(after, network);
  const isSessionTouched = (peer: PeerConfig) => rekeyed.has(peer.name) || isElsewhere(peer);
  const peers = diffByName(before.bgp.peers, after.bgp.peers, isSessionTouched);
  const changedPeers = peers.changed.map((peer) => ({
    peer,
    isPolicyOnly:
      !isSessionTouched(peer) && isPolicyChange(find(before.bgp.peers, peer.name), peer),
  }));
  return {
    peers: {
      added: peers.added,
      removed: peers.removed,
      replaced: changedPeers.filter((each) => !each.isPolicyOnly).map(({ peer }) => peer),
      updated: changedPeers.filter((each) => each.isPolicyOnly).map(({ peer }) => peer),
    },
    networks: {
      added: networks.added,
      removed: networks.removed,
      // The database is a matter of every network that is in OVN.
      changed: ovnChanged
        ? after.networks.filter(({ name }) => before.networks.some((each) => each.name === name))
        : networks.changed,
    },
    ...keepFixed(before, after),
  };
}

interface Named {
  readonly name: string;
}

function diffByName<Item extends Named>(
  before: readonly Item[],
  after: readonly Item[],
  isTouched: (item: Item) => boolean = () => false,
): { added: Item[]; removed: string[]; changed: Item[] } {
  const old = new Map(before.map((item) => [item.name, item]));
  const names = new Set(after.map(({ name }) => name));
  return {
    added: after.filter(({ name }) => !old.has(name)),
    removed: before.filter(({ name }) => !names.has(name)).map(({ name }) => name),
    changed: after.filter((item) => {
      const was = old.get(item.name);
      return was !== undefined && (isTouched(item) || !isDeepStrictEqual(was, item));
    }),
  };
}

function find<Item extends Named>(items: readonly Item[], name: string): Item {
  return items.find((item) => item.name === name)!;
}

function isPolicyChange(before: PeerConfig, after: PeerConfig): boolean {
  const { import: imports, export: exports } = after;
  return isDeepStrictEqual({ ...before, import: imports, export: exports }, after);
}

/** Where a network's sessions live. */
function vrfOf({ networks }: Config, network: string): string | undefined {
  return networks.find(({ name }) => name === network)?.vrf;
}

/** The new configuration with the old values of what cannot change, and which these are. */
function keepFixed(before: Config, after: Config): Pick<ConfigDiff, 'needsRestart' | 'config'> {
  const top = topLevelFixed.filter((key) => !isDeepStrictEqual(before[key], after[key]));
  const bgp = bgpFixed.filter((key) => !isDeepStrictEqual(before.bgp[key], after.bgp[key]));
  return {
    needsRestart: [...top, ...bgp.map((key) => `bgp.${key}`)],
    config: {
      ...after,
      ...pick(before, topLevelFixed),
      bgp: { ...after.bgp, ...pick(before.bgp, bgpFixed) },
    },
  };
}

function pick<T, Key extends keyof T>(object: T, keys: readonly Key[]): Pick<T, Key> {
  return Object.fromEntries(keys.map((key) => [key, object[key]])) as Pick<T, Key>;
}
