// FRR as the interop suites drive it: its configuration, and what it says of our routes.
import { type Frr, startFrr } from '../../src/lab/frr.ts';
import {
  type Daemon,
  daemonAsn,
  feederAsn,
  rutterAsn,
  rutterPort,
  type SeenRoute,
  type SessionSetup,
} from './bgp-interop.ts';
import type { BgpNetwork } from './bgp-network.ts';

export class FrrDaemon implements Daemon {
  /** Output of one command. */
  vtysh(command: string): Promise<string> {
    return this.#frr!.vtysh(command);
  }

  vtyshJson(command: string): Promise<unknown> {
    return this.#frr!.vtyshJson(command);
  }

  configure(lines: string): Promise<void> {
    return this.#frr!.configure(lines);
  }

  /** Ends bgpd as a crash would, and starts it again with what it had. */
  async crash(): Promise<void> {
    await this.#frr!.bgpd.stop('SIGKILL');
    await this.#frr!.zebra.stop();
    await this.start(this.#network!, this.#setup!);
  }

  #frr: Frr | undefined;
  #network: BgpNetwork | undefined;
  #setup: SessionSetup | undefined;

  async start(network: BgpNetwork, setup: SessionSetup): Promise<void> {
    this.#network = network;
    this.#setup = setup;
    this.#frr = await startFrr({
      namespace: network.namespace,
      directory: `${network.directory}/frr`,
      configuration: configuration(network, setup),
      processes: network.processes,
    });
  }

  async stop(): Promise<void> {
    await this.#frr?.stop();
  }

  async seen(prefix: string): Promise<SeenRoute | undefined> {
    const family = prefix.includes(':') ? 'ipv6' : 'ipv4';
    const shown = (await this.#frr!.vtyshJson(`show bgp ${family} unicast ${prefix} json`)) as {
      paths?: {
        aspath: { string: string };
        nexthops: { ip: string; scope?: string }[];
        metric?: number;
        community?: { string: string };
        peer: { routerId: string };
      }[];
    };
    const path = shown.paths?.find(({ peer }) => peer.routerId === '198.18.0.1');
    if (path === undefined) return undefined;
    return {
      asPath: path.aspath.string.split(' ').map(Number),
      nextHop: path.nexthops.find(({ scope }) => scope !== 'link-local')!.ip,
      med: path.metric,
      communities: path.community?.string.split(' ') ?? [],
    };
  }

  async seenCount(family: 'ipv4' | 'ipv6'): Promise<number> {
    const shown = (await this.#frr!.vtyshJson(`show bgp ${family} unicast summary json`)) as {
      peers?: Record<string, { pfxRcd?: number }>;
    };
    const text = this.#setup!.overIpv6 ? this.#network!.ipv6 : this.#network!.ipv4;
    return shown.peers?.[text(3)]?.pfxRcd ?? 0;
  }
}

function configuration(network: BgpNetwork, setup: SessionSetup): string {
  const text = setup.overIpv6 ? network.ipv6 : network.ipv4;
  const peers = [
    { address: text(1), asn: rutterAsn, lines: setup.lines ?? '' },
    { address: text(3), asn: feederAsn, lines: '' },
  ];
  const neighbor = ({ address, asn, lines }: (typeof peers)[number]) => `
 neighbor ${address} remote-as ${asn}
 neighbor ${address} timers connect 1
 ${setup.daemonConnects ? `neighbor ${address} port ${rutterPort}` : `neighbor ${address} passive`}
 ${setup.password ? `neighbor ${address} password ${setup.password}` : ''}
 ${setup.ttlSecurity ? `neighbor ${address} ttl-security hops 1` : ''}
${lines.replaceAll('PEER', address)}`;
  const activate = peers.map(({ address }) => `  neighbor ${address} activate`).join('\n');
  return `
route-map own permit 10
 set metric 77
 set community 65001:113
exit
router bgp ${daemonAsn}
 bgp router-id ${network.ipv4(2)}
 no bgp ebgp-requires-policy
 no bgp network import-check
 no bgp default ipv4-unicast
${peers.map(neighbor).join('')}
 address-family ipv4 unicast
  network 203.0.113.0/24 route-map own
${activate}
 exit-address-family
 address-family ipv6 unicast
  network 2001:db8:113::/48 route-map own
${activate}
 exit-address-family
exit
`;
}
