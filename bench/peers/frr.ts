// FRR (zebra and bgpd) on the feed.
import { join } from 'node:path';
import { startFrr } from '../../src/lab/frr.ts';
import { installedVersion } from './installed.ts';
import type { Receiver } from './receiver.ts';
import { feedsOf, ROUTER_ADDRESS, ROUTER_AS } from './site.ts';

const configuration = (feeds: number, isMultipath: boolean) => `
router bgp ${ROUTER_AS}
 bgp router-id ${ROUTER_ADDRESS}
 no bgp ebgp-requires-policy
 no bgp network import-check
${isMultipath ? ' bgp bestpath as-path multipath-relax' : ''}
${feedsOf(feeds)
  .map(({ address, asn }) => ` neighbor ${address} remote-as ${asn}\n neighbor ${address} passive`)
  .join('\n')}
`;

interface Summary {
  readonly ribCount?: number;
  readonly peers?: Readonly<Record<string, { readonly pfxRcd?: number }>>;
}

export const frr: Receiver = {
  name: 'FRR',
  version: async () => installedVersion('/usr/lib/frr/bgpd', ['--version']),

  async start(site, { intoKernel, feeds = 1, isMultipath = false }) {
    const daemons = await startFrr({
      namespace: site.routerNamespace,
      directory: join(site.directory, 'frr'),
      configuration: configuration(feeds, isMultipath),
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
        const peers = Object.values(summary.peers ?? {});
        return peers.reduce((sum, { pfxRcd = 0 }) => sum + pfxRcd, 0);
      },
    };
  },
};
