// BIRD 2 on the feed.
import { join } from 'node:path';
import { startBird } from '../../src/lab/bird.ts';
import { installedVersion } from './installed.ts';
import type { Receiver } from './receiver.ts';
import { type feedAt, feedsOf, ROUTER_ADDRESS, ROUTER_AS } from './site.ts';

export const bird: Receiver = {
  name: 'BIRD',
  version: async () => installedVersion('bird', ['--version']),

  async start(site, { intoKernel, feeds = 1 }) {
    const { daemon, birdc } = await startBird({
      namespace: site.routerNamespace,
      directory: join(site.directory, 'bird'),
      configuration: configuration(intoKernel, feeds),
      processes: site.processes,
    });
    site.onClose(() => daemon.stop('SIGKILL'));
    return {
      pids: [daemon.pid],
      // the protocol's counters: `show route count` would walk the table
      routeCount: async () => {
        const text = await birdc('show protocols all "feed*"');
        const counts = [...text.matchAll(/Routes:\s+(\d+) imported/g)];
        return counts.reduce((sum, [, count]) => sum + Number(count), 0);
      },
    };
  },
};

function configuration(intoKernel: boolean, feeds: number): string {
  const kernel = `protocol kernel {
    scan time 3600;
    ipv4 { import none; export all; };
  }`;
  return `
    router id ${ROUTER_ADDRESS};
    protocol device { }
    ${intoKernel ? kernel : ''}
    ${feedsOf(feeds).map(session).join('')}
  `;
}

function session({ address, asn }: ReturnType<typeof feedAt>, index: number): string {
  return `
    protocol bgp feed${index} {
      local ${ROUTER_ADDRESS} as ${ROUTER_AS};
      neighbor ${address} as ${asn};
      strict bind yes;
      passive yes;
      ipv4 { import all; export none; };
    }
  `;
}
