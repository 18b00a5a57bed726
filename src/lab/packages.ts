// The Debian packages that the lab and the tests stand on: which are missing, and installing them without starting a daemon.
//
// Run directly (`node src/lab/packages.ts lab|test|bench`) it installs what is missing. Only Node's own modules are used here: this is
// the first thing that runs after `npm ci`.
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const execFileAsync = promisify(execFile);

/**
 * `lab`: what `rutter lab up` needs. `test`: that, and the daemons and tools that the tests hold Rutter against. `bench`: the peers that
 * it is measured beside.
 */
export type PackageSet = 'lab' | 'test' | 'bench';

const aptGetPath = '/usr/bin/apt-get';

const labPackages: readonly string[] = [
  'ethtool',
  'frr',
  'iproute2',
  'iputils-ping',
  'openvswitch-switch',
  'ovn-central',
  'ovn-host',
];

export const debianPackages: Readonly<Record<PackageSet, readonly string[]>> = {
  lab: labPackages,
  test: [
    ...labPackages,
    ...['bgpdump', 'bird2', 'bzip2', 'gobgpd', 'kmod', 'openssl', 'user-mode-linux', 'xz-utils'],
  ],
  bench: ['bird2', 'frr', 'gobgpd', 'iproute2', 'openvswitch-switch', 'ovn-central'],
};

/** Names of a set's packages that dpkg does not hold as installed. Where there is no dpkg, that is all of them. */
export async function missingPackages(set: PackageSet): Promise<string[]> {
  const wanted = debianPackages[set];
  const installed = await installedPackages(wanted);
  return wanted.filter((name) => !installed.has(name));
}

async function installedPackages(names: readonly string[]): Promise<Set<string>> {
  // dpkg-query exits 1 when it does not know one of the names, and still prints the others.
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the braces are dpkg-query's own.
  const format = '--showformat=${Package} ${db:Status-Status}\n';
  const { stdout } = await execFileAsync('dpkg-query', ['--show', format, ...names]).catch(
    (error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }),
  );
  const lines = stdout.split('\n').map((line) => line.split(' '));
  return new Set(lines.flatMap(([name, status]) => (name && status === 'installed' ? [name] : [])));
}

/** Why packages cannot be installed here, or undefined when they can. */
export function whyNotInstallable(): string | undefined {
  if (process.getuid?.() !== 0) return 'not running as root';
  if (!existsSync(aptGetPath)) return 'this machine has no apt-get';
  return undefined;
}

/** Installs packages with apt-get; its output goes to our stderr. None of the packages' services is started. */
export async function installPackages(names: readonly string[]): Promise<void> {
  await using _guard = await forbidServiceStart();
  await aptGet(['update', '-q']);
  await aptGet(['install', '-q', '-y', '--no-install-recommends', ...names]);
}

/** Debian asks policy-rc.d before a package's scripts start a service; 101 means no. One that is there already is left alone. */
export async function forbidServiceStart(path = '/usr/sbin/policy-rc.d'): Promise<AsyncDisposable> {
  const created = await writeFile(path, '#!/bin/sh\nexit 101\n', { mode: 0o755, flag: 'wx' }).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false;
      throw error;
    },
  );
  return {
    async [Symbol.asyncDispose]() {
      if (created) await rm(path, { force: true });
    },
  };
}

async function aptGet(args: readonly string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const child = spawn(aptGetPath, args, { env, stdio: ['ignore', process.stderr, process.stderr] });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`apt-get ${args[0]} exited with ${code}, expected 0`);
}

/** Installs what a set lacks, or says why not. Returns what is still missing. */
export async function ensurePackages(
  set: PackageSet,
  say: (line: string) => void,
): Promise<readonly string[]> {
  const missing = await missingPackages(set);
  if (missing.length === 0) return [];
  const reason = whyNotInstallable();
  if (reason !== undefined) {
    say(`missing Debian packages, not installed (${reason}): ${missing.join(' ')}`);
    return missing;
  }
  say(`installing Debian packages: ${missing.join(' ')}`);
  await installPackages(missing);
  return missingPackages(set);
}

async function main(set: string | undefined): Promise<number> {
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  if (set === undefined || !Object.hasOwn(debianPackages, set)) {
    const known = Object.keys(debianPackages).join(', ');
    say(`package set must be one of ${known}, got ${set ?? 'nothing'}`);
    return 2;
  }
  const missing = await ensurePackages(set as PackageSet, say);
  if (missing.length === 0) return 0;
  say('what needs them says what it skips');
  // Where it can be mended, and in CI, going on would only hide it.
  return whyNotInstallable() === undefined || process.env['CI'] !== undefined ? 1 : 0;
}

if (import.meta.main) {
  process.exitCode = await main(process.argv[2]).catch((error: Error) => {
    process.stderr.write(`${error.message}\n`);
    return 1;
  });
}
