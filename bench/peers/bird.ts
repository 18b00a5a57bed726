// BIRD 2 on the feed.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execute } from '../../src/lab/execute.ts';
import { installedVersion } from './installed.ts';
import type { Receiver } from './receiver.ts';
import { FEED_ADDRESS, FEED_AS, ROUTER_ADDRESS, ROUTER_AS } from './site.ts';

export const bird: Receiver = {
  name: 'BIRD',
  version: async () => installedVersion('bird', ['--version']),

  async start(site, { intoKernel }) {
    const file = join(site.directory, 'bird.conf');
    const socket = join(site.directory, 'bird.ctl');
    await writeFile(file, configuration(intoKernel));
    const birdc = (command: string) =>
      execute('birdc', ['-s', socket, ...command.split(' ')], { timeoutMs: 120_000 });
    const daemon = await site.start({
      name: 'bird',
      command: 'bird',
      args: ['-f', '-c', file, '-s', socket, '-P', join(site.directory, 'bird.pid')],
      ready: async () => (await birdc('show status')).includes('up and running'),
    });
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
