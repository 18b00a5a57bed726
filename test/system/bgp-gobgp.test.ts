// Interop with GoBGP: the common suite.
import { type Gobgp, startGobgp } from '../../src/lab/gobgp.ts';
import {
  type Daemon,
  daemonAsn,
  daemonPrefixes,
  feederAsn,
  rutterAsn,
  rutterPort,
  type SeenRoute,
  type SessionSetup,
  testDaemon,
} from './bgp-interop.ts';
import type { BgpNetwork } from './bgp-network.ts';

interface GobgpPath {
  readonly attrs: readonly {
    readonly type: number;
    readonly as_paths?: readonly { readonly asns: readonly number[] }[];
    readonly nexthop?: string;
    readonly metric?: number;
    readonly communities?: readonly number[];
  }[];
}

class GobgpDaemon implements Daemon {
  #gobgp: Gobgp | undefined;
  #network: BgpNetwork | undefined;
  #setup: SessionSetup | undefined;

  async start(network: BgpNetwork, setup: SessionSetup): Promise<void> {
    this.#network = network;
    this.#setup = setup;
    this.#gobgp = await startGobgp({
      namespace: network.namespace,
      directory: `${network.directory}/gobgp`,
      configuration: configuration(network, setup),
      processes: network.processes,
    });
    const [own4, own6] = daemonPrefixes;
    const attributes = ['med', '77', 'community', '65001:113'];
    const add = ['global', 'rib', 'add'];
    await this.#gobgp.gobgp([
      ...add,
      own4,
      ...attributes,
      'nexthop',
      network.ipv4(2),
      '-a',
      'ipv4',
    ]);
    await this.#gobgp.gobgp([
      ...add,
      own6,
      ...attributes,
      'nexthop',
      network.ipv6(2),
      '-a',
      'ipv6',
    ]);
  }

  async stop(signal?: NodeJS.Signals): Promise<void> {
    await this.#gobgp?.daemon.stop(signal);
  }

  async seen(prefix: string): Promise<SeenRoute | undefined> {
    const family = prefix.includes(':') ? 'ipv6' : 'ipv4';
    const table = await this.#adjIn(1, family, [prefix]);
    const path = table[prefix]?.[0];
    if (path === undefined) return undefined;
    const attribute = (type: number) => path.attrs.find((each) => each.type === type);
    const nextHop = attribute(3)?.nexthop ?? attribute(14)?.nexthop;
    return {
      asPath: attribute(2)!.as_paths!.flatMap(({ asns }) => asns),
      nextHop: nextHop!,
      med: attribute(4)?.metric,
      communities: (attribute(8)?.communities ?? []).map(
        (value) => `${value >>> 16}:${value & 0xffff}`,
      ),
    };
  }

  async seenCount(family: 'ipv4' | 'ipv6'): Promise<number> {
    return Object.keys(await this.#adjIn(3, family, [])).length;
  }

  async #adjIn(
    host: number,
    family: string,
    prefix: readonly string[],
  ): Promise<Record<string, GobgpPath[]>> {
    const text = this.#setup!.overIpv6 ? this.#network!.ipv6 : this.#network!.ipv4;
    const args = ['neighbor', text(host), 'adj-in', ...prefix, '-a', family];
    const shown = await this.#gobgp!.gobgpJson(args).catch(() => ({}));
    return shown as Record<string, GobgpPath[]>;
  }
}

function configuration(network: BgpNetwork, setup: SessionSetup): string {
  const text = setup.overIpv6 ? network.ipv6 : network.ipv4;
  const neighbor = (host: number, asn: number) => `
[[neighbors]]
  [neighbors.config]
    neighbor-address = "${text(host)}"
    peer-as = ${asn}
    ${setup.password ? `auth-password = "${setup.password}"` : ''}
  [neighbors.graceful-restart.config]
    enabled = true
    restart-time = 120
  [neighbors.timers.config]
    connect-retry = 1
    idle-hold-time-after-reset = 1
  [neighbors.transport.config]
    passive-mode = ${!setup.daemonConnects}
    remote-port = ${rutterPort}
    local-address = "${text(2)}"
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv4-unicast"
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv6-unicast"
`;
  return `
[global.config]
  as = ${daemonAsn}
  router-id = "${network.ipv4(2)}"
  port = 179
  local-address-list = ["${network.ipv4(2)}", "${network.ipv6(2)}"]
${neighbor(1, rutterAsn)}
${neighbor(3, feederAsn)}
`;
}

testDaemon('GoBGP', 'gobgptest', 43, () => new GobgpDaemon());
