// GoBGP on the feed.
import { join } from 'node:path';
import { startGobgp } from '../../src/lab/gobgp.ts';
import { installedVersion } from './installed.ts';
import type { Receiver } from './receiver.ts';
import { feedsOf, ROUTER_ADDRESS, ROUTER_AS } from './site.ts';

const configuration = (feeds: number) => `
[global.config]
  as = ${ROUTER_AS}
  router-id = "${ROUTER_ADDRESS}"
${feedsOf(feeds)
  .map(
    ({ address, asn }) => `
[[neighbors]]
  [neighbors.config]
    neighbor-address = "${address}"
    peer-as = ${asn}
  [neighbors.transport.config]
    passive-mode = true
`,
  )
  .join('')}
`;

interface Neighbor {
  readonly afi_safis?: readonly { readonly state?: { readonly received?: number } }[];
}

export const gobgp: Receiver = {
  name: 'GoBGP',
  version: async () => installedVersion('gobgpd', ['--version']),

  async start(site, { feeds = 1 }) {
    const { daemon, gobgpJson } = await startGobgp({
      namespace: site.routerNamespace,
      directory: join(site.directory, 'gobgp'),
      configuration: configuration(feeds),
      processes: site.processes,
    });
    site.onClose(() => daemon.stop('SIGKILL'));
    return {
      pids: [daemon.pid],
      pollMs: 2000, // it walks its table to count
      routeCount: async () => {
        let count = 0;
        for (const { address } of feedsOf(feeds)) {
          const neighbor = (await gobgpJson(['neighbor', address])) as Neighbor;
          count += neighbor.afi_safis?.[0]?.state?.received ?? 0;
        }
        return count;
      },
    };
  },
};
