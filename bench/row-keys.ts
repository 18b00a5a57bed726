// What does a changed next hop cost OVN's Northbound database, by the row's key: in place, or another row? (src/sinks/ovn/transaction.ts)
import { watchForeignCpu } from './harness/cpu.ts';
import type { Contestant, RunOptions, Sample, Scenario } from './harness/scenario.ts';
import { summarize } from './harness/statistics.ts';
import { needsNorthbound, northboundVersion } from './peers/northbound.ts';
import { loadTexts, ReadyMadeClient, replaceText, updateText, withServer } from './ready-made.ts';
import { sizeSweep } from './table-sizes.ts';

const ROUNDS = 15;
const MANY = 1000;

export const rowKeys: Scenario = {
  name: 'row-keys',
  question: 'what does a changed next hop cost ovsdb-server, in place and as another row?',
  routes: 50_000,
  smallRoutes: 1000,
  repeats: 1,
  sweep: sizeSweep('rows present', [1000, 10_000, 50_000], 1000),
  warmUpShare: 0,
  obstacle: needsNorthbound,
  input: () => `ready-made transactions over a unix socket, the median of ${ROUNDS} each`,
  metrics: [
    { key: 'one', title: '1 changed', unit: 'ms' },
    { key: 'many', title: `${MANY} changed in one transaction`, unit: 'ms' },
  ],
  contestants: [
    contestant('update in place', (_routerUuid, routes, round) =>
      updateText(routes, `172.19.${round}.1`),
    ),
    contestant('delete and insert', (routerUuid, routes, round) =>
      replaceText(routerUuid, routes, round, `172.20.${round}.1`),
    ),
  ],
  goals: [],
};

/** The transaction of a round that changes these routes; rounds count from 0 for each route. */
type MakeText = (routerUuid: string, routes: readonly number[], round: number) => string;

function contestant(name: string, text: MakeText): Contestant {
  return {
    name,
    version: async () => northboundVersion(),
    run: (options) => measure(options, text),
  };
}

function measure({ point }: RunOptions, text: MakeText): Promise<Sample> {
  return withServer(async (server, routerUuid) => {
    const client = await ReadyMadeClient.open(server);
    for (const load of loadTexts(routerUuid, point.value)) await client.transact(load);
    const foreign = watchForeignCpu();
    const timeOf = async (routes: readonly number[]): Promise<number> => {
      const times: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        times.push(await client.transact(text(routerUuid, routes, round)));
      }
      return summarize(times)!.median;
    };
    const one = await timeOf([point.value - 1]);
    const many = await timeOf(Array.from({ length: Math.min(MANY, point.value - 1) }, (_, i) => i));
    client.close();
    return { one, many, foreignCores: foreign() };
  });
}
