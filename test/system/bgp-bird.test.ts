// Interop with BIRD 2: the common suite, TCP-MD5 and GTSM.
import { type Bird, startBird } from '../../src/lab/bird.ts';
import {
  type Daemon,
  daemonAsn,
  feederAsn,
  rutterAsn,
  rutterPort,
  type SeenRoute,
  type SessionSetup,
  testDaemon,
} from './bgp-interop.ts';
import type { BgpNetwork } from './bgp-network.ts';

class BirdDaemon implements Daemon {
  #bird: Bird | undefined;

  async start(network: BgpNetwork, setup: SessionSetup): Promise<void> {
    this.#bird = await startBird({
      namespace: network.namespace,
      directory: `${network.directory}/bird`,
      configuration: configuration(network, setup),
      processes: network.processes,
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
  const peer = (name: string, host: number, asn: number) => `
protocol bgp ${name} {
  local ${text(2)} port 179 as ${daemonAsn};
  neighbor ${text(host)} port ${rutterPort} as ${asn};
  ${setup.daemonConnects ? 'connect delay time 1; connect retry time 1;' : 'passive on;'}
  ${setup.password ? `password "${setup.password}";` : ''}
  ${setup.ttlSecurity ? 'ttl security on;' : ''}
  strict bind on;
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
${peer('feeder', 3, feederAsn)}
`;
}

testDaemon('BIRD 2', 'birdtest', 42, () => new BirdDaemon());
