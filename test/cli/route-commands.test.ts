// `rutter routes`, `lookup` and `replay` as processes: files without an agent, a control socket with one, exit codes.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AgentView, BadQuestion } from '../../src/control/agent-view.ts';
import { serveControl } from '../../src/control/server.ts';

const directory = mkdtempSync(join(tmpdir(), 'rutter-routes-'));
const main = new URL('../../src/main.ts', import.meta.url).pathname;

function write(name: string, content: string | Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

afterAll(() => rmSync(directory, { recursive: true }));

async function rutter(...args: string[]) {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const [status] = await once(child, 'close');
  return { status, stdout, stderr };
}

// ---- a small MRT file: two peers, one prefix of both, one of the second alone, one withdrawn ----

const uint16 = (value: number) => [value >> 8, value & 0xff];
const attributes = (path: number[], hop: number[]) => [
  ...[0x40, 1, 1, 0],
  ...[0x40, 2, 2 + path.length * 2, 2, path.length, ...path.flatMap(uint16)],
  ...[0x40, 3, 4, ...hop],
];

function updateRecord(peer: number, withdrawn: number[], path: number[], nlri: number[]): Buffer {
  const block = nlri.length > 0 ? attributes(path, [10, 0, 0, peer]) : [];
  const length = 23 + withdrawn.length + block.length + nlri.length;
  const message = [
    ...new Array(16).fill(0xff),
    ...[...uint16(length), 2, ...uint16(withdrawn.length), ...withdrawn],
    ...[...uint16(block.length), ...block, ...nlri],
  ];
  const session = [
    ...uint16(65000 + peer),
    ...uint16(65000),
    0,
    0,
    0,
    1,
    10,
    0,
    0,
    peer,
    10,
    0,
    0,
    9,
  ];
  const header = Buffer.alloc(12);
  header.writeUInt32BE(1_700_000_000, 0);
  header.writeUInt16BE(16, 4);
  header.writeUInt16BE(1, 6);
  header.writeUInt32BE(session.length + message.length, 8);
  return Buffer.concat([header, Buffer.from([...session, ...message])]);
}

const records = Buffer.concat([
  updateRecord(1, [], [65001, 65100], [16, 172, 16]),
  updateRecord(2, [], [65002, 65003, 65100], [16, 172, 16, 24, 192, 0, 2]),
  updateRecord(2, [], [65002], [24, 198, 51, 100]),
  updateRecord(2, [24, 198, 51, 100], [], []),
]);

describe('MRT files', () => {
  const file = write('updates.mrt', records);

  it('dumps the Loc-RIB', async () => {
    const { status, stdout, stderr } = await rutter('routes', '--mrt', file, '-o', 'jsonl');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const routes = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(routes).toMatchObject([
      {
        network: 'default',
        family: 'ipv4-unicast',
        prefix: '172.16.0.0/16',
        best: true,
        peer: '10.0.0.1',
        nextHops: [{ address: '10.0.0.1', weight: 1 }],
        origin: 'igp',
        asPath: [65001, 65100],
        since: '2023-11-14T22:13:20Z',
      },
      { prefix: '192.0.2.0/24', peer: '10.0.0.2' },
    ]);
  });

  it('dumps what each peer said, with the reason', async () => {
    const { stdout } = await rutter('routes', '--mrt', file, '--stage', 'adj-rib-in', '--why');
    const lines = stdout.trim().split('\n');
    expect(lines[0]).toMatch(/PREFIX +NEXT HOP +PEER .* REASON$/);
    expect(lines).toHaveLength(4);
    expect(lines.filter((line) => line.startsWith('>'))).toHaveLength(2);
  });

  it.each([
    [['172.16.0.0/16'], ['172.16.0.0/16']],
    [['172.16.5.5'], ['172.16.0.0/16']],
    [['192.0.0.0/8', '--longer'], ['192.0.2.0/24']],
    [['172.16.1.0/24', '--covering'], ['172.16.0.0/16']],
    [['10.0.0.0/8'], []],
    [['--peer', '10.0.0.2'], ['192.0.2.0/24']],
    [['--family', 'ipv6-unicast'], []],
  ])('selects with %j', async (args, prefixes) => {
    const { stdout } = await rutter('routes', ...args, '--mrt', file, '-o', 'csv');
    const [, ...lines] = stdout.trim().split('\n');
    expect(lines.map((line) => line.split(',')[2])).toEqual(prefixes);
  });

  it('says what a cut file still held, then where it is cut, and ends with 1', async () => {
    const cut = write('cut.mrt', records.subarray(0, records.length - 5));
    const { status, stdout, stderr } = await rutter('routes', '--mrt', cut, '-o', 'jsonl');
    expect(status).toBe(1);
    expect(stdout.trim().split('\n')).toHaveLength(3);
    expect(stderr).toMatch(
      /^rutter: the file ends inside a record \(\d+ of \d+ bytes\) at byte \d+\n$/,
    );
  });

  it('says what it could not use', async () => {
    const broken = Buffer.from(records);
    broken[12 + 7] = 9; // the first record's address family
    const { status, stdout, stderr } = await rutter(
      'routes',
      '--mrt',
      write('broken.mrt', broken),
      '-o',
      'jsonl',
    );
    expect(status).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(2);
    expect(stderr).toMatch(
      /1 broken records, the first BGP4MP\/MESSAGE at byte 0: address family 9/,
    );
  });

  it.each([
    [['routes', '--mrt', 'nothing.mrt'], 1, /nothing\.mrt/],
    [
      ['routes', '--mrt', file, '--peer', '10.0.0.7'],
      1,
      /no peer 10\.0\.0\.7 in the file, it has 10\.0\.0\.1, 10\.0\.0\.2/,
    ],
    [['routes', '--mrt', file, '--stage', 'ovn'], 2, /--stage ovn needs a running agent/],
    [['routes', '10.0.0.0/33'], 2, /must be a prefix or an address/],
    [['routes', '--stage', 'rib'], 2, /adj-rib-in/],
    [['routes', '10.0.0.0/8', '--longer', '--exact'], 2, /cannot be used with/],
    [['lookup', '10.0.0.300'], 2, /must be an IP address/],
    [['lookup', '9.9.9.9', '--mrt', file], 1, /no route to 9\.9\.9\.9 in network default/],
    [['replay', file], 2, /--peer/],
    [['replay', file, '--peer', 'a', '--rate', '0'], 2, /must be a number of updates/],
    [['routes', '--longer'], 2, /--longer, --exact and --covering need a prefix/],
    [['explain', 'nonsense'], 2, /must be a prefix or an address/],
    [['networks', 'add'], 2, /^rutter: missing required argument 'file'\n$/],
    [['policy', 'test', file], 2, /^rutter: required option '--config <file>' not specified\n$/],
    [
      ['policy', 'test', file, '--config', '/nowhere/x.yaml'],
      2,
      /^\/nowhere\/x\.yaml: cannot be read: no such file or directory\n$/,
    ],
    [['routes', '--socket', '/nowhere/socket'], 1, /no agent listens on \/nowhere\/socket/],
  ])('%j ends with %i', async (args, code, message) => {
    const { status, stderr } = await rutter(...args);
    expect(stderr).toMatch(message);
    expect(status).toBe(code);
    expect(stderr).not.toMatch(/\n {4}at /);
  });

  it('looks addresses up', async () => {
    const { status, stdout } = await rutter(
      'lookup',
      '172.16.9.9',
      '--mrt',
      file,
      '--why',
      '-o',
      'json',
    );
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      address: '172.16.9.9',
      prefix: '172.16.0.0/16',
      routes: [
        { best: true, peer: '10.0.0.1' },
        { best: false, peer: '10.0.0.2' },
      ],
    });
  });

  it('replays into nowhere', async () => {
    const { status, stdout } = await rutter(
      'replay',
      file,
      '--peer',
      'a',
      '--offline',
      '-o',
      'json',
    );
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      into: 'nowhere',
      updates: 4,
      announced: 4,
      withdrawn: 1,
      malformed: 0,
      routes: 3,
      prefixes: 2,
    });
  });

  it('replays at a rate', async () => {
    const { stdout } = await rutter(
      'replay',
      file,
      '--peer',
      'a',
      '--offline',
      '--rate',
      '20',
      '-o',
      'json',
    );
    expect(JSON.parse(stdout).seconds).toBeGreaterThan(0.14);
  });

  it('ends quietly when its reader leaves', () => {
    const many = Array.from({ length: 30_000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24 192.0.2.1`);
    const lines = write('many.txt', many.join('\n'));
    const { stdout, stderr } = spawnSync('bash', [
      '-c',
      '"$0" "$@" | head -n 2; echo $PIPESTATUS >&2', // the first command's
      ...[process.execPath, main, 'routes', '--prefixes', lines, '-o', 'jsonl'],
    ]);
    expect(stdout.toString().trim().split('\n')).toHaveLength(2);
    expect(stderr.toString()).toBe('0\n');
  });
});

describe('prefix lists', () => {
  const file = write(
    'prefixes.txt',
    '10.0.0.0/8 192.0.2.1\n10.1.0.0/16 7\n2001:db8::/32 fe80::1\nbad line\n',
  );

  it('shows what would be programmed, and the lines that are none', async () => {
    const { status, stdout, stderr } = await rutter(
      'routes',
      '--prefixes',
      file,
      '--stage',
      'fib',
      '-o',
      'jsonl',
    );
    expect(status).toBe(0);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { prefix: '10.0.0.0/8', nextHops: [{ address: '192.0.2.1', weight: 1 }] },
      { prefix: '10.1.0.0/16', nextHops: [{ address: '100.64.0.7', weight: 1 }] },
      { prefix: '2001:db8::/32', nextHops: [{ address: 'fe80::1', weight: 1 }] },
    ]);
    expect(stderr).toMatch(/next hops are numbers/);
    expect(stderr).toMatch(/1 lines that are no route, the first line 4: must be a prefix/);
  });

  it('looks addresses up', async () => {
    const { stdout } = await rutter('lookup', '10.1.2.3', '--prefixes', file, '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject({ prefix: '10.1.0.0/16' });
  });
});

describe('a running agent', () => {
  const socket = join(directory, 'control.sock');
  const asked: object[] = [];
  let received = Buffer.alloc(0);
  let close: () => Promise<void>;
  const route = {
    network: 'default',
    family: 'ipv4-unicast',
    prefix: '10.0.0.0/8',
    best: true,
    peer: 'tor-a',
    nextHops: [{ address: '172.18.0.2', weight: 1 }],
    installed: { ovn: 'yes' },
    reason: 'only path',
  };
  const view = {
    status: () => ({ node: 'n1' }),
    async *routes(query: object) {
      asked.push(query);
      if ('network' in query && query.network === 'red')
        throw new BadQuestion('network red, expected default');
      yield route;
    },
    lookup: ({ address }: { address: string }) => ({
      address,
      network: 'default',
      prefix: route.prefix,
      routes: [route],
    }),
    async replay(query: object, body: AsyncIterable<Uint8Array>) {
      asked.push(query);
      for await (const chunk of body) received = Buffer.concat([received, chunk]);
      return { updateCount: 4 };
    },
  } as unknown as AgentView;

  beforeAll(async () => {
    close = await serveControl(view, socket, undefined);
  });
  afterAll(() => close());

  it('is asked for routes', async () => {
    const args = [
      '10.0.0.0/8',
      '--longer',
      '--stage',
      'adj-rib-in',
      '--peer',
      'tor-a',
      '--family',
      'ipv4-unicast',
    ];
    const { status, stdout } = await rutter('routes', ...args, '--socket', socket, '-o', 'json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual([route]);
    expect(asked.at(-1)).toEqual({
      network: 'default',
      stage: 'adj-rib-in',
      peer: 'tor-a',
      family: 'ipv4-unicast',
      match: 'longer',
      prefix: '10.0.0.0/8',
    });
  });

  it('answers what it cannot be asked, and the command ends with 1', async () => {
    const { status, stderr } = await rutter('routes', '--network', 'red', '--socket', socket);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: 'rutter: network red, expected default\n',
    });
  });

  it('looks addresses up', async () => {
    const { stdout } = await rutter('lookup', '10.1.1.1', '--socket', socket);
    expect(stdout).toMatch(/^ +PREFIX .*\n> +10\.0\.0\.0\/8 +172\.18\.0\.2 +tor-a/);
  });

  it('takes a replay as 4-octet UPDATEs back to back', async () => {
    const file = write('replay.mrt', records);
    const { status, stdout } = await rutter(
      'replay',
      file,
      '--peer',
      'tor-a',
      '--socket',
      socket,
      '-o',
      'json',
    );
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ peer: 'tor-a', updates: 4, updateCount: 4 });
    expect(asked.at(-1)).toEqual({ peer: 'tor-a' });
    const lengths: number[] = [];
    for (let offset = 0; offset < received.length; offset += received.readUInt16BE(offset + 16)) {
      lengths.push(received.readUInt16BE(offset + 16));
    }
    expect(lengths).toHaveLength(4);
    expect(received.includes(Buffer.from([2, 2, 0, 0, 0xfd, 0xe9, 0, 0, 0xfe, 0x4c]))).toBe(true);
  });
});
