// The quick start end to end on this machine: `rutter lab up` with FRR, OVN and pings; and that nothing of it stays behind.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { execute } from '../../src/lab/execute.ts';
import { missingPackages } from '../../src/lab/packages.ts';
import { rutterCommand } from '../../src/lab/rutter.ts';
import { expectedRoutes } from '../../src/lab/topology.ts';

const name = 'labtest';
const directory = `/run/rutter-${name}`;
/** What the lab has in the namespace of its node, and the machine must not have. */
const labDevices = ['tor-a', 'tor-b', 'pod', 'br-int', 'br-ex', 'ovs-netdev'];
const isRoot = process.getuid?.() === 0;
const missing = await missingPackages('lab');
const canRun = isRoot && missing.length === 0;

describe.runIf(canRun)('rutter lab (needs root and the packages of the lab)', () => {
  beforeAll(() => rutter('lab', 'down', '--name', name).ended);
  afterAll(() => rutter('lab', 'down', '--name', name).ended);

  it('up --once: every learned prefix and the pod answer, and nothing stays behind', async () => {
    const { code, output } = await rutter('lab', 'up', '--once', '--name', name).ended;
    expect(code, output).toBe(0);
    expect(output).toContain('10 rows for 8 prefixes');
    expect(output).toContain('pings from the pod: 8 of 8 answered');
    expect(output).toContain('pings to the pod: 4 of 4 answered');
    for (const { prefix } of expectedRoutes()) expect(output).toContain(prefix);
    expect(output).toContain('✓ clean-up');
    await expectNothingLeft();
  });

  it('up: stays until SIGTERM, refuses a second one, answers the CLI, and cleans up', async () => {
    const lab = rutter('lab', 'up', '--name', name);
    await lab.says('The lab stays up until Ctrl-C');
    const second = await rutter('lab', 'up', '--once', '--name', name).ended;
    expect(second.code).toBe(1);
    expect(second.output).toContain(`lab ${name} is up already`);
    const status = await rutter('lab', 'status', '--name', name, '-o', 'json').ended;
    expect(JSON.parse(status.output)).toMatchObject([{ name, kind: 'namespaces', state: 'up' }]);
    const socket = `${directory}/rutter.sock`;
    const peers = await rutter('peers', '--socket', socket, '-o', 'json').ended;
    expect(peers.output).toContain('tor-a');
    lab.kill('SIGTERM');
    expect((await lab.ended).code).toBe(0);
    await expectNothingLeft();
  });

  it('down: removes what a killed one left behind, and up does so too', async () => {
    for (const next of [['down'], ['up', '--once']]) {
      const lab = rutter('lab', 'up', '--name', name);
      await lab.says('The lab stays up until Ctrl-C');
      lab.kill('SIGKILL');
      await lab.ended;
      const status = await rutter('lab', 'status', '--name', name, '-o', 'json').ended;
      expect(JSON.parse(status.output)).toMatchObject([{ name, state: 'left-behind' }]);
      const { code, output } = await rutter('lab', ...next, '--name', name).ended;
      expect(code, output).toBe(0);
      await expectNothingLeft();
    }
  });
});

if (!canRun) {
  console.warn(
    `the lab is skipped: root ${isRoot}, missing packages: ${missing.join(' ') || 'none'}`,
  );
}

describe('rutter lab up --sample', () => {
  it('runs the agent in a dry run against the built-in peer and cleans up', async () => {
    const { code, output } = await rutter('lab', 'up', '--sample', '--once', '--name', name).ended;
    expect(code, output).toBe(0);
    expect(output).toContain('routes learned: 387');
    expect(output).toContain('198.18.2.0/24');
    const status = await rutter('lab', 'status', '--name', name).ended;
    expect(status.output).not.toContain('sample');
  });
});

interface Running {
  readonly ended: Promise<{ code: number | null; output: string }>;
  /** Resolves when the output contains the text; rejects when the program ends without having said it. */
  says(text: string): Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

function rutter(...args: readonly string[]): Running {
  const [command, list] = rutterCommand(args);
  const child = spawn(command, list, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      for (const listener of listeners) listener();
    });
  }
  const ended = new Promise<{ code: number | null; output: string }>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve({ code, output }));
  });
  const says = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => output.includes(text) && resolve();
      listeners.add(look);
      look();
      ended.then(() => reject(new Error(`ended without "${text}":\n${output}`)), reject);
    });
  return { ended, says, kill: (signal) => child.kill(signal) };
}

async function expectNothingLeft(): Promise<void> {
  const namespaces = await execute('ip', ['netns', 'list']);
  expect(namespaces).not.toContain(`rutter-${name}-`);
  expect(await readdir('/run/rutter-namespaces')).toEqual(
    expect.not.arrayContaining([expect.stringContaining(`rutter-${name}-`)]),
  );
  expect((await devices()).filter((device) => labDevices.includes(device))).toEqual([]);
  expect(existsSync(directory)).toBe(false);
  expect(await processesThatName(directory)).toEqual([]);
}

/** Command lines that hold a path of the lab's directory. */
async function processesThatName(path: string): Promise<string[]> {
  const ids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  const lines = await Promise.all(
    ids.map((id) => readFile(join('/proc', id, 'cmdline'), 'utf8').catch(() => '')),
  );
  return lines.filter((line) => line.includes(`${path}/`));
}

/** Devices of the machine's own namespace. */
async function devices(): Promise<string[]> {
  const links = JSON.parse(await execute('ip', ['-json', 'link', 'show'])) as { ifname: string }[];
  return links.map(({ ifname }) => ifname).sort();
}
