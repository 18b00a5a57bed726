// What holds on a kernel with VRFs, in this order, on one site. vrf.test.ts runs them here, or in another kernel through vrf-run.ts.
import assert from 'node:assert/strict';
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
];

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
