// The crash test where rows stand for each other (P1, P3, P4): the agent is killed again and again in the middle of going from one table to another, with
// the fewest entries in OVN and in the kernel and others' routes among them. At every change of either place every address goes where one of the
// two tables sends it, never elsewhere and never nowhere; and the end is as few entries as an undisturbed life has, verified.
import { expect, it } from 'vitest';
import { randomSource } from '../../bench/feed/random.ts';
import { waitUntil } from '../../src/lab/processes.ts';
import type { TableName } from './two-tables-feed.ts';
import { TwoTablesScene } from './two-tables-scene.ts';

const KILLS = 20;
const BLOCKS = 60;
/** A life ends after so many changes at one of the places, or after a while. */
const MOST_CHANGES = 3000;
const LIFE_MS = 2000;

const isRoot = process.getuid?.() === 0;

it.runIf(isRoot)(
  `forwards every address by the old or the new next hop through ${KILLS} kills, and ends with the fewest entries`,
  async () => {
    await using scene = await TwoTablesScene.open(BLOCKS);
    const { rows, routes, feed, tables } = scene;
    const random = randomSource(KILLS);
    let agent = await scene.start();
    await feed.open('one');
    await scene.settled(agent);
    const undisturbed = scene.counts;
    expect(undisturbed.rows - tables.foreign.length).toBeLessThan(0.7 * tables.one.size);
    scene.allow('one', 'other');
    let midwayCount = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      await agent.kill();
      await feed.close();
      if ([rows, routes].some(isMidway)) midwayCount++;
      agent = await scene.start();
      await feed.open(kill % 2 === 0 ? 'other' : 'one');
      await someChanges(1 + (random() % MOST_CHANGES));
    }
    await agent.kill();
    await feed.close();
    agent = await scene.start();
    await feed.open('one');
    await scene.settled(agent);
    expect(scene.violations).toEqual([]);
    // Kills that hit nothing would prove nothing.
    expect(midwayCount).toBeGreaterThan(0);
    expect(scene.counts).toEqual(undisturbed);
    expect(await agent.verify()).toEqual({ verified: 2 });

    /** Some addresses still go by one table, others by the other already. */
    function isMidway(place: typeof rows | typeof routes): boolean {
      const sides = { one: 0, other: 0 };
      for (const address of tables.probes) {
        const [one, other] = scene.byTable(address);
        if (one === other) continue;
        for (const name of ['one', 'other'] as readonly TableName[]) {
          if (place.lookUp(address) === (name === 'one' ? one : other)) sides[name]++;
        }
      }
      return sides.one > 0 && sides.other > 0;
    }

    async function someChanges(count: number): Promise<void> {
      const ends = { rows: rows.changeCount + count, routes: routes.changeCount + count };
      const until = performance.now() + LIFE_MS;
      await waitUntil(
        () =>
          rows.changeCount > ends.rows ||
          routes.changeCount > ends.routes ||
          performance.now() > until,
        { what: 'some changes', timeoutMs: 2 * LIFE_MS, intervalMs: 2 },
      );
    }
  },
  300_000,
);
