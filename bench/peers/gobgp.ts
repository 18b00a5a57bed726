// GoBGP on the feed.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execute } from '../../src/lab/execute.ts';
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
    const file = join(site.directory, 'gobgp.toml');
    await writeFile(file, configuration);
    const ask = (...args: string[]) =>
      execute('gobgp', args, { namespace: site.routerNamespace, timeoutMs: 120_000 });
    const daemon = await site.start({
      name: 'gobgp',
      command: 'gobgpd',
      args: ['-f', file, '-l', 'warn', '--pprof-disable', '--api-hosts', '127.0.0.1:50051'],
      ready: async () => (await ask('neighbor')).includes(FEED_ADDRESS),
    });
    return {
      pids: [daemon.pid],
      routeCount: async () => {
        const neighbor = JSON.parse(await ask('neighbor', FEED_ADDRESS, '-j')) as Neighbor;
        return neighbor.afi_safis?.[0]?.state?.received ?? 0;
      },
    };
  },
};
