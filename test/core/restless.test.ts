// Restless prefixes: a patient FIB is spared their changes, never their losses, and stands in their last state when they rest.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadCore } from '../../src/core/core.ts';
import type { Aggregation } from '../../src/core/fibs.ts';
import { encodeObservations } from '../../src/core/records.ts';
import type { RouteCore } from '../../src/core/route-core.ts';
import { formatIpAddress, parseIpAddress } from '../../src/net/ip-address.ts';
import { parsePrefix } from '../../src/net/prefix.ts';
import { NaiveRestless } from '../naive/restless.ts';
import { addOpenPeer } from './open-peer.ts';
import { announcement, withdrawal } from './updates.ts';

const PATIENT = 1;
const PROMPT = 2;
const PEERS = [1, 2];
const PREFIX = '203.0.113.0/24';
const A = '192.0.2.1';
const B = '192.0.2.2';
/** Any time of day: the core counts milliseconds modulo 2^32. */
const START_MS = 1_700_000_000_000;

async function newCore(aggregation: Aggregation = 'off'): Promise<RouteCore> {
  const core = await loadCore();
  core.addNetwork(1, { med: 'deterministic', multipath: 4, multipathRelax: true });
  core.addFib(PATIENT, 1, { holdRemovals: false, isPatient: true, aggregation });
  core.addFib(PROMPT, 1, { holdRemovals: false });
  for (const id of PEERS) {
    addOpenPeer(core, id, { asn: 65000 + id, localAsn: 64512, families: ['ipv4-unicast'] });
  }
  while (core.work(1000)) {}
  return core;
}

/** A peer says at `ms` that it reaches the prefix through `nextHop`, or no more. */
function say(core: RouteCore, ms: number, peer: number, nextHop: string, prefix = PREFIX): void {
  const attributes = { asPath: [65000 + peer], nextHop };
  const message =
    nextHop === '' ? withdrawal([prefix]) : announcement({ attributes, prefixes: [prefix] });
  core.receive(peer, message, (START_MS + ms) / 1000);
}

function look(core: RouteCore, ms: number): boolean {
  return core.passRestedPrefixes((START_MS + ms) / 1000);
}

/** What the FIB should forward the prefix to. */
function desired(core: RouteCore, fib: number, prefix = PREFIX): string {
  const match = { kind: 'exact', prefix: parsePrefix(prefix)! } as const;
  const [row] = core.fibEntries(fib, 'ipv4-unicast', match, undefined, 1).rows;
  const members = row?.desired?.map(({ address }) => formatIpAddress(address)) ?? [];
  return members.sort().join(' ');
}

describe('a prefix that goes and comes', () => {
  it('passes at once while it does so now and then', async () => {
    const core = await newCore();
    for (let ms = 0; ms < 10_000; ms += 500) {
      const nextHop = ms % 1000 === 0 ? A : '';
      say(core, ms, 1, nextHop);
      expect(desired(core, PATIENT)).toBe(nextHop);
    }
    expect(core.restlessPrefixCount()).toBe(0);
  });

  it('is taken away at once and put back when it has been quiet', async () => {
    const core = await newCore();
    for (let ms = 0; ms <= 400; ms += 100) say(core, ms, 1, ms % 200 === 0 ? A : '');
    expect(desired(core, PROMPT)).toBe(A);
    expect(desired(core, PATIENT)).toBe('');
    expect(look(core, 799)).toBe(true);
    expect(desired(core, PATIENT)).toBe('');
    expect(look(core, 800)).toBe(false);
    expect(desired(core, PATIENT)).toBe(A);
  });

  it('costs a patient FIB a few changes in half a minute', async () => {
    const core = await newCore();
    say(core, 0, 1, A);
    let changes = 0;
    let last = A;
    const note = (): void => {
      if (desired(core, PATIENT) !== last) changes++;
      last = desired(core, PATIENT);
    };
    for (let ms = 1000; ms < 31_000; ms += 100) {
      say(core, ms, 1, ms % 200 === 0 ? '' : A);
      note();
      look(core, ms + 50);
      note();
    }
    look(core, 32_000);
    note();
    expect(last).toBe(A);
    expect(changes).toBe(4); // went, came, went; there in the end: 1.3 % of 300 updates
  });

  it('is told now and then while it moves and never rests, when it has not gone for a while', async () => {
    const core = await newCore();
    say(core, 0, 1, A);
    const toldAt: number[] = [];
    for (let ms = 200; ms < 15_000; ms += 200) {
      const before = desired(core, PATIENT);
      say(core, ms, 1, ms === 10_600 ? '' : ms % 400 === 0 ? A : B);
      if (desired(core, PATIENT) !== before) toldAt.push(ms);
      const moved = desired(core, PATIENT);
      look(core, ms + 50);
      if (desired(core, PATIENT) !== moved) toldAt.push(ms + 50);
    }
    // Moves until it is restless; would be told at 10 800, but goes just before and is there 800 ms later.
    expect(toldAt).toEqual([200, 400, 600, 10_600, 11_450]);
  });

  it('is no less restless when it comes from a source that is no session, and goes as soon', async () => {
    const core = await newCore();
    const learn = (ms: number, nextHop: string): void => {
      const members = [{ address: parseIpAddress(A)!, weight: 1, interfaceIndex: 0 }];
      const set = nextHop === '' ? undefined : { discard: false, members };
      const { records, byteLength } = encodeObservations([{ prefix: parsePrefix(PREFIX)!, set }]);
      core.learn(1, records, byteLength, (START_MS + ms) / 1000);
    };
    for (let ms = 0; ms <= 400; ms += 100) learn(ms, ms % 200 === 0 ? A : '');
    expect(desired(core, PROMPT)).toBe(A);
    expect(desired(core, PATIENT)).toBe('');
    look(core, 800);
    expect(desired(core, PATIENT)).toBe(A);
    learn(900, '');
    expect(desired(core, PATIENT)).toBe('');
  });

  it('waits no longer when a peer is lost', async () => {
    const core = await newCore();
    for (let ms = 0; ms <= 400; ms += 100) say(core, ms, 1, ms % 200 === 0 ? A : '');
    expect(desired(core, PATIENT)).toBe('');
    core.closePeer(2, []);
    expect(desired(core, PATIENT)).toBe(A);
    expect(core.restlessPrefixCount()).toBe(0);
  });

  it('loses a member of its equal-cost set at once', async () => {
    const core = await newCore();
    say(core, 0, 2, B);
    for (let ms = 0; ms <= 600; ms += 100) say(core, ms, 1, ms % 200 === 0 ? A : '');
    expect(desired(core, PROMPT)).toBe(`${A} ${B}`);
    expect(desired(core, PATIENT)).toBe(B);
    say(core, 700, 2, '');
    expect(desired(core, PROMPT)).toBe(A);
    expect(desired(core, PATIENT)).toBe(B); // not a mere loss: it waits
    look(core, 1100);
    expect(desired(core, PATIENT)).toBe(A);
  });
});

it('passes through aggregation when it rests', async () => {
  const core = await newCore('exact');
  const siblings = ['203.0.112.0/24', '203.0.113.0/24'];
  const settle = (): void => {
    while (core.work(1000)) {}
  };
  say(core, 0, 1, A, siblings[0]);
  for (let ms = 0; ms <= 600; ms += 100) {
    say(core, ms, 1, ms % 200 === 0 ? A : '', siblings[1]);
    settle();
  }
  expect(desired(core, PATIENT, siblings[0])).toBe(A);
  expect(desired(core, PATIENT, '203.0.112.0/23')).toBe('');
  look(core, 1000);
  settle();
  expect(desired(core, PATIENT, '203.0.112.0/23')).toBe(A); // one row for the two
  expect(core.fibCounters(PATIENT).entryCount).toBe(1);
});

it('many that rest at about the same time pass together', async () => {
  const core = await newCore();
  const prefixes = Array.from({ length: 10 }, (_, i) => `203.0.${i}.0/24`);
  for (let ms = 0; ms < 500; ms += 10) {
    say(core, ms, 1, Math.floor(ms / 100) % 2 === 0 ? A : '', prefixes[(ms / 10) % 10]!);
  }
  look(core, 800);
  expect(prefixes.map((prefix) => desired(core, PATIENT, prefix))).toEqual(prefixes.map(() => A));
});

it('more restless prefixes than are remembered are followed at once, and none is lost', async () => {
  const core = await newCore();
  const prefixes = Array.from({ length: 40_000 }, (_, i) => `20.${i >> 8}.${i & 255}.0/24`);
  for (let ms = 0; ms <= 400; ms += 100) {
    for (let first = 0; first < prefixes.length; first += 500) {
      const some = prefixes.slice(first, first + 500);
      const message =
        ms % 200 === 0
          ? announcement({ attributes: { asPath: [65001], nextHop: A }, prefixes: some })
          : withdrawal(some);
      core.receive(1, message, (START_MS + ms) / 1000);
    }
  }
  look(core, 2000);
  expect(core.restlessPrefixCount()).toBe(0);
  expect(core.fibCounters(PATIENT).entryCount).toBe(prefixes.length);
});

it('does what the naive twin does, whatever happens', async () => {
  const step = fc.record({
    wait: fc.constantFrom(0, 5, 30, 100, 100, 250, 250, 450, 3000, 9900),
    what: fc.constantFrom(...Array<'say'>(12).fill('say'), 'look', 'look', 'lose'),
    peer: fc.constantFrom(...PEERS),
    nextHop: fc.constantFrom('', A, B),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 120, size: 'max' }), async (steps) => {
      const core = await newCore();
      const naive = new NaiveRestless();
      let now = 0;
      for (const { wait, what, peer, nextHop } of steps) {
        now += wait;
        if (what === 'say') {
          say(core, now, peer, nextHop);
          naive.change(now, desired(core, PROMPT));
        } else if (what === 'look') {
          look(core, now);
          naive.look(now);
        } else {
          core.setNextHop(1, { resolved: false, metric: 0 }); // of nobody's: no route changes
          core.closePeer(3 - peer, ['ipv4-unicast']); // its routes stay, as stale
          core.openPeer(3 - peer, {
            routerId: 3 - peer,
            fourOctetAs: true,
            maxMessageBytes: 4096,
            families: ['ipv4-unicast'],
            addPath: [],
          });
          naive.pass();
        }
        expect(desired(core, PATIENT)).toBe(naive.told);
        expect(core.restlessPrefixCount()).toBe(naive.isHeld ? 1 : 0);
      }
    }),
    { numRuns: 150 },
  );
});
