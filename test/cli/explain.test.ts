// How `rutter explain` reads.
import { expect, it } from 'vitest';
import { explanationText } from '../../src/cli/explain.ts';
import type { RouteObject } from '../../src/control/route-object.ts';

const base: RouteObject = {
  network: 'default',
  family: 'ipv4-unicast',
  prefix: '203.0.113.0/24',
  best: true,
  peer: 'tor-a',
  nextHops: [{ address: '192.0.2.1', weight: 1 }],
  asPath: [65001, { set: [1, 2] }],
  origin: 'igp',
  since: '2026-01-01T00:00:00Z',
  reason: 'higher LOCAL_PREF',
};

function text(...routes: Parameters<typeof explanationText>[0]['routes']): string {
  return explanationText({ routes, announcements: [] });
}

it('shows what was received, what each clause did with it, and what came out', () => {
  expect(
    text({
      route: { ...base, localPref: 200, communities: ['65001:7'] },
      received: base,
      eligible: true,
      policies: [
        {
          at: 'bgp.peers.tor-a.import',
          policy: 'fabric',
          verdict: 'accept',
          clauses: [
            {
              clause: 1,
              matched: false,
              conditions: [
                { condition: 'peer', holds: true },
                { condition: 'prefixes', holds: false },
              ],
            },
            {
              clause: 2,
              matched: true,
              conditions: [],
              set: { localPref: 200, communities: { add: ['65001:7'] } },
              action: 'accept',
            },
          ],
        },
      ],
      decision: [],
    }),
  ).toBe(`203.0.113.0/24 of tor-a: best path, higher LOCAL_PREF
  received   nextHop=192.0.2.1  asPath=65001 {1,2}  origin=igp
  effective  nextHop=192.0.2.1  asPath=65001 {1,2}  origin=igp  localPref=200  communities=65001:7
  bgp.peers.tor-a.import: fabric → accept
    clause 1  no match: prefixes
    clause 2  matched: everything  set localPref=200, communities add 65001:7  → accept

`);
});

it('shows why a path lost, step by step, and which one was not eligible', () => {
  expect(
    text(
      {
        route: { ...base, best: false, peer: 'tor-b', reason: 'higher router id' },
        eligible: true,
        policies: [],
        decision: [
          { step: 7, compares: 'MED', says: 'not compared', route: 5, best: 0 },
          { step: 8, compares: 'eBGP', says: 'equal', route: true, best: true },
          {
            step: 10,
            compares: 'router id',
            says: 'higher router id',
            route: '10.0.0.2',
            best: '10.0.0.1',
          },
        ],
      },
      {
        route: { ...base, best: false, importedFrom: 'blue', reason: 'rejected by import policy' },
        eligible: false,
        policies: [
          {
            at: 'networks.default.imports.blue',
            policy: 'some',
            verdict: 'reject',
            clauses: [
              { clause: 1, matched: false, conditions: [{ condition: 'peer', holds: false }] },
            ],
          },
        ],
        decision: [],
      },
    ),
  ).toBe(`203.0.113.0/24 of tor-b: not used, higher router id
  received   nextHop=192.0.2.1  asPath=65001 {1,2}  origin=igp
  step 7  MED 5, best path 0: not compared
  step 8  eBGP true: equal
  step 10  router id 10.0.0.2, best path 10.0.0.1: higher router id

203.0.113.0/24 of tor-a imported from blue: not eligible, rejected by import policy
  received   nextHop=192.0.2.1  asPath=65001 {1,2}  origin=igp
  networks.default.imports.blue: some → reject, no clause decided
    clause 1  no match: peer

`);
});
