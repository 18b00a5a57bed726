// FRR in a directory and a namespace of its own: zebra and bgpd, configured through vtysh.
import { chmod, chown, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { execute } from './execute.ts';
import type { Processes, RunningProcess } from './processes.ts';

export interface FrrOptions {
  readonly namespace: string;
  /** Created when it is not there, and given to user `frr`; every folder above it must be open to that user. */
  readonly directory: string;
  /** Lines of frr.conf. */
  readonly configuration: string;
  /** Owns the daemons: they stop with it. */
  readonly processes: Processes;
  /** More arguments for zebra, for example `['--retain']`. */
  readonly zebraArgs?: readonly string[];
  /** More arguments for bgpd, for example `['-p', '1790']`. */
  readonly bgpdArgs?: readonly string[];
}

export interface Frr {
  readonly zebra: RunningProcess;
  readonly bgpd: RunningProcess;
  /** Output of one command. */
  vtysh(command: string): Promise<string>;
  /** Parsed output of one command that ends with `json`. */
  vtyshJson(command: string): Promise<unknown>;
  /** Runs configuration lines. */
  configure(lines: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts zebra and bgpd and reads in the configuration. */
export async function startFrr(options: FrrOptions): Promise<Frr> {
  const { directory, processes } = options;
  await mkdir(directory, { recursive: true });
  await giveToFrr(directory);
  const zebra = await daemon(options, 'zebra', options.zebraArgs ?? []);
  const bgpd = await daemon(options, 'bgpd', options.bgpdArgs ?? []);
  const frr = controls(options, zebra, bgpd);
  await frr.configure(options.configuration);
  return frr;

  async function daemon(
    { namespace }: FrrOptions,
    name: 'zebra' | 'bgpd',
    args: readonly string[],
  ): Promise<RunningProcess> {
    const empty = `${directory}/${name}.conf`;
    await writeFile(empty, '');
    await giveToFrr(empty);
    const own = ['-f', empty, '-i', `${directory}/${name}.pid`, '-z', `${directory}/zserv.api`];
    return processes.start({
      name: `${namespace}-${name}`,
      command: `/usr/lib/frr/${name}`,
      args: [...own, '--vty_socket', directory, ...args],
      namespace,
      ready: async () => (await vtysh(directory, ['-d', name, '-c', 'show version'])) !== '',
    });
  }
}

function controls(options: FrrOptions, zebra: RunningProcess, bgpd: RunningProcess): Frr {
  const { directory } = options;
  const show = (command: string) => vtysh(directory, ['-c', command]);
  return {
    zebra,
    bgpd,
    vtysh: show,
    vtyshJson: async (command) => JSON.parse(await show(command)) as unknown,
    configure: async (lines) => {
      const file = `${directory}/frr.conf`;
      await writeFile(file, lines);
      await vtysh(directory, ['-f', file]);
    },
    stop: async () => {
      await bgpd.stop();
      await zebra.stop();
    },
  };
}

async function vtysh(directory: string, args: readonly string[]): Promise<string> {
  return execute('vtysh', ['--vty_socket', directory, ...args]);
}

async function giveToFrr(path: string): Promise<void> {
  const { uid, gid } = await frrUser();
  await chown(path, uid, gid);
  if ((await stat(path)).isDirectory()) await chmod(path, 0o755);
}

async function frrUser(): Promise<{ uid: number; gid: number }> {
  const passwd = await readFile('/etc/passwd', 'utf8');
  const fields = passwd.split('\n').map((line) => line.split(':'));
  const entry = fields.find(([name]) => name === 'frr');
  if (entry === undefined)
    throw new Error('user frr not found, expected the package frr to make it');
  return { uid: Number(entry[2]), gid: Number(entry[3]) };
}
