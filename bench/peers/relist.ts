// FRR into the kernel and a re-list-and-diff importer from there into OVN: what Rutter does in one process.
import { extname, join } from 'node:path';
import { frr } from './frr.ts';
import type { Northbound } from './northbound.ts';
import type { Site } from './site.ts';

const PROGRAM = join(import.meta.dirname, `relist-importer${extname(import.meta.filename)}`);

export const relist = {
  version: async (): Promise<string | undefined> => {
    const version = await frr.version();
    return version && `after FRR ${version}`;
  },

  /** `throttleMs`: the least time between two lists; upstream's is 500. */
  async start(site: Site, northbound: Northbound, throttleMs: number): Promise<readonly number[]> {
    const { pids } = await frr.start(site, { intoKernel: true });
    const importer = await site.start({
      name: 'relist-importer',
      command: process.execPath,
      args: [
        ...[PROGRAM, '--northbound', northbound.socketPath, '--router', northbound.router],
        ...['--port', northbound.outputPort, '--throttle', String(throttleMs)],
      ],
    });
    return [...pids, importer.pid];
  },
};
