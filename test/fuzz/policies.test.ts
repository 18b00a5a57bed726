// The border that compiled policies cross: bytes that are damaged are refused or harmless, never a crash.
import { expect, it } from 'vitest';
import { POLICY_FIRST } from '../../assembly/abi.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { loadCore } from '../../src/core/core.ts';
import { parsePrefix } from '../../src/net/prefix.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import { attribute } from '../core/updates.ts';
import { Random } from './random.ts';

const text = `
bgp: { asn: 64512, routerId: 10.0.0.1 }
policies:
  p:
    - match: { prefixes: [10.0.0.0/8 le 24, "fd00::/8 ge 48"], nextHop: 192.0.2.0/24, family: ipv4-unicast }
      set: { prepend: { count: 3 }, communities: { remove: ["65001:*"], add: [no-export] }, nextHop: 192.0.2.9 }
      action: next
    - match: { asPath: { regex: "_65001_", contains: [65001, 2], origin: 2, length: { min: 1 } } }
      set: { localPref: 200, med: 5, weight: 7, largeCommunities: { replace: ["1:2:3"] } }
      action: next
    - match: { communities: { all: ["65001:1"], none: ["65001:2"] }, extendedCommunities: ["rt:*:1"] }
      action: reject
    - { set: { extendedCommunities: { add: ["rt:65001:1"] } }, action: accept }
`;

const routes = ['10.0.0.0/8', '10.1.2.3/32', '0.0.0.0/0', 'fd00::/48', '::/0'].map((prefix) => ({
  prefix: parsePrefix(prefix)!,
  nextHop: Uint8Array.of(192, 0, 2, 1),
  attributes: Uint8Array.from([
    ...attribute(0x40, 1, [0]),
    ...attribute(0x40, 2, [2, 2, 0, 0, 0xfd, 0xe9, 0, 0, 0, 2, 1, 1, 0, 0, 0, 7]),
    ...attribute(0xc0, 8, [0xfd, 0xe9, 0, 1, 0xff, 0xff, 0xff, 1]),
    ...attribute(0xc0, 16, [0, 2, 0xfd, 0xe9, 0, 0, 0, 1]),
  ]),
  peer: 1,
}));

it('takes no harm from compiled policies that are damaged', async () => {
  const { config } = parseConfig(text);
  const { bytes } = compilePolicy(config!.policies['p']!, { asn: 64512, peer: () => 1 });
  const core = await loadCore({ maximumBytes: 32 << 20 });
  core.setPolicy(POLICY_FIRST, bytes);
  const tryAll = () => routes.forEach((route) => void core.tryPolicy(POLICY_FIRST, route));
  tryAll(); // tables have their first size from now on
  core.takeNextHopEvents();
  const before = core.memory();
  let refused = 0;
  let taken = 0;
  for (let seed = 1; seed <= 4000; seed++) {
    const random = new Random(seed);
    const damaged = damage(bytes, random);
    try {
      core.setPolicy(POLICY_FIRST, damaged);
      taken++;
    } catch (error) {
      expect((error as Error).message).toMatch(
        /^route core: (policy 2 is not sound|there is no memory)/,
      );
      refused++;
    }
    tryAll();
  }
  expect(refused).toBeGreaterThan(500);
  expect(taken).toBeGreaterThan(500);
  core.setPolicy(POLICY_FIRST, bytes);
  while (core.work(1000));
  core.takeNextHopEvents();
  expect(core.memory()).toEqual({ ...before, linearBytes: expect.any(Number) });
});

it.each([
  ['nothing', new Uint8Array()],
  ['a cut header', Uint8Array.of(1, 0, 0, 0, 1)],
  ['another version', Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0, 12, 0, 0, 0)],
  ['a size that is not its own', Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 13, 0, 0, 0)],
  ['more clauses than bytes', Uint8Array.of(1, 0, 0, 0, 255, 255, 255, 255, 12, 0, 0, 0)],
])('refuses %s', async (_, bytes) => {
  const core = await loadCore({ maximumBytes: 16 << 20 });
  expect(() => core.setPolicy(POLICY_FIRST, bytes)).toThrow('route core: policy 2');
  expect(() => core.tryPolicy(POLICY_FIRST, routes[0]!)).toThrow('policy 2 is not known');
});

it('refuses the numbers of the built-in policies, and attributes that are not sound', async () => {
  const core = await loadCore({ maximumBytes: 16 << 20 });
  const empty = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 12, 0, 0, 0);
  expect(() => core.setPolicy(0, empty)).toThrow('policy 0');
  core.setPolicy(POLICY_FIRST, empty);
  expect(core.tryPolicy(POLICY_FIRST, routes[0]!).accepted).toBe(false);
  const cut = { ...routes[0]!, attributes: routes[0]!.attributes.subarray(0, 10) };
  expect(() => core.tryPolicy(POLICY_FIRST, cut)).toThrow('attributes are malformed');
});

/** A few words or bytes changed, or the end cut off; the size in the header is mostly put right. */
function damage(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = bytes.slice(0, random.chance(8) ? random.below(bytes.length) : bytes.length);
  const view = new DataView(copy.buffer);
  for (let i = random.below(4); i >= 0 && copy.length > 4; i--) {
    if (random.chance(2)) copy[random.below(copy.length)] = random.below(256);
    else view.setUint32(random.below(copy.length >> 2) * 4, random.below(1 << 16), true);
  }
  if (copy.length >= 12 && !random.chance(10)) {
    view.setUint32(8, copy.length, true);
    view.setUint32(0, 1, true);
  }
  return copy;
}
