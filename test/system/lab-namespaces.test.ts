// Namespaces and processes of the lab on the real kernel: made, wired, and gone afterwards, even when their maker was killed.
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { execute } from '../../src/lab/execute.ts';
import {
  NetworkNamespaces,
  namespaceProcesses,
  removeStaleNamespaces,
  staleNamespaces,
} from '../../src/lab/namespaces.ts';
import { processIdentity } from '../../src/lab/process-identity.ts';
import { Processes, waitUntil } from '../../src/lab/processes.ts';

const isRoot = process.getuid?.() === 0;

describe.runIf(isRoot)('network namespaces (needs root)', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'rutter-test-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('carry packets over a veth pair and leave nothing behind', async () => {
    const before = await devices();
    let names: readonly string[] = [];
    {
      await using namespaces = new NetworkNamespaces('labtest');
      const left = await namespaces.add('left');
      const right = await namespaces.add('right');
      await namespaces.link(
        { namespace: left, device: 'eth0', addresses: ['192.0.2.1/24', '2001:db8::1/64'] },
        { namespace: right, device: 'eth0', addresses: ['192.0.2.2/24', '2001:db8::2/64'] },
      );
      for (const address of ['192.0.2.2', '2001:db8::2']) {
        const output = await execute('ping', ['-c', '1', address], { namespace: left });
        expect(output).toContain('1 received');
      }
      names = [...namespaces.names];
      expect(await list()).toEqual(expect.arrayContaining([...names]));
      expect(await devices()).toEqual(before);
    }
    expect((await list()).filter((name) => names.includes(name))).toEqual([]);
  });

  it('end the processes in them when they go, after a failure too', async () => {
    let pid = 0;
    const failing = async () => {
      await using namespaces = new NetworkNamespaces('labtest');
      await using processes = new Processes(directory);
      const namespace = await namespaces.add('failing');
      const running = await processes.start({
        name: 'sleep',
        command: 'sleep',
        args: ['600'],
        namespace,
      });
      pid = running.pid;
      await waitUntil(async () => (await namespaceProcesses(namespace)).includes(pid), {
        what: 'sleep in its namespace',
      });
      throw new Error('something went wrong');
    };
    await expect(failing()).rejects.toThrow('something went wrong');
    expect(await isRunning(pid)).toBe(false);
    expect(await list()).not.toContain('rutter-labtest-failing');
  });

  it('are recognised as left behind when their maker was killed, and only then', async () => {
    const maker = spawn(
      process.execPath,
      ['--input-type=module', '--eval', makerProgram(directory)],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const pid = await firstLine(maker.stdout).then(Number);
    const name = 'rutter-labtest-orphan';
    expect(await staleNamespaces(name)).toEqual([]);
    expect(await removeStaleNamespaces(name)).toEqual([]);
    maker.kill('SIGKILL');
    await new Promise((resolve) => maker.once('exit', resolve));
    expect(await isRunning(pid)).toBe(true);
    expect(await staleNamespaces(name)).toEqual([name]);
    expect(await removeStaleNamespaces(name)).toEqual([name]);
    // A process leaves its namespace a moment before it is gone.
    await waitUntil(async () => !(await isRunning(pid)), { what: 'sleep to end', timeoutMs: 1000 });
    expect(await list()).not.toContain(name);
    expect(await readdir('/run/rutter-namespaces')).not.toContain(name);
  });

  it('tell what a child said when it ends before it is ready', async () => {
    await using processes = new Processes(directory);
    const failing = processes.start({
      name: 'failing',
      command: 'sh',
      args: ['-c', 'echo no such thing; exit 3'],
      ready: () => Promise.resolve(false),
    });
    await expect(failing).rejects.toThrow(
      /failing ended with 3 before it was ready.*no such thing/s,
    );
  });
});

if (!isRoot) console.warn('the namespace tests are skipped: they need root');

/** Makes a namespace with a sleeping process in it, prints the process's id, and stays. */
function makerProgram(directory: string): string {
  const source = (file: string) =>
    JSON.stringify(new URL(`../../src/lab/${file}`, import.meta.url));
  return `
    import { NetworkNamespaces } from ${source('namespaces.ts')};
    import { Processes } from ${source('processes.ts')};
    const namespace = await new NetworkNamespaces('labtest').add('orphan');
    const processes = new Processes(${JSON.stringify(directory)});
    const running = await processes.start({ name: 'orphan', command: 'sleep', args: ['600'], namespace });
    console.log(running.pid);
    setInterval(() => undefined, 1000);
  `;
}

async function firstLine(stream: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of stream) {
    text += chunk.toString();
    if (text.includes('\n')) break;
  }
  return text.trim();
}

async function list(): Promise<string[]> {
  return (await execute('ip', ['netns', 'list'])).split('\n').map((line) => line.split(' ')[0]!);
}

/** Devices of the machine's own namespace. */
async function devices(): Promise<string[]> {
  const links = JSON.parse(await execute('ip', ['-json', 'link', 'show'])) as { ifname: string }[];
  return links.map(({ ifname }) => ifname).sort();
}

/** Ended children that nobody has waited for yet do not count. */
function isRunning(pid: number): Promise<boolean> {
  return processIdentity(pid).then(
    () => true,
    () => false,
  );
}
