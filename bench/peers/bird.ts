// BIRD 2 on the feed.
import { join } from 'node:path';
import { startBird } from '../../src/lab/bird.ts';
import { installedVersion } from './installed.ts';
import type { Receiver } from './receiver.ts';
import { FEED_ADDRESS, FEED_AS, ROUTER_ADDRESS, ROUTER_AS } from './site.ts';

export const bird: Receiver = {
  name: 'BIRD',
  version: async () => installedVersion('bird', ['--version']),

  async start(site, { intoKernel }) {
    const { daemon, birdc } = await startBird({
      namespace: site.routerNamespace,
      directory: join(site.directory, 'bird'),
      configuration: configuration(intoKernel),
      processes: site.processes,
    });
    site.onClose(() => daemon.stop('SIGKILL'));
    return {
      pids: [daemon.pid],
      // the protocol's counters: `show route count` would walk the table
      routeCount: async () => {
        const text = await birdc('show protocols all feed');
        return Number(/Routes:\s+(\d+) imported/.exec(text)?.[1] ?? 0);
      },
    };
  },
};

function configuration(intoKernel: boolean): string {
  const kernel = `protocol kernel {
    scan time 3600;
    ipv4 { import none; export all; };
  }`;
  return `
    router id ${ROUTER_ADDRESS};
    protocol device { }
    ${intoKernel ? kernel : ''}
    protocol bgp feed {
      local ${ROUTER_ADDRESS} as ${ROUTER_AS};
      neighbor ${FEED_ADDRESS} as ${FEED_AS};
      strict bind yes;
      passive yes;
      ipv4 { import all; export none; };
    }
  `;
}
