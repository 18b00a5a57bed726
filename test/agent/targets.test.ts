import { describe, expect, it } from 'vitest';
import { diffTargets, planTargets, type TargetPlan } from '../../src/agent/targets.ts';
import { parseConfig } from '../../src/config/parse.ts';

function plan(networkYaml: string, dryRun = false) {
  const { config, problems } = parseConfig(
    `node: worker-1
bgp: { asn: 64512, routerId: 10.0.0.1 }
ovn: { northbound: "unix:/a.sock,tcp:192.0.2.1:6641" }
networks: [${networkYaml}]`,
  );
  if (config === undefined) throw new Error(JSON.stringify(problems));
  return planTargets(config, config.networks[0]!, dryRun);
}

describe('planTargets', () => {
  it('writes nowhere unless told to', () => {
    expect(plan('{ name: default }')).toEqual([]);
  });

  it('writes to the OVN router under the name of the node', () => {
    expect(plan('{ name: default, ovn: { router: GR_w1, outputPort: rtoe-GR_w1 } }')).toEqual([
      {
        kind: 'ovn',
        aggregation: 'exact',
        sink: {
          kind: 'ovn',
          remotes: ['unix:/a.sock', 'tcp:192.0.2.1:6641'],
          southbound: ['unix:/var/run/ovn/ovnsb_db.sock'],
          owner: 'worker-1',
          network: 'default',
          router: 'GR_w1',
          outputPort: 'rtoe-GR_w1',
          maxRoutes: 50_000,
          isAggregated: true,
          collision: 'skip',
        },
      },
    ]);
  });

  it('has a host table that is aggregated told of the routes of others', () => {
    expect(plan('{ name: default, table: 7, hostAggregation: exact }')).toEqual([
      {
        kind: 'host',
        aggregation: 'exact',
        sink: { kind: 'host', table: 7, protocol: 114, metric: 20, tellsForeign: true },
      },
    ]);
  });

  it('leaves the host alone where its table is followed', () => {
    const { config } = parseConfig(`bgp: { asn: 64512, routerId: 10.0.0.1 }
networks: [{ name: default, table: main }, { name: blue, table: 7 }]
sources: [{ kind: kernel, tables: [254] }]`);
    const plans = config!.networks.map((network) => planTargets(config!, network, false));
    expect(plans.map((each) => each.length)).toEqual([0, 1]);
  });

  it('prefers the VRF device to a table', () => {
    expect(plan('{ name: blue, vrf: blue }')).toEqual([
      {
        kind: 'host',
        aggregation: 'off',
        sink: {
          ...{ kind: 'host', table: 'blue', isVrf: true, protocol: 114, metric: 20 },
          nextHopVrfs: ['blue'],
        },
      },
    ]);
  });

  it('remembers only, in a dry run', () => {
    expect(plan('{ name: default, table: main }', true)).toEqual([
      { kind: 'host', aggregation: 'off', sink: { kind: 'memory', network: 'default' } },
    ]);
  });
});

describe('diffTargets', () => {
  const host = (table: number, metric = 20): TargetPlan => ({
    kind: 'host',
    aggregation: 'off',
    sink: { kind: 'host', table, protocol: 114, metric },
  });

  it('has nothing to do where nothing changed', () => {
    expect(diffTargets([host(100)], [host(100)])).toEqual({ leaving: [], coming: [] });
  });

  it('takes over a place that stays, and flushes one that is given up', () => {
    expect(diffTargets([host(100)], [host(100, 30)])).toEqual({
      leaving: [{ plan: host(100), flush: false }],
      coming: [host(100, 30)],
    });
    expect(diffTargets([host(100)], [host(101)])).toEqual({
      leaving: [{ plan: host(100), flush: true }],
      coming: [host(101)],
    });
    expect(diffTargets([host(100)], [])).toMatchObject({ leaving: [{ flush: true }] });
  });
});
