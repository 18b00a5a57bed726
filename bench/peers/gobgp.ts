// GoBGP on the feed.
import { join } from 'node:path';
import { startGobgp } from '../../src/lab/gobgp.ts';
import { installedVersion } from './installed.ts';
import type { Receiver } from './receiver.ts';
import { FEED_ADDRESS, FEED_AS, ROUTER_ADDRESS, ROUTER_AS } from './site.ts';

const configuration = `
[global.config]
  as = ${ROUTER_AS}
  router-id = "${ROUTER_ADDRESS}"
[[neighbors]]
  [neighbors.config]
    neighbor-address = "${FEED_ADDRESS}"
    peer-as = ${FEED_AS}
  [neighbors.transport.config]
    passive-mode = true
`;

interface Neighbor {
  readonly afi_safis?: readonly { readonly state?: { readonly received?: number } }[];
}

export const gobgp: Receiver = {
  name: 'GoBGP',
  version: async () => installedVersion('gobgpd', ['--version']),

  async start(site) {
    const { daemon, gobgpJson } = await startGobgp({
      namespace: site.routerNamespace,
      directory: join(site.directory, 'gobgp'),
      configuration,
      processes: site.processes,
    });
    site.onClose(() => daemon.stop('SIGKILL'));
    return {
      pids: [daemon.pid],
      pollMs: 2000, // it walks its table to count
      routeCount: async () => {
        const neighbor = (await gobgpJson(['neighbor', FEED_ADDRESS])) as Neighbor;
        return neighbor.afi_safis?.[0]?.state?.received ?? 0;
      },
    };
  },
};
