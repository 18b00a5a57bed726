// Another kernel for one command: Debian's user-mode-linux with this machine's file system as its root, for what this kernel lacks (VRF).
//
// It is a process like any other: no disk image, no hypervisor, one CPU, slow system calls; booted in two seconds. Everything below `/` is
// this machine's and stays writable, so /run (with TMPDIR and HOME in it) is a file system in memory, and a command that keeps to those
// leaves nothing behind. What must be read from outside goes to `directory`; it is there once the writer has called fsync or has ended.
//
// The kernel runs in a process namespace of its own, which ends with it, and with us, however we end.
import { spawn } from 'node:child_process';
import { open, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

export interface UmlOptions {
  /** Exists, lies outside /run, and has no blank in its name; the run's files go there. */
  readonly directory: string;
  /** Kernel modules to load first, from Debian's package. */
  readonly modules: readonly string[];
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** As the kernel writes it: `1G` by default. Taken from this machine only as it is used. */
  readonly memory?: string;
  /** Everything is ended after this. */
  readonly timeoutMs: number;
}

/** The program of package user-mode-linux. */
const kernel = 'linux.uml';
/** Ends with its parent, and takes every process of the kernel along. */
const leash = [
  ...['setpriv', '--pdeathsig', 'KILL'],
  ...['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'],
] as const;

/** Boots, runs the command as root, powers off: the command's exit code and what it printed. Rejects when it did not get that far. */
export async function runInUml(options: UmlOptions): Promise<{ exitCode: number; output: string }> {
  const { directory, memory = '1G', timeoutMs } = options;
  const init = join(directory, 'init');
  await writeFile(init, initScript(options), { mode: 0o755 });
  const console = await open(join(directory, 'console'), 'w');
  const [program, ...args] = [
    ...leash,
    ...[kernel, `mem=${memory}`, 'root=/dev/root', 'rootfstype=hostfs', 'rootflags=/', 'rw'],
    ...[`init=${init}`, `uml_dir=${directory}`, `umid=${basename(directory)}`],
    ...['con0=fd:0,fd:1', 'con=null', 'quiet'],
  ];
  const child = spawn(program, args, { stdio: ['ignore', console.fd, console.fd] });
  const limit = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', () => resolve());
    });
  } finally {
    clearTimeout(limit);
    await console.close();
  }
  const read = (name: string) => readFile(join(directory, name), 'utf8').catch(() => '');
  const [exitCode, output] = [await read('exit'), await read('output')];
  if (exitCode !== '') return { exitCode: Number(exitCode), output };
  const how = child.signalCode === 'SIGKILL' ? `not done in ${timeoutMs} ms` : 'ended early';
  throw new Error(`${kernel}: ${how}\n${lastLines(await read('console'))}\n${lastLines(output)}`);
}

/** What the kernel runs first and only: the way to the command and to power-off. */
export function initScript({ directory, modules, command, args, env }: UmlOptions): string {
  const variables = {
    PATH: `${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    HOME: '/run/home',
    TMPDIR: '/run/tmp',
    // Programs of ours start several times; reading and stripping their types is slow here.
    NODE_COMPILE_CACHE: '/run/compile-cache',
    ...env,
  };
  return `#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmpfs /run
mkdir -p /run/home /run/tmp /run/modules/lib/modules
${Object.entries(variables)
  .map(([name, value]) => `export ${name}=${quote(value)}`)
  .join('\n')}
release=$(uname -r)
ln -s "/usr/lib/uml/modules/$release" "/run/modules/lib/modules/$release"
ip link set lo up
cd ${quote(process.cwd())}
modprobe -d /run/modules -a ${modules.map(quote).join(' ')} &&
${[command, ...args].map(quote).join(' ')} < /dev/null > ${quote(join(directory, 'output'))} 2>&1
echo $? > ${quote(join(directory, 'exit'))}
sync
echo o > /proc/sysrq-trigger
sleep 60
`;
}

/** A word as the shell takes it literally. */
function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-20).join('\n');
}
