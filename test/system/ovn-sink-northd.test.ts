// What the sink writes, as ovn-northd understands it: every row becomes flows, none is ignored.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OvsdbServer, waitFor } from '../../bench/ovsdb-server.ts';
import { addForeign, ROUTER, removeForeign, SinkFixture, uuidsOf } from './ovn-sink-fixture.ts';

let north: OvsdbServer;
let south: OvsdbServer;
let northd: ChildProcess;
let fixture: SinkFixture;

beforeAll(async () => {
  north = await OvsdbServer.start();
  south = await OvsdbServer.start({ schema: '/usr/share/ovn/ovn-sb.ovsschema' });
  north.nbctl(
    'lr-add',
    ROUTER,
    '--',
    'lrp-add',
    ROUTER,
    'out',
    '02:00:00:00:00:01',
    '172.18.0.254/16',
    'fd00::254/64',
  );
  northd = spawn(
    'ovn-northd',
    [
      `--ovnnb-db=${north.remote}`,
      `--ovnsb-db=${south.remote}`,
      `--unixctl=${join(north.directory, 'northd.ctl')}`,
      '-vconsole:off',
      `--log-file=${join(north.directory, 'northd.log')}`,
    ],
    { stdio: 'ignore' },
  );
  fixture = await new SinkFixture({ remotes: [north.remote] }).open();
});

afterAll(async () => {
  await fixture.sink.close();
  northd.kill();
  await north.stop();
  await south.stop();
});

/** The routing flows of the router's datapath, once northd has seen all of NB. */
function routingFlows(): string[] {
  north.nbctl('--wait=sb', '--timeout=20', 'sync');
  const flows = execFileSync(
    'ovn-sbctl',
    [`--db=${south.remote}`, '--no-leader-only', 'lflow-list', ROUTER],
    {
      encoding: 'utf8',
    },
  );
  return flows.split('\n').filter((line) => /\(lr_in_ip_routing/.test(line));
}

const log = (): string => readFileSync(join(north.directory, 'northd.log'), 'utf8');

describe('ovn-northd', () => {
  it('makes flows of every row, weights and discards included, and ignores none', async () => {
    const result = await fixture.apply([
      { prefix: '0.0.0.0/0', to: ['172.18.0.2'] },
      { prefix: '20.1.0.0/16', to: ['172.18.0.2', '172.18.0.3'] },
      { prefix: '20.2.0.0/16', to: ['172.18.0.2', '172.18.0.3*2'] },
      { prefix: '20.3.0.0/16', to: 'discard' },
      { prefix: '20.4.0.0/16', to: ['10.99.99.99'] }, // on no network of the router: the output port makes it good
      { prefix: '2001:db8:1::/48', to: ['fd00::2'] },
      { prefix: '2001:db8:2::/48', to: ['fe80::2', 'fe80::3'] }, // link-local next hops
    ]);
    expect(result.failures).toEqual([]);
    const flows = routingFlows();
    for (const network of [
      '0.0.0.0/0',
      '20.1.0.0/16',
      '20.2.0.0/16',
      '20.3.0.0/16',
      '20.4.0.0/16',
      '2001:db8:1::/48',
      '2001:db8:2::/48',
    ]) {
      expect(
        flows.filter((flow) => flow.includes(`== ${network}`)),
        network,
      ).toHaveLength(1);
    }
    const flowOf = (network: string): string =>
      flows.find((flow) => flow.includes(`== ${network}`))!;
    expect(flowOf('20.1.0.0/16')).toMatch(/select\(.*1, 2\)/);
    expect(flowOf('20.2.0.0/16')).toMatch(/select\(.*1, 2, 3\)/);
    expect(flowOf('20.3.0.0/16')).toMatch(/action=\(drop;\)/);
    expect(flowOf('20.4.0.0/16')).toMatch(/outport = "out"/);
    expect(flowOf('2001:db8:1::/48')).toMatch(/fd00::2/);
    expect(log()).not.toMatch(/No path for static route|bad|ignor|invalid/i);
  });

  it.each([
    ['20.5.0.0/16', 'fd00::2'],
    ['2001:db8:5::/48', '172.18.0.2'],
  ])(
    'makes nothing of %s via %s in this version, and the sink does not write it',
    async (prefix, nexthop) => {
      const foreign = addForeign(north, prefix, nexthop, ['output_port=out']);
      expect(routingFlows().filter((flow) => flow.includes(`== ${prefix}`))).toEqual([]);
      removeForeign(north, foreign);
      const { failures } = await fixture.apply([
        { prefix, to: [nexthop] },
        { prefix: '20.6.0.0/16', to: ['172.18.0.2'] },
      ]);
      expect(failures).toMatchObject([{ index: 0, code: 'next-hop-family' }]);
      expect(failures[0]!.message).toContain(`${prefix} via ${nexthop}`);
      expect(uuidsOf(north, prefix)).toEqual([]);
    },
  );

  it("sends nothing by a row of a port's own network, and the sink does not write it", async () => {
    const flowsTo = (): string[] =>
      routingFlows()
        .filter((flow) => /ip4.dst == 172.18.0.0\/16/.test(flow))
        .sort((a, b) => priority(b) - priority(a));
    const priority = (flow: string): number => Number(/priority=(\d+)/.exec(flow)![1]);
    const [connected] = flowsTo();
    const foreign = addForeign(north, '172.18.0.0/16', '172.18.0.2', ['output_port=out']);
    const [first, second] = flowsTo();
    expect(first).toBe(connected);
    expect(priority(first!)).toBeGreaterThan(priority(second!));
    removeForeign(north, foreign);
    const { failures } = await fixture.apply([{ prefix: '172.18.0.0/16', to: ['172.18.0.2'] }]);
    expect(failures).toMatchObject([{ index: 0, code: 'connected' }]);
  });

  it('leaves a row of others out while its BFD session is down, and the sink puts ours there meanwhile', async () => {
    const ours = { prefix: '20.7.0.0/16', to: ['172.18.0.2'] };
    const told = (type: 'foreign' | 'refused' | 'released') =>
      fixture.heard(type).filter(({ prefixes }) => prefixes.includes(ours.prefix)).length;
    const setSession = (status: string) => {
      const sbctl = (...args: string[]) =>
        execFileSync('ovn-sbctl', [`--db=${south.remote}`, '--no-leader-only', ...args]).toString();
      const [uuid] = sbctl('--bare', '--columns=_uuid', 'find', 'BFD').trim().split('\n');
      sbctl('set', 'BFD', uuid!, `status=${status}`);
    };
    const flowsThere = () =>
      routingFlows()
        .filter((flow) => flow.includes('20.7.0.0/16'))
        .join();
    const session = north.nbctl('create', 'BFD', 'logical_port=out', 'dst_ip=172.18.0.9').trim();
    const foreign = addForeign(north, ours.prefix, '172.18.0.9', [
      'output_port=out',
      `bfd=${session}`,
    ]);
    // Nobody answers it.
    expect(flowsThere()).toBe('');
    expect(north.nbctl('get', 'BFD', session, 'status').trim()).toBe('down');
    await waitFor(() => told('foreign') > 0, 'the row');
    expect((await fixture.apply([ours])).failures).toEqual([]);
    expect(flowsThere()).toContain('172.18.0.2');

    // As ovn-controller does; northd tells it.
    setSession('up');
    await waitFor(() => told('refused') > 0, 'the row to have its prefix');
    expect(uuidsOf(north, ours.prefix)).toEqual([foreign]);
    expect(flowsThere()).toContain('172.18.0.9');
    setSession('down');
    await waitFor(() => told('released') > 0, 'ours to be welcome');
    removeForeign(north, foreign);
    north.nbctl('destroy', 'BFD', session);
  });

  it('follows changes and removals', async () => {
    await fixture.apply([{ prefix: '20.1.0.0/16', to: ['172.18.0.4'] }, { prefix: '20.3.0.0/16' }]);
    const flows = routingFlows();
    expect(flows.filter((flow) => flow.includes('20.1.0.0/16'))).toEqual([
      expect.stringMatching(/172\.18\.0\.4/),
    ]);
    expect(flows.filter((flow) => flow.includes('20.3.0.0/16'))).toEqual([]);
  });
});
