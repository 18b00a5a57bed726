// Several networks in a running agent: isolated but for their import lines, added and removed while the others notice nothing.
//
//   default  tor-a (FRR)   table 100, GR_node
//   blue     tor-b (BIRD)  table 101, GR_blue   imports from default
//   green    nobody        table 102            imports from default
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningProcess } from '../../src/lab/processes.ts';
import { AgentSite, BIRD, FRR, isRoot, OUTPUT_PORT, peer, ROUTER, TABLE } from './agent-site.ts';

const A = '198.51.100.0/24';
const B = '203.0.113.0/24';
/** tor-a claims a part of what is ours. */
const CLAIMED = '10.50.7.0/24';
const viaA = `${A} via ${FRR}`;
const viaB = `${B} via ${BIRD}`;
const BLUE = 101;
const GREEN = 102;
const WHITE = 103;

const plain = {
  name: 'default',
  table: TABLE,
  subnets: ['10.50.0.0/16'],
  ovn: { router: ROUTER, outputPort: OUTPUT_PORT },
};
const imports = [{ from: 'default' }];
const blue = {
  name: 'blue',
  table: BLUE,
  imports,
  ovn: { router: 'GR_blue', outputPort: 'rtoe-GR_blue' },
};
const green = { name: 'green', table: GREEN, imports };
const white = { name: 'white', table: WHITE, imports: [{ from: 'blue' }] };
const bgp = { peers: [peer('tor-a', FRR, 65001), peer('tor-b', BIRD, 65002, { network: 'blue' })] };

describe.runIf(isRoot)('networks', () => {
  let site: AgentSite;
  let agent: RunningProcess;

  beforeAll(async () => {
    site = await AgentSite.open();
    await site.startNorthbound();
    await site.addRouter();
    await site.nbctl(
      ...['lr-add', 'GR_blue', '--', 'lrp-add', 'GR_blue', 'rtoe-GR_blue'],
      ...['02:00:00:78:00:02', '10.78.8.1/24'],
    );
    await site.frr([
      ' address-family ipv4 unicast',
      `  network ${A}`,
      `  network ${CLAIMED}`,
      ' exit-address-family',
    ]);
    await site.bird([B]);
    agent = await site.agent({ config: { bgp, networks: [plain, blue] } });
  }, 60_000);

  afterAll(() => site?.[Symbol.asyncDispose]());

  /** IPv4 routes of a kernel table, `prefix via nexthop`. */
  const kernel = async (table: number): Promise<string[]> => {
    const text = await site
      .ip('-4', '-json', 'route', 'show', 'table', String(table))
      .catch(() => '');
    const routes = JSON.parse(text || '[]') as { dst: string; gateway: string }[];
    return routes.map(({ dst, gateway }) => `${dst} via ${gateway}`).sort();
  };
  const untilKernel = (table: number, routes: readonly string[]) =>
    site.until(`table ${table} to hold ${routes.join(', ') || 'nothing'}`, async () =>
      same(await kernel(table), routes),
    );
  const untilRouter = (router: string, prefixes: readonly string[]) =>
    site.until(`${router} to hold ${prefixes.join(', ')}`, async () => {
      const text = await site.nbctl('lr-route-list', router);
      const held = [...text.matchAll(/^\s*(\d+\.\S+)/gm)].map((match) => match[1]!);
      return same(held.sort(), prefixes);
    });
  const network = async (name: string) =>
    (await site.list('networks')).find((each) => each['network'] === name);
  const reload = async (networks: readonly object[], policies: object = {}) => {
    const count = (await site.logged(agent, 'reloaded')).length;
    await site.configure({ bgp, networks, policies });
    agent.signal('SIGHUP');
    await site.until(
      'the reload',
      async () => (await site.logged(agent, 'reloaded')).length > count,
    );
  };
  /** What must not change while others come and go. */
  const rowsAndSessions = async () => ({
    rows: (await site.nbctl('--bare', '--columns=_uuid', 'list', 'Logical_Router_Static_Route'))
      .split('\n')
      .sort(),
    sessions: (await site.list('peers')).map(({ name, establishedCount }) => [
      name,
      establishedCount,
    ]),
  });

  it('get what they import and what their own peers say, and nothing else', async () => {
    await untilKernel(TABLE, [viaA]);
    await untilKernel(BLUE, [viaA, viaB]);
    await untilRouter(ROUTER, [A]);
    await untilRouter('GR_blue', [A, B]);
    expect(await site.list('routes', { network: 'blue' })).toMatchObject([
      { prefix: A, peer: 'tor-a', importedFrom: 'default', network: 'blue' },
      { prefix: B, peer: 'tor-b' },
    ]);
    const shown = await site.asked('routes', '--network', 'blue');
    expect(shown.stdout).toContain('default/tor-a');
    expect(await network('blue')).toMatchObject({
      imports: [{ from: 'default', policy: 'accept', routes: 1, best: 1 }],
      importedBy: [],
    });
    expect(await network('default')).toMatchObject({ imports: [], importedBy: ['blue'] });
    expect((await site.asked('networks')).stdout).toContain('default (1)');
  });

  it('refuse from outside what is their own', async () => {
    const [claimed] = await site.list('routes', { prefix: CLAIMED, stage: 'adj-rib-in' });
    expect(claimed).toMatchObject({ best: false, reason: 'own subnet', peer: 'tor-a' });
    expect(await site.list('routes', { prefix: CLAIMED, network: 'blue' })).toEqual([]);
  });

  it('are added, changed and removed by a reload, and the others notice nothing', async () => {
    const before = await rowsAndSessions();
    await reload([plain, blue, green]);
    await untilKernel(GREEN, [viaA]);
    expect(await network('default')).toMatchObject({ importedBy: ['blue', 'green'] });
    await reload([plain, blue, { ...green, imports: [{ from: 'blue' }] }]);
    await untilKernel(GREEN, [viaB]);
    await reload([plain, blue]);
    await untilKernel(GREEN, []);
    expect(await rowsAndSessions()).toEqual(before);
  });

  it('are added and removed on a word, until the file is read again', async () => {
    const file = `${site.directory}/white.yaml`;
    await writeFile(file, JSON.stringify(white));
    const added = await site.asked('networks', 'add', file, '-o', 'json');
    expect(JSON.parse(added.stdout)).toEqual({ network: 'white', done: 'added' });
    await untilKernel(WHITE, [viaB]);
    const removed = await site.asked('networks', 'remove', 'white', '-o', 'json');
    expect(JSON.parse(removed.stdout)).toEqual({ network: 'white', done: 'removed' });
    expect(await kernel(WHITE)).toEqual([]);
    await writeFile(file, JSON.stringify({ ...white, table: BLUE }));
    const refused = await site.asked('networks', 'add', file);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain(
      'must not be shared, is 101 of network blue and network white',
    );
    expect((await site.asked('networks', 'remove', 'black')).stderr).toContain('network black');
    await writeFile(file, JSON.stringify(white));
    await site.asked('networks', 'add', file);
    await untilKernel(WHITE, [viaB]);
    await reload([plain, blue]);
    await untilKernel(WHITE, []);
    const [warning] = await site.logged(agent, 'networks are as the file says again');
    expect(warning).toMatchObject({ networks: ['white'] });
  });

  it('keep what they imported over a restart: nothing is removed, nothing written again', async () => {
    await reload([plain, blue, green]);
    await untilKernel(GREEN, [viaA]);
    await untilRouter('GR_blue', [A, B]);
    const { rows } = await rowsAndSessions();
    await agent.stop('SIGTERM');
    expect(await kernel(GREEN)).toEqual([viaA]);
    agent = await site.agent({ config: { bgp, networks: [plain, blue, green] } });
    for (const name of ['default', 'blue', 'green']) {
      await site.until(`${name} to be in sync`, async () => {
        const { firstSync, targets } = (await network(name)) as {
          firstSync: string;
          targets: { state: string; pendingCount: number; heldCount: number }[];
        };
        const rest = targets.every(
          ({ state, pendingCount, heldCount }) =>
            state === 'ready' && pendingCount + heldCount === 0,
        );
        return firstSync === 'finished' && rest;
      });
      expect(await network(name)).toMatchObject({
        targets: ((await network(name))!['targets'] as object[]).map(() => ({ writtenCount: 0 })),
      });
    }
    expect((await rowsAndSessions()).rows).toEqual(rows);
    expect(await kernel(GREEN)).toEqual([viaA]);
  });

  it('import what the policy of the line lets through, whenever that changes', async () => {
    const filtered = { ...blue, imports: [{ from: 'default', policy: 'filter' }] };
    const accept = { action: 'accept' };
    const withoutA = [{ match: { prefixes: [A] }, action: 'reject' }, accept];
    await reload([plain, filtered, green], { filter: withoutA });
    await untilKernel(BLUE, [viaB]);
    await untilKernel(GREEN, [viaA]);
    await reload([plain, filtered, green], { filter: [accept] });
    await untilKernel(BLUE, [viaA, viaB]);
  });

  it('are isolated again where the import line is gone', async () => {
    await reload([plain, { ...blue, imports: [] }]);
    await untilKernel(BLUE, [viaB]);
    await untilRouter('GR_blue', [B]);
    await untilKernel(GREEN, []);
    await untilKernel(TABLE, [viaA]);
  });
});

function same(a: readonly string[], b: readonly string[]): boolean {
  return JSON.stringify(a) === JSON.stringify([...b].sort());
}
