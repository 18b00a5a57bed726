// Following an FRR that keeps its routes in the kernel when it ends (zebra --retain), and that shares the load unequally.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { execute } from '../../src/lab/execute.ts';
import { type Frr, startFrr } from '../../src/lab/frr.ts';
import { AgentSite, BIRD, FRR, isRoot, OUTPUT_PORT, ROUTER, TABLE } from './agent-site.ts';

const SHARED = '203.0.113.0/24';
const ONLY_A = '198.51.100.0/24';
const WEIGHTED = '10.94.0.0/24';

const config = {
  bgp: { asn: 64512, routerId: '10.78.1.1', listen: [], peers: [] },
  networks: [
    { name: 'default', ovn: { router: ROUTER, outputPort: OUTPUT_PORT, aggregation: 'off' } },
    { name: 'copies', table: TABLE, imports: [{ from: 'default' }] },
  ],
  sources: [{ kind: 'kernel', tables: ['main'] }],
};

const rows = [`${ONLY_A} via ${FRR}`, `${SHARED} via ${FRR}`, `${SHARED} via ${BIRD}`];

describe.runIf(isRoot)('an agent beside an FRR that retains its routes', () => {
  let site: AgentSite;
  let node: Frr;

  const hasRows = async (expected: readonly string[]) =>
    (await site.rows()).join() === [...expected].sort().join();
  const ofFrr = () => site.ip('-4', 'route', 'show', 'proto', 'bgp');
  /** Every row with its version: one that was written has another. */
  const versions = async () => {
    const columns = ['ip_prefix', 'nexthop', '_version'];
    const select = { op: 'select', table: 'Logical_Router_Static_Route', where: [], columns };
    const query = JSON.stringify(['OVN_Northbound', select]);
    const text = await execute('ovsdb-client', ['transact', site.northbound, query]);
    const [result] = JSON.parse(text) as [{ rows: object[] }];
    return result.rows.map((row) => JSON.stringify(row)).sort();
  };

  const startNode = () =>
    startFrr({
      namespace: site.node,
      directory: `${site.directory}/node-frr`,
      processes: site.processes,
      zebraArgs: ['--retain', '-K', '60'],
      configuration: [
        'router bgp 64512',
        ' bgp router-id 10.78.1.1',
        ' no bgp ebgp-requires-policy',
        ' bgp bestpath as-path multipath-relax',
        ` neighbor ${FRR} remote-as 65001`,
        ` neighbor ${FRR} timers connect 1`,
        ` neighbor ${BIRD} remote-as 65002`,
        ` neighbor ${BIRD} timers connect 1`,
        'exit',
        '',
      ].join('\n'),
    });

  beforeAll(async () => {
    site = await AgentSite.open();
    await site.startNorthbound();
    await site.addRouter();
    await site.frr([
      ' address-family ipv4 unicast',
      ...[SHARED, ONLY_A].map((prefix) => `  network ${prefix}`),
      ' exit-address-family',
    ]);
    await site.bird([SHARED]);
    node = await startNode();
    await site.agent({ config });
    await site.until('all rows', () => hasRows(rows));
  }, 60_000);

  afterAll(() => site?.[Symbol.asyncDispose]());

  it('shares the load as the kernel does: repeated rows in OVN, a weighted group in the host', async () => {
    const way = (gateway: string, weight: number) => [
      'nexthop',
      'via',
      gateway,
      'weight',
      String(weight),
    ];
    const route = [WEIGHTED, 'proto', 'bgp', 'metric', '20'];
    await site.ip('route', 'add', ...route, ...way(FRR, 6), ...way(BIRD, 2));
    const three = [1, 2, 3].map(() => `${WEIGHTED} via ${FRR}`);
    await site.until('the rows', () => hasRows([...rows, ...three, `${WEIGHTED} via ${BIRD}`]));
    const copy = () =>
      site.ip('route', 'show', WEIGHTED, 'table', String(TABLE)).catch(() => 'no table yet');
    await site.until('the copy', async () => {
      return /via 10\.78\.1\.2 .*weight 3 .*via 10\.78\.2\.2 .*weight 1/s.test(await copy());
    });
    const { stdout } = await site.asked('routes', WEIGHTED);
    expect(stdout).toContain(`${FRR}×6`);
    expect(await site.rutter('verify', '--socket', site.socket)).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    expect(await site.rutter('verify', '--network', 'copies', '--socket', site.socket)).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });

    await site.ip('route', 'replace', ...route, ...way(FRR, 1), ...way(BIRD, 2));
    const two = [1, 2].map(() => `${WEIGHTED} via ${BIRD}`);
    await site.until('other rows', () => hasRows([...rows, ...two, `${WEIGHTED} via ${FRR}`]));
    await site.ip('route', 'del', WEIGHTED, 'proto', 'bgp');
    await site.until('the rows of before', () => hasRows(rows));
    await site.until('the copies of before', async () => (await site.kernelRoutes()).length === 3);
  });

  it('writes nothing while FRR is away, nor when it comes back and takes its routes over', async () => {
    const before = await versions();
    const left = await ofFrr();
    await node.zebra.stop(); // before bgpd, which would take its routes along
    await node.bgpd.stop();
    expect(await ofFrr()).toBe(left);
    node = await startNode();
    const objects = (text: string): string[] => [...text.matchAll(/nhid \d+/g)].map(String);
    await site.until('new objects for every route', async () => {
      const [old, now] = [objects(left), objects(await ofFrr())];
      return now.length === old.length && now.every((object) => !old.includes(object));
    });
    // The agent has heard of that by the time it hears of this.
    await site.ip('route', 'add', WEIGHTED, 'via', FRR, 'proto', 'bgp');
    await site.until('one more row', () => hasRows([...rows, `${WEIGHTED} via ${FRR}`]));
    await site.ip('route', 'del', WEIGHTED);
    await site.until('the rows of before', () => hasRows(rows));
    expect(await versions()).toEqual(before);
  });
});
