// Everything that OVN-Kubernetes and others have in the Northbound database stays as it is, byte for byte, through a full load, churn and a
// flush; and a writer who adds and removes routes of the same router meanwhile is not disturbed.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OvsdbServer } from '../../bench/ovsdb-server.ts';
import {
  type Dump,
  dumpOthers,
  NODE,
  neighbours,
  PORT,
  populate,
  ROUTER,
} from './northbound-neighbours.ts';
import { manyPrefixes, SinkFixture } from './ovn-sink-fixture.ts';

const run = promisify(execFile);
const stages = ['after a full load', 'after churn', 'after a flush'] as const;

describe('neighbours in the Northbound database', () => {
  let server: OvsdbServer;
  let fixture: SinkFixture;
  let before: Dump;
  const dumps = new Map<string, Dump>();
  const rowsOfOurs = new Map<string, number>();
  let foreignExpected: readonly string[];

  const dump = async (): Promise<Dump> => {
    const args = ['--format=json', 'dump', server.remote, 'OVN_Northbound'];
    const { stdout } = await run('ovsdb-client', args, { maxBuffer: 1 << 28 });
    return dumpOthers(stdout, 'default');
  };

  const countOurs = (): number =>
    server
      .nbctl(
        '--bare',
        '--columns=_uuid',
        'find',
        'Logical_Router_Static_Route',
        'external_ids:rutter/network=default',
      )
      .split('\n')
      .filter(Boolean).length;

  const prefixes = [...manyPrefixes(3000), '10.244.1.5/32', '10.244.7.7/32', '172.26.0.0/17'];
  const inTheWay = ['0.0.0.0/0', '172.26.0.0/16', '10.244.0.0/16', '172.18.0.0/16'];

  beforeAll(async () => {
    server = await OvsdbServer.start();
    populate(server);
    before = await dump();
    fixture = await new SinkFixture({
      remotes: [server.remote],
      owner: NODE,
      router: ROUTER,
      outputPort: PORT,
    }).open();
    const note = async (stage: string): Promise<void> => {
      dumps.set(stage, await dump());
      rowsOfOurs.set(stage, countOurs());
    };

    const to = ['172.18.0.2', '172.18.0.4'];
    const { failures } = await fixture.apply(
      [...prefixes, ...inTheWay].map((prefix) => ({ prefix, to })),
    );
    expect(failures.map(({ code }) => code)).toEqual([
      'collision',
      'collision',
      'collision',
      'connected',
    ]);
    await note(stages[0]);

    for (let round = 0; round < 5; round++) {
      const changed = prefixes.filter((_, i) => i % 5 === round);
      await fixture.apply(
        changed.map((prefix, i) => (i % 2 === 0 ? { prefix } : { prefix, to: ['172.18.0.5'] })),
      );
      await fixture.apply(changed.map((prefix) => ({ prefix, to: [`172.18.0.${6 + round}`] })));
    }
    await note(stages[1]);

    await fixture.sink.flush();
    await note(stages[2]);
    foreignExpected = [...before.get('Logical_Router_Static_Route')!];
  }, 60_000);

  afterAll(async () => {
    await fixture?.sink.close();
    await server.stop();
  });

  it('were there, and so were we', () => {
    expect(rowsOfOurs).toEqual(
      new Map([
        [stages[0], 6006],
        [stages[1], 3003],
        [stages[2], 0],
      ]),
    );
    for (const { feature, tables } of neighbours) {
      for (const table of tables)
        expect(before.get(table)!.length, `${feature}: ${table}`).toBeGreaterThan(0);
    }
  });

  const cases = neighbours.flatMap(({ feature, tables }) =>
    stages.map((stage) => ({ feature, tables, stage })),
  );
  it.each(cases)('$feature: byte-identical $stage', ({ tables, stage }) => {
    for (const table of tables)
      expect(dumps.get(stage)!.get(table), table).toEqual(before.get(table));
  });

  it.each(stages)('and so is every other table, %s', (stage) => {
    expect(dumps.get(stage)).toEqual(before);
  });

  it('a writer of the same router, at the same time, loses nothing and gets nothing back', async () => {
    const theirs: string[] = [];
    let isLoading = true;
    const writing = (async () => {
      for (let i = 0; isLoading || i < 20; i++) {
        const prefix = `30.0.${i}.0/24`;
        const nbctl = (...args: readonly string[]) =>
          run('ovn-nbctl', [`--db=${server.remote}`, '--no-leader-only', ...args]);
        await nbctl('lr-route-add', ROUTER, prefix, '172.18.0.77');
        if (i % 2 === 1) await nbctl('lr-route-del', ROUTER, prefix);
        else theirs.push(prefix);
      }
    })();
    for (let round = 0; round < 4; round++) {
      const to = [`172.18.0.${2 + round}`];
      const result = await fixture.apply(prefixes.map((prefix) => ({ prefix, to })));
      expect(result).toMatchObject({ known: true, failures: [] });
      await fixture.apply(prefixes.slice(0, 1500).map((prefix) => ({ prefix })));
    }
    isLoading = false;
    await writing;
    expect(theirs.length).toBeGreaterThanOrEqual(10);
    expect(countOurs()).toBe(prefixes.length - 1500);
    const rows = (await dump()).get('Logical_Router_Static_Route')!;
    expect(rows.filter((row) => foreignExpected.includes(row))).toEqual(foreignExpected);
    const added = rows
      .filter((row) => !foreignExpected.includes(row))
      .map((row) => (JSON.parse(row) as { ip_prefix: string }).ip_prefix);
    expect(added.sort()).toEqual(theirs.sort());
  });
});
