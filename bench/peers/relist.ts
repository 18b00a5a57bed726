// The twin of OVN-Kubernetes' route import (relist-importer.ts), alone or behind an FRR that fills the kernel: what Rutter does in one process.
import { extname, join } from 'node:path';
import { frr } from './frr.ts';
import { type Northbound, northboundVersion } from './northbound.ts';
import type { ReceiverOptions } from './receiver.ts';
import type { Site } from './site.ts';

const PROGRAM = join(import.meta.dirname, `relist-importer${extname(import.meta.filename)}`);

/** As upstream has it: from an event to its list. */
export const UPSTREAM_DELAY_MS = 500;

/** The importer on a kernel that somebody else fills; resolves with its process. */
export async function startImporter(
  site: Site,
  northbound: Northbound,
  delayMs: number,
): Promise<number> {
  const importer = await site.start({
    name: 'relist-importer',
    command: process.execPath,
    args: [
      ...[PROGRAM, '--northbound', northbound.socketPath, '--router', northbound.router],
      ...['--port', northbound.outputPort, '--delay', String(delayMs)],
    ],
  });
  site.onClose(() => importer.stop());
  return importer.pid;
}

export async function importerVersion(): Promise<string | undefined> {
  const version = northboundVersion();
  return version && `into ovsdb-server ${version}`;
}

export const relist = {
  version: async (): Promise<string | undefined> => {
    const version = await frr.version();
    return version && `after FRR ${version}`;
  },

  async start(
    site: Site,
    northbound: Northbound,
    delayMs: number,
    options: Omit<ReceiverOptions, 'intoKernel'> = {},
  ): Promise<readonly number[]> {
    const { pids } = await frr.start(site, { ...options, intoKernel: true });
    return [...pids, await startImporter(site, northbound, delayMs)];
  },
};
