// FRR (zebra and bgpd) on the feed.
import { join } from 'node:path';
import { startFrr } from '../../src/lab/frr.ts';
import { installedVersion } from './installed.ts';
import type { Receiver } from './receiver.ts';
import { FEED_ADDRESS, FEED_AS, ROUTER_ADDRESS, ROUTER_AS } from './site.ts';

const configuration = `
router bgp ${ROUTER_AS}
 bgp router-id ${ROUTER_ADDRESS}
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor ${FEED_ADDRESS} remote-as ${FEED_AS}
 neighbor ${FEED_ADDRESS} passive
`;

interface Summary {
  readonly ribCount?: number;
  readonly peers?: Readonly<Record<string, { readonly pfxRcd?: number }>>;
}

export const frr: Receiver = {
  name: 'FRR',
  version: async () => installedVersion('/usr/lib/frr/bgpd', ['--version']),

  async start(site, { intoKernel }) {
    const daemons = await startFrr({
      namespace: site.routerNamespace,
      directory: join(site.directory, 'frr'),
      configuration,
      processes: site.processes,
      bgpdArgs: intoKernel ? [] : ['--no_kernel'], // then bgpd does not tell zebra what it learned
    });
    site.onClose(async () => {
      await daemons.bgpd.stop('SIGKILL');
      await daemons.zebra.stop('SIGKILL');
    });
    return {
      pids: [daemons.zebra.pid, daemons.bgpd.pid],
      routeCount: async () => {
        const summary = (await daemons.vtyshJson('show bgp ipv4 unicast summary json')) as Summary;
        return summary.peers?.[FEED_ADDRESS]?.pfxRcd ?? 0;
      },
    };
  },
};
