// BIRD 2 as the interop suites drive it: its configuration, and what it says of our routes.
import { type Bird, startBird } from '../../src/lab/bird.ts';
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

export class BirdDaemon implements Daemon {
  birdc(command: string): Promise<string> {
    return this.#bird!.birdc(command);
  }

  #bird: Bird | undefined;

  async start(network: BgpNetwork, setup: SessionSetup, recovers = false): Promise<void> {
    this.#bird = await startBird({
      namespace: network.namespace,
      directory: `${network.directory}/bird`,
      configuration: configuration(network, setup),
      processes: network.processes,
      recovers,
    });
  }

  async stop(signal?: NodeJS.Signals): Promise<void> {
    await this.#bird?.daemon.stop(signal);
  }

  async seen(prefix: string): Promise<SeenRoute | undefined> {
    const text = await this.#bird!.birdc(`show route ${prefix} protocol rutter all`).catch(
      () => '',
    );
    const asPath = /BGP\.as_path: ([\d ]+)/.exec(text)?.[1];
    if (asPath === undefined) return undefined;
    const med = /BGP\.med: (\d+)/.exec(text)?.[1];
    const communities = /BGP\.community: (.*)/.exec(text)?.[1] ?? '';
    return {
      asPath: asPath.trim().split(' ').map(Number),
      nextHop: /BGP\.next_hop: (\S+)/.exec(text)![1]!,
      med: med === undefined ? undefined : Number(med),
      communities: [...communities.matchAll(/\((\d+),(\d+)\)/g)].map(([, a, b]) => `${a}:${b}`),
    };
  }

  async seenCount(family: 'ipv4' | 'ipv6'): Promise<number> {
    const table = family === 'ipv4' ? 'master4' : 'master6';
    const text = await this.#bird!.birdc(`show route table ${table} protocol feeder count`);
    return Number(/^(\d+) of/m.exec(text)?.[1] ?? 0);
  }
}

function configuration(network: BgpNetwork, setup: SessionSetup): string {
  const text = setup.overIpv6 ? network.ipv6 : network.ipv4;
  const ends = (host: number) =>
    setup.linkLocal ?? { daemon: text(2), rutter: text(host), interface: undefined };
  const peer = (name: string, host: number, asn: number) => `
protocol bgp ${name} {
  local ${ends(host).daemon} port 179 as ${daemonAsn};
  neighbor ${ends(host).rutter} port ${rutterPort} as ${asn};
  ${ends(host).interface ? `interface "${ends(host).interface}";` : ''}
  ${setup.daemonConnects ? 'connect delay time 1; connect retry time 1;' : 'passive on;'}
  ${setup.password ? `password "${setup.password}";` : ''}
  ${setup.ttlSecurity ? 'ttl security on;' : ''}
  strict bind on;
  ${host === 1 ? (setup.lines ?? '') : '# A restarting BIRD would wait for this one too\n  graceful restart off;'}
  error wait time 1, 2;
  enable extended messages on;
  ipv4 { import all; export filter own; extended next hop on; };
  ipv6 { import all; export filter own; };
}`;
  return `
router id ${network.ipv4(2)};
protocol device { }
filter own { if source = RTS_STATIC then bgp_med = 77; accept; }
protocol static own4 {
  ipv4;
  route 203.0.113.0/24 blackhole { bgp_community.add((65001,113)); };
}
protocol static own6 {
  ipv6;
  route 2001:db8:113::/48 blackhole { bgp_community.add((65001,113)); };
}
${peer('rutter', 1, rutterAsn)}
${setup.linkLocal ? '' : peer('feeder', 3, feederAsn)}
`;
}
