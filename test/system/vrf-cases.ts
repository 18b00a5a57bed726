// What holds on a kernel with VRFs, in this order, on one site. vrf.test.ts runs them here, or in another kernel through vrf-run.ts.
import assert from 'node:assert/strict';
import { followCase } from './vrf-follow.ts';
import { TABLES, type VrfName, type VrfSite } from './vrf-site.ts';

export interface VrfCase {
  readonly name: string;
  readonly run: (site: VrfSite) => Promise<void>;
}

const redRoutes = ['192.0.2.0/25 10.0.0.2 red0', '198.51.100.0/24 10.0.0.2 red0'];
const blueRoutes = ['192.0.2.128/25 10.0.0.2 blue0', '198.51.100.0/24 10.0.0.2 blue0'];

export const vrfCases: readonly VrfCase[] = [
  {
    name: 'two VRFs with the same addresses: each session fills the table of its own VRF',
    async run(site) {
      await untilRoutes(site, TABLES.red, redRoutes);
      await untilRoutes(site, TABLES.blue, blueRoutes);
      assert.deepEqual(await site.ours(254), []);
      assert.deepEqual(await site.ours(TABLES.green), []);
    },
  },
  {
    name: "a network's prefixes are announced in the sessions of its own VRF",
    async run(site) {
      await untilLearned(site, 'red', ['22.100.1.0/24']);
      await untilLearned(site, 'blue', ['22.100.2.0/24']);
    },
  },
  {
    name: 'routes of another network arrive by an import line, towards its VRF, and not without one',
    async run(site) {
      await untilRoutes(site, TABLES.grey, blueRoutes);
      assert.deepEqual(await site.ours(TABLES.red), redRoutes);
      assert.deepEqual(await site.learned('red'), ['22.100.1.0/24']);
    },
  },
  {
    name: 'where FRR fills the VRF, its routes are learned and its table is left to it',
    async run(site) {
      const amber = () => site.learnedHere('amber');
      await untilEqual(site, 'what FRR learned', amber, [
        '198.51.100.0/24 10.0.0.2',
        '203.0.113.0/25 10.0.0.2',
      ]);
      await site.configureRouter(
        'router bgp 65001 vrf amber',
        'address-family ipv4 unicast',
        'no network 203.0.113.0/25',
      );
      await untilEqual(site, 'what FRR kept', amber, ['198.51.100.0/24 10.0.0.2']);
      assert.deepEqual(await site.ours(TABLES.amber), []);
      const installed = await site.routes(TABLES.amber, 'others');
      assert.equal(installed.filter((line) => line.includes('proto 186')).length, 1);
    },
  },
  {
    name: 'a VRF device that appears while running starts its network: link-local, on an interface',
    async run(site) {
      const before = await site.network('green');
      assert.equal(before['waiting'], 'VRF device green does not exist');
      const [target] = before['targets'] as { state: string; reason: string }[];
      assert.equal(target?.state, 'waiting');
      assert.equal(target?.reason, 'VRF device green does not exist');
      assert.equal((await site.peer('green'))['state'], 'idle');
      await site.addVrf('green', TABLES.green);
      await untilRoutes(site, TABLES.green, ['2001:db8:9::/48 fe80::2 green0']);
      await untilLearned(site, 'green', ['2001:db8:22::/64']);
      assert.equal((await site.network('green'))['waiting'], undefined);
    },
  },
  {
    name: 'a restart of the agent writes nothing',
    async run(site) {
      const tables = [TABLES.red, TABLES.blue, TABLES.green, TABLES.grey];
      const read = () => Promise.all(tables.map((table) => site.routes(table, 'ours')));
      const before = await read();
      assert.deepEqual(
        before.map(({ length }) => length),
        [2, 2, 1, 2],
      );
      const stopWatching = await site.watchRoutes();
      await site.stopAgent();
      await site.startAgent();
      for (const vrf of ['red', 'blue', 'green', 'grey', 'amber'] as const) {
        await site.until(`the first sync of ${vrf}`, async () => {
          const { firstSync, targets } = await site.network(vrf);
          return firstSync === 'finished' && isAtRest(targets);
        });
      }
      assert.deepEqual(await read(), before);
      assert.deepEqual(await stopWatching(), []);
    },
  },
  {
    name: 'a VRF device that goes takes its network along, and no other',
    async run(site) {
      const blue = await site.peer('blue');
      await site.removeVrf('red');
      await untilEqual(
        site,
        'red waits',
        async () => [(await site.network('red'))['waiting'], (await site.peer('red'))['state']],
        ['VRF device red does not exist', 'idle'],
      );
      await untilEqual(
        site,
        'why the peer waits',
        async () => ((await site.peer('red'))['lastError'] as { reason: string }).reason,
        'VRF device red does not exist',
      );
      await untilRoutes(site, TABLES.red, []);
      assert.deepEqual(await site.ours(TABLES.blue), blueRoutes);
      assert.equal((await site.peer('blue'))['establishedCount'], blue['establishedCount']);
    },
  },
  {
    name: 'routes that lead out of a VRF go from its table when its device goes',
    async run(site) {
      await site.removeVrf('grey'); // their own device stays, and so would they
      await untilEqual(site, 'table 40', () => site.routes(TABLES.grey, 'ours'), []);
      await site.until('grey waits', async () => 'waiting' in (await site.network('grey')));
      assert.deepEqual(await site.ours(TABLES.blue), blueRoutes);
    },
  },
  {
    name: 'a VRF device that comes back with another table is followed there',
    async run(site) {
      await site.addVrf('red', 11);
      await untilRoutes(site, 11, redRoutes);
      await untilLearned(site, 'red', ['22.100.1.0/24']);
      assert.deepEqual(await site.ours(TABLES.red), []);
    },
  },
  {
    name: 'a VRF device that is made anew at once is followed too: sessions, listeners, routes',
    async run(site) {
      const { establishedCount } = await site.peer('blue');
      await site.renewVrf('blue', TABLES.blue);
      await site.until('a new session in blue', async () => {
        const now = await site.peer('blue');
        return now['state'] === 'established' && now['establishedCount'] !== establishedCount;
      });
      await untilRoutes(site, TABLES.blue, blueRoutes);
      await untilLearned(site, 'blue', ['22.100.2.0/24']);
    },
  },
  {
    name: "nobody else's route in a VRF's table is touched, not by a flush either",
    async run(site) {
      await site.ip('route', 'add', ...foreign, 'metric', '20', 'proto', 'bgp');
      await site.ip('route', 'add', ...foreign, 'metric', '50', 'proto', 'static');
      const before = await site.routes(TABLES.blue, 'others');
      assert.equal(before.filter((line) => line.startsWith('203.0.113.0/24')).length, 2);
      await site.flush('blue');
      assert.deepEqual(await site.ours(TABLES.blue), []);
      assert.deepEqual(await site.routes(TABLES.blue, 'others'), before);
      assert.deepEqual(await site.ours(TABLES.green), ['2001:db8:9::/48 fe80::2 green0']);
    },
  },
  {
    name: 'a VRF device with the table of another network takes nothing out of it when it goes',
    async run(site) {
      const routes = blueRoutes;
      await untilRoutes(site, TABLES.violet, routes);
      await site.addVrf('violet', TABLES.violet);
      const place = async () => {
        const [target] = (await site.network('violet'))['targets'] as Record<string, unknown>[];
        return `${target!['state']}: ${target!['reason']}`;
      };
      const taken = "waiting: table 60 of VRF device violet is network plain's";
      await untilEqual(site, 'violet waits', place, taken);
      const stopWatching = await site.watchRoutes();
      await site.removeVrf('violet');
      await site.addVrf('violet', 61); // when it is there, the other is left
      await untilEqual(site, 'violet is there', place, 'ready: table 61 read');
      const lines = await stopWatching();
      assert.deepEqual(
        lines.filter((line) => line.includes('Deleted')),
        [],
      );
      assert.deepEqual(await site.ours(TABLES.violet), routes);
    },
  },
  followCase,
  {
    name: 'a connection out of a VRF is no peer of default, whatever its address and the kernel say',
    async run(site) {
      await site.acceptFromVrfs();
      assert.equal(await site.bytesOnDial('amber'), 0); // a peer would be sent our OPEN
      assert.equal((await site.peerNamed('main'))['state'], 'active');
    },
  },
];

const foreign = ['203.0.113.0/24', 'via', '10.0.0.2', 'vrf', 'blue'];

function isAtRest(targets: unknown): boolean {
  return (targets as { state: string; pendingCount: number }[]).every(
    ({ state, pendingCount }) => state === 'ready' && pendingCount === 0,
  );
}

async function untilRoutes(site: VrfSite, table: number, expected: string[]): Promise<void> {
  await untilEqual(site, `our routes in table ${table}`, () => site.ours(table), expected);
}

async function untilLearned(site: VrfSite, vrf: VrfName, expected: string[]): Promise<void> {
  await untilEqual(site, `what the router learns in ${vrf}`, () => site.learned(vrf), expected);
}

/** Waits for a value; says what it was instead when it does not come. */
async function untilEqual(
  site: VrfSite,
  what: string,
  read: () => Promise<unknown>,
  expected: unknown,
): Promise<void> {
  const isEqual = async () => {
    try {
      assert.deepEqual(await read(), expected);
      return true;
    } catch {
      return false;
    }
  };
  await site.until(what, isEqual).catch(async () => assert.deepEqual(await read(), expected, what));
}
