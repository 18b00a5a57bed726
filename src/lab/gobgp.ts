// GoBGP in a directory and a namespace of its own, driven through its gRPC command line.
import { mkdir, writeFile } from 'node:fs/promises';
import { execute } from './execute.ts';
import type { Processes, RunningProcess } from './processes.ts';

export interface GobgpOptions {
  readonly namespace: string;
  /** Created when it is not there. */
  readonly directory: string;
  /** The whole configuration, in TOML. */
  readonly configuration: string;
  /** Owns the daemon: it stops with it. */
  readonly processes: Processes;
}

export interface Gobgp {
  readonly daemon: RunningProcess;
  /** Output of one gobgp command. */
  gobgp(args: readonly string[]): Promise<string>;
  /** Parsed output of one gobgp command. */
  gobgpJson(args: readonly string[]): Promise<unknown>;
}

export async function startGobgp(options: GobgpOptions): Promise<Gobgp> {
  const { directory, namespace, processes } = options;
  await mkdir(directory, { recursive: true });
  const configurationFile = `${directory}/gobgpd.toml`;
  await writeFile(configurationFile, options.configuration);
  const gobgp = (args: readonly string[]) => execute('gobgp', args, { namespace });
  const daemon = await processes.start({
    name: `${namespace}-gobgpd`,
    command: 'gobgpd',
    args: ['-f', configurationFile, '--api-hosts', '127.0.0.1:50051', '--pprof-disable'],
    namespace,
    ready: async () => (await gobgp(['global'])).includes('AS:'),
  });
  return { daemon, gobgp, gobgpJson: async (args) => JSON.parse(await gobgp([...args, '-j'])) };
}
