// Policies at random, valid ones: clauses put together of conditions and changes of every kind.
import { parseConfig } from '../../src/config/parse.ts';
import type { Policy, PolicyClause } from '../../src/policy/policy.ts';
import type { Random } from './random.ts';

/** Half of the conditions hold for many routes, so that changes are made. */
const parts = `
bgp:
  asn: 65000
  routerId: 10.0.0.1
  peers: [{ name: a, address: 10.0.0.2, asn: 65001 }, { name: b, address: 10.0.0.3, asn: 65002 }]
policies:
  parts:
    - { match: { prefixes: ["0.0.0.0/0 le 32"] }, set: { localPref: 200 }, action: accept }
    - { match: { prefixes: [10.0.0.0/8 le 24, "::/0 ge 32"] }, set: { med: 9 }, action: accept }
    - { match: { asPath: { contains: [65001, 3356] } }, set: { weight: 5 }, action: next }
    - { match: { asPath: { regex: "^65001_" } }, set: { prepend: { count: 32 } }, action: next }
    - { match: { asPath: { regex: "[13579]( |,|$)", length: { min: 1 } } }, set: { prepend: { asn: 4200000001, count: 1 } }, action: next }
    - { match: { asPath: { origin: 65001 } }, set: { nextHop: 192.0.2.9 }, action: accept }
    - { match: { communities: ["*:*"] }, set: { communities: { remove: ["65001:*"], add: [no-export] } }, action: next }
    - { match: { communities: { none: ["65001:1"] } }, set: { communities: { replace: [] } }, action: accept }
    - { match: { extendedCommunities: { none: ["rt:*:1"] } }, set: { extendedCommunities: { add: ["rt:65001:1"] } }, action: next }
    - { match: { largeCommunities: { none: ["1:*:*"] } }, set: { largeCommunities: { replace: ["1:2:3"] } }, action: next }
    - { match: { nextHop: ["0.0.0.0/0", "::/0"] }, set: { nextHop: "2001:db8::9" }, action: accept }
    - { match: { family: ipv4-unicast }, set: {}, action: accept }
    - { match: { peer: [a, b] }, set: {}, action: next }
    - { match: { family: ipv6-unicast }, action: reject }
    - { match: {}, action: accept }
`;

const { config } = parseConfig(parts);
const clauses = config!.policies['parts']!;

export function randomPolicy(random: Random): Policy {
  return Array.from({ length: 1 + random.below(5) }, (): PolicyClause => {
    const { match } = random.pick(clauses);
    const also = random.chance(3) ? random.pick(clauses).match : {};
    const { set, action } = random.pick(clauses);
    return { match: { ...match, ...also }, set, action };
  });
}
