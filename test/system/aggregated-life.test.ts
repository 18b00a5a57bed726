// Aggregation switched on and off, and the agent stopped and started, on a running network with a full table: every address is forwarded as before
// at every change of either place (P1, P3), and what is right already is not written again (P4, P9).
import { existsSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import type { RunningAgent } from '../../bench/peers/rutter.ts';
import { execute } from '../../src/lab/execute.ts';
import { waitUntil } from '../../src/lab/processes.ts';
import { TwoTablesScene } from './two-tables-scene.ts';

const isRoot = process.getuid?.() === 0;
/** About 50 000 routes. */
const FULL = 250;
const SOME = 60;

describe.runIf(isRoot)('an aggregated table', () => {
  let scene: TwoTablesScene;
  let agent: RunningAgent;

  afterEach(() => scene[Symbol.asyncDispose]());

  it('is forwarded alike with aggregation off, exact, discard and off again', async () => {
    scene = await TwoTablesScene.open(SOME);
    const { feed } = scene;
    agent = await scene.start({ aggregation: 'off', hostAggregation: 'off' });
    await feed.open('one');
    await scene.settled(agent);
    scene.allow('one');
    const all = scene.counts;

    const aggregate = (ovn: string, host: string) =>
      scene.reload(agent, (network) => {
        network.hostAggregation = host;
        network.ovn.aggregation = ovn;
      });
    await aggregate('exact', 'exact');
    const fewest = 0.5 * all.rows;
    await untilCounts('few', ({ rows, routes }) => rows < fewest && routes < fewest);
    await scene.settled(agent);
    const exact = scene.counts;
    expect(await agent.verify()).toEqual({ verified: 2 });

    await aggregate('discard', 'off');
    await untilCounts('fewer rows', ({ rows }) => rows < exact.rows);
    await untilCounts('all routes', ({ routes }) => routes === all.routes);
    await scene.settled(agent);
    expect(await agent.verify()).toEqual({ verified: 2 });

    await aggregate('off', 'exact');
    await untilCounts('all rows', ({ rows }) => rows === all.rows);
    await untilCounts('few routes', ({ routes }) => routes === exact.routes);
    await aggregate('exact', 'exact');
    await untilCounts('as few as before', ({ rows }) => rows === exact.rows);
    expect(scene.violations).toEqual([]);

    // And it follows as ever.
    scene.disallow();
    await feed.change('other');
    await scene.settled(agent);
    scene.allow('other');
    expect(scene.violations).toEqual([]);
    expect(await agent.verify()).toEqual({ verified: 2 });
  });

  it('is not written again, and forwarded alike, by a stop and a start and by a kill and a start', async () => {
    scene = await TwoTablesScene.open(FULL);
    const { feed, rows, routes } = scene;
    agent = await scene.start();
    await feed.open('one');
    await scene.settled(agent);
    scene.allow('one');
    const [before, changes] = [scene.counts, rows.changeCount + routes.changeCount];
    for (const end of [() => stop(agent), () => agent.kill()]) {
      await end();
      await feed.close();
      agent = await scene.start();
      await feed.open('one');
      await scene.settled(agent);
      expect(await agent.metric('rutter_target_written_total')).toBe(0);
    }
    expect(rows.changeCount + routes.changeCount).toBe(changes);
    expect(scene.counts).toEqual(before);
    expect(scene.violations).toEqual([]);
    expect(await agent.verify()).toEqual({ verified: 2 });
  });

  it('is put right where somebody removes and alters entries while it changes', async () => {
    scene = await TwoTablesScene.open(SOME);
    const { feed, rows, northbound, site } = scene;
    agent = await scene.start();
    await feed.open('one');
    await scene.settled(agent);
    const ours = rows.entries().filter((entry) => !entry.endsWith('.99'));
    for (const [turn, to] of (['other', 'one', 'other'] as const).entries()) {
      const changed = feed.change(to);
      for (const entry of ours.slice(40 * turn, 40 * turn + 20)) {
        const [prefix] = entry.split(' ') as [string];
        const args = ['--if-exists', 'lr-route-del', northbound.router, prefix];
        await execute('ovn-nbctl', [`--db=${northbound.northbound}`, ...args]);
        const route = ['route', 'replace', 'blackhole', prefix, 'proto', '114', 'metric', '20'];
        await execute('ip', ['-n', site.routerNamespace, ...route]);
      }
      await changed;
      await scene.settled(agent);
      const isRight = () =>
        agent.verify().then(
          () => true,
          () => false,
        );
      await waitUntil(isRight, { what: 'both places right again', timeoutMs: 20_000 });
    }
    await scene.caughtUp();
    scene.allow('other');
    expect(scene.violations).toEqual([]);
  });

  async function untilCounts(
    what: string,
    isSo: (counts: TwoTablesScene['counts']) => boolean,
  ): Promise<void> {
    await waitUntil(() => isSo(scene.counts), { what, timeoutMs: 60_000, intervalMs: 100 });
  }

  /** As a service manager does. */
  async function stop({ pids: [pid] }: RunningAgent): Promise<void> {
    process.kill(pid!, 'SIGTERM');
    const isGone = () => !existsSync(`/proc/${pid}`);
    await waitUntil(isGone, { what: 'the agent to end', timeoutMs: 20_000 });
  }
});
