// What was compared at each step of the decision process.
import { expect, it } from 'vitest';
import {
  type Contender,
  explainDecision,
  type PathFacts,
} from '../../src/control/decision-steps.ts';
import type { RouteObject } from '../../src/control/route-object.ts';
import { decisionReasons } from '../../src/core/decision-reasons.ts';

interface Differences {
  readonly route?: Partial<RouteObject>;
  readonly facts?: Partial<PathFacts>;
}

function contender({ route, facts }: Differences = {}): Contender {
  return {
    route: {
      network: 'default',
      family: 'ipv4-unicast',
      prefix: '203.0.113.0/24',
      best: false,
      peer: 'tor-b',
      nextHops: [{ address: '192.0.2.2', weight: 1 }],
      since: '2026-01-01T00:00:00Z',
      reason: '',
      asPath: [65001],
      ...route,
    },
    facts: { ebgp: true, routerId: '192.0.2.2', peerAddress: '192.0.2.2', igpMetric: 0, ...facts },
  };
}

const best = contender({
  route: { best: true, peer: 'tor-a' },
  facts: { routerId: '192.0.2.1', peerAddress: '192.0.2.1' },
});

it.each<[number, string, Differences, unknown, unknown]>([
  [2, 'weight', { route: { weight: 5 } }, 5, 0],
  [3, 'LOCAL_PREF', { route: { localPref: 50 } }, 50, 100],
  [4, 'local', {}, false, false],
  [5, 'AS_PATH length', { route: { asPath: [65001, { set: [1, 2] }] } }, 2, 1],
  [6, 'ORIGIN', { route: { origin: 'incomplete' } }, 'incomplete', 'igp'],
  [7, 'MED', { route: { med: 7 } }, 7, 0],
  [8, 'eBGP', { facts: { ebgp: false } }, false, true],
  [9, 'IGP metric', { facts: { igpMetric: 20 } }, 20, 0],
  [10, 'router id', {}, '192.0.2.2', '192.0.2.1'],
  [10, 'router id', { route: { originatorId: '10.0.0.9' } }, '10.0.0.9', '192.0.2.1'],
  [11, 'CLUSTER_LIST length', { route: { clusterList: ['10.0.0.1'] } }, 1, 0],
  [12, 'peer address', {}, '192.0.2.2', '192.0.2.1'],
  [13, 'path id', { route: { pathId: 4 } }, 4, 0],
])('says of step %i what %s is', (step, compares, differences, route, ofBest) => {
  const reason = decisionReasons[step]!.lost;
  const loser = contender({ ...differences, route: { ...differences.route, reason } });
  const steps = explainDecision(loser, best, [best.route, loser.route]);
  expect(steps.map((each) => each.step)).toEqual(Array.from({ length: step - 1 }, (_, i) => i + 2));
  expect(steps.at(-1)).toEqual({ step, compares, says: reason, route, best: ofBest });
  for (const each of steps.slice(0, 6)) if (each.step < step) expect(each.says).toBe('equal');
});

it('names the path that struck another out by MED, and says where MEDs were not compared', () => {
  const reason = 'higher MED';
  const rival = contender({ route: { peer: 'tor-c', asPath: [65002], med: 10 } });
  const loser = contender({ route: { asPath: [65002], med: 20, reason } });
  expect(explainDecision(loser, best, [best.route, rival.route, loser.route]).at(-1)).toMatchObject(
    {
      step: 7,
      says: "higher MED than tor-c's (10)",
      route: 20,
    },
  );
  const later = contender({ route: { asPath: [65002], med: 20, reason: 'higher router id' } });
  const steps = explainDecision(later, best, [best.route, later.route]);
  expect(steps.find(({ step }) => step === 7)).toMatchObject({ says: 'not compared' });
});

it('has nothing to say of the best path, and of one that did not take part', () => {
  expect(explainDecision(best, best, [best.route])).toEqual([]);
  for (const reason of ['rejected by import policy', 'next hop unresolved', 'own AS in AS_PATH']) {
    const route = contender({ route: { reason } });
    expect(explainDecision(route, best, [best.route, route.route])).toEqual([]);
    expect(explainDecision(route, undefined, [route.route])).toEqual([]);
  }
});
