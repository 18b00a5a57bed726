// The host sink on a real kernel, in network namespaces.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildBatch, type ChangeText } from '../../bench/ovsdb-batch.ts';
import type { HostSinkOptions } from '../../src/sinks/host/options.ts';
import { createHostSink } from '../../src/sinks/host/sink.ts';
import type { ApplyResult, Sink } from '../../src/sinks/sink.ts';
import { testSink } from '../sinks/sink-contract.ts';
import { SinkListener, until } from '../sinks/sink-listener.ts';
import { HostPlace, isOwn, TABLE } from './host-place.ts';

const GATEWAY = '10.1.1.2';
const OTHER_GATEWAY = '10.1.2.2';
const GATEWAY6 = '2001:db8:1::2';

testSink('host', { refuses: true, isShared: true }, async () => {
  const place = await HostPlace.create();
  return {
    makeSink: (emit) => createHostSink(place.options(), emit),
    nextHops: [GATEWAY, OTHER_GATEWAY],
    nextHop6: GATEWAY6,
    refusedNextHop: '10.77.0.1',
    async watchWrites() {
      const watch = await place.watchRoutes();
      return { stop: async () => (await watch.stop()).length };
    },
    foreign: {
      add: async (prefix) => {
        await place.ip(`route add ${prefix} via ${GATEWAY} table ${TABLE} metric 20 proto static`);
      },
      list: () => place.foreign(),
    },
    dispose: () => place.dispose(),
  };
});

describe('host sink', () => {
  let place: HostPlace;
  let heard: SinkListener;
  let sink: Sink;
  const others: Sink[] = [];

  beforeEach(async () => {
    place = await HostPlace.create();
    heard = new SinkListener();
    sink = createHostSink(place.options(), (event) => heard.hear(event));
    await sink.open();
    await heard.ready();
  });

  afterEach(async () => {
    for (const each of [sink, ...others.splice(0)]) await each.close();
    await place.dispose();
  });

  const apply = (changes: readonly ChangeText[]): Promise<ApplyResult> =>
    sink.apply(buildBatch(changes));

  async function openAnother(
    options: Partial<HostSinkOptions> = {},
  ): Promise<{ sink: Sink; heard: SinkListener }> {
    const listener = new SinkListener();
    const another = createHostSink(place.options(options), (event) => listener.hear(event));
    others.push(another);
    await another.open();
    return { sink: another, heard: listener };
  }

  describe('writing', () => {
    it('makes one object per next hop and a group per set, with weights', async () => {
      const result = await apply([
        { prefix: '10.9.0.0/24', to: [GATEWAY] },
        { prefix: '10.9.1.0/24', to: [GATEWAY, OTHER_GATEWAY] },
        { prefix: '10.9.2.0/24', to: [`${GATEWAY}*2`, `${OTHER_GATEWAY}*3`] },
        { prefix: '2001:db8:9::/48', to: [GATEWAY6] },
      ]);
      expect(result).toMatchObject({ known: true, failures: [] });
      const [one, equal, weighted, six] = await place.routes();
      expect(one).toMatch(/^10\.9\.0\.0\/24 nhid \d+ via 10\.1\.1\.2 dev up0 proto 114 metric 20/);
      expect(equal).toMatch(/via 10\.1\.1\.2 dev up0 weight 1 .*via 10\.1\.2\.2 dev up1 weight 1/);
      expect(weighted).toMatch(
        /via 10\.1\.1\.2 dev up0 weight 2 .*via 10\.1\.2\.2 dev up1 weight 3/,
      );
      expect(six).toMatch(
        /^2001:db8:9::\/48 nhid \d+ via 2001:db8:1::2 dev up0 proto 114 metric 20/,
      );
      const objects = await place.nextHops();
      expect(objects).toHaveLength(5);
      expect(objects.every((line) => line.includes('proto 114'))).toBe(true);
    });

    it('writes discard as blackhole, in both families, and back', async () => {
      await apply([
        { prefix: '10.9.0.0/24', to: 'discard' },
        { prefix: '2001:db8:9::/48', to: 'discard' },
      ]);
      // Type 6 is blackhole (linux/rtnetlink.h).
      expect((await place.routes()).map((line) => line.split(' nhid')[0])).toEqual([
        '6 10.9.0.0/24',
        '6 2001:db8:9::/48',
      ]);
      await apply([
        { prefix: '10.9.0.0/24', from: 'discard', to: [GATEWAY] },
        { prefix: '2001:db8:9::/48', from: 'discard', to: [GATEWAY6] },
      ]);
      const after = await place.routes();
      expect(after.map((line) => line.split(' nhid')[0])).toEqual([
        '10.9.0.0/24',
        '2001:db8:9::/48',
      ]);
    });

    it('takes link-local next hops with their device, for IPv4 routes too (RFC 8950)', async () => {
      const index = await place.interfaceIndex('up1');
      const result = await apply([
        { prefix: '2001:db8:9::/48', to: [`fe80::2%${index}`] },
        { prefix: '10.9.0.0/24', to: [`fe80::2%${index}`] },
      ]);
      expect(result.failures).toEqual([]);
      const [four, six] = await place.routes();
      expect(four).toContain('via inet6 fe80::2 dev up1');
      expect(six).toContain('via fe80::2 dev up1');
      const again = await openAnother();
      await again.heard.ready();
      expect([...again.heard.installed]).toEqual([
        ['10.9.0.0/24', `fe80::2%${index}`],
        ['2001:db8:9::/48', `fe80::2%${index}`],
      ]);
    });

    it('replaces IPv6 routes between a next hop, a group and a blackhole without leaving copies', async () => {
      const index = await place.interfaceIndex('up1');
      const group = [GATEWAY6, `fe80::2%${index}`];
      const steps: ChangeText[] = [
        { prefix: '2001:db8:9::/48', to: [GATEWAY6] },
        { prefix: '2001:db8:9::/48', from: [GATEWAY6], to: group },
        { prefix: '2001:db8:9::/48', from: group, to: 'discard' },
        { prefix: '2001:db8:9::/48', from: 'discard', to: group },
      ];
      for (const step of steps) {
        expect((await apply([step])).failures).toEqual([]);
        expect(await place.routes()).toHaveLength(1);
      }
      await apply([{ prefix: '2001:db8:9::/48', from: group }]);
      expect(await place.routes()).toEqual([]);
    });

    it('fills the main table by name', async () => {
      const main = await openAnother({ table: 'main' });
      await main.heard.ready();
      await main.sink.apply(buildBatch([{ prefix: '10.9.0.0/24', to: [GATEWAY] }]));
      expect((await place.routes('main')).filter(isOwn)).toHaveLength(1);
      expect(await place.routes()).toEqual([]);
    });

    it('refuses one bad route of many and names the reason', async () => {
      const changes = Array.from({ length: 500 }, (_, i): ChangeText => {
        return { prefix: `10.20.${i >> 8}.${i & 255}/32`, to: [GATEWAY] };
      });
      changes[250] = { prefix: '10.9.0.0/24', to: ['10.77.0.1'] };
      const { failures } = await apply(changes);
      expect(failures).toHaveLength(1);
      expect(failures[0]).toMatchObject({ index: 250, code: 'unreachable-next-hop' });
      expect(failures[0]!.message).toContain('10.9.0.0/24');
      expect((await place.routes()).filter(isOwn)).toHaveLength(499);
    });

    it('removes objects that are out of use, and none that is in use', async () => {
      await apply([
        { prefix: '10.9.0.0/24', to: [GATEWAY, OTHER_GATEWAY] },
        { prefix: '10.9.1.0/24', to: [OTHER_GATEWAY] },
      ]);
      expect(await place.nextHops()).toHaveLength(3);
      await apply([{ prefix: '10.9.0.0/24', from: [GATEWAY, OTHER_GATEWAY] }]);
      await until(async () => (await place.nextHops()).length === 1, 'a single object');
      expect((await place.nextHops())[0]).toContain(`via ${OTHER_GATEWAY}`);
      expect((await place.routes()).filter(isOwn)).toHaveLength(1);
    });
  });

  describe('others', () => {
    it('reports a route of ours that was deleted', async () => {
      await apply([
        { prefix: '10.9.0.0/24', to: [GATEWAY] },
        { prefix: '10.9.1.0/24', to: [GATEWAY] },
      ]);
      await place.ip(`route del 10.9.0.0/24 table ${TABLE}`);
      await until(() => heard.drift.length > 0, 'drift', 1000);
      expect(heard.drift).toEqual([['10.9.0.0/24', '']]);
    });

    it('reports a route of ours that was changed, as it is now', async () => {
      await apply([{ prefix: '10.9.0.0/24', to: [GATEWAY] }]);
      await place.ip(
        `route replace 10.9.0.0/24 via ${OTHER_GATEWAY} table ${TABLE} proto 114 metric 20`,
      );
      await until(() => heard.drift.length > 0, 'drift', 1000);
      expect(heard.drift).toEqual([['10.9.0.0/24', OTHER_GATEWAY]]);
      // And it can be put back.
      const back = { prefix: '10.9.0.0/24', from: [OTHER_GATEWAY], to: [GATEWAY] };
      expect((await apply([back])).failures).toEqual([]);
      expect((await place.routes())[0]).toMatch(/nhid \d+ via 10\.1\.1\.2/);
    });

    it('does not take its own writes for drift', async () => {
      const prefixes = Array.from(
        { length: 300 },
        (_, i) => `10.20.0.${i & 255}/${i < 256 ? 32 : 31}`,
      );
      const unique = [...new Set(prefixes)].filter((p) => !/\d*[13579]\/31/.test(p));
      await apply(unique.map((prefix) => ({ prefix, to: [GATEWAY] })));
      await apply(unique.map((prefix) => ({ prefix, from: [GATEWAY], to: [OTHER_GATEWAY] })));
      await apply(unique.map((prefix) => ({ prefix, from: [OTHER_GATEWAY] })));
      await place.ip(`route add 10.9.9.0/24 via ${GATEWAY} table ${TABLE} proto 114 metric 20`);
      await until(() => heard.drift.length > 0, 'the marker');
      expect(heard.drift).toEqual([['10.9.9.0/24', GATEWAY]]);
    });

    it('leaves the route of somebody else, and says when it has gone', async () => {
      await place.ip(`route add 10.9.0.0/24 via ${GATEWAY} table ${TABLE} metric 20 proto static`);
      await place.ip(`route add 10.9.1.0/24 via ${GATEWAY} table ${TABLE} metric 30 proto static`);
      await place.ip(`route add 2001:db8:9::/48 via ${GATEWAY6} table ${TABLE} metric 20`);
      const before = await place.foreign();
      const changes: ChangeText[] = [
        { prefix: '10.9.0.0/24', to: [OTHER_GATEWAY] },
        { prefix: '10.9.1.0/24', to: [OTHER_GATEWAY] },
        { prefix: '2001:db8:9::/48', to: [GATEWAY6] },
      ];
      const { failures } = await apply(changes);
      expect(failures.map(({ index, code }) => [index, code])).toEqual([
        [0, 'collision'],
        [2, 'collision'],
      ]);
      expect(await place.foreign()).toBe(before);
      await place.ip(`route del 10.9.0.0/24 table ${TABLE}`);
      await until(() => heard.released.includes('10.9.0.0/24'), 'the release', 1000);
      expect((await apply(changes.slice(0, 1))).failures).toEqual([]);
    });

    it('reports a route of ours that somebody has replaced with theirs, and keeps off', async () => {
      await apply([{ prefix: '10.9.0.0/24', to: [GATEWAY] }]);
      await place.ip(`route replace 10.9.0.0/24 via ${OTHER_GATEWAY} table ${TABLE} metric 20`);
      const before = await place.foreign();
      await until(() => heard.drift.length > 0, 'drift', 1000);
      expect(heard.drift).toEqual([['10.9.0.0/24', '']]);
      const { failures } = await apply([{ prefix: '10.9.0.0/24', to: [GATEWAY] }]);
      expect(failures).toMatchObject([{ code: 'collision' }]);
      await apply([{ prefix: '10.9.0.0/24', from: [GATEWAY] }]);
      expect(await place.foreign()).toBe(before);
    });

    it('keeps foreign routes byte for byte through load, churn and flush', async () => {
      const foreign = Array.from({ length: 200 }, (_, i) => {
        const table = i % 2 ? TABLE : 'main';
        return `route add 10.30.${i}.0/24 via ${GATEWAY} table ${table} proto ${i % 3 ? 186 : 4} metric ${20 + (i % 5)}`;
      });
      await place.batch(foreign);
      const before = await place.foreign();
      const prefixes = Array.from({ length: 400 }, (_, i) => `10.${30 + (i >> 8)}.${i & 255}.0/24`);
      const first = await apply(prefixes.map((prefix) => ({ prefix, to: [GATEWAY] })));
      expect(first.failures.length).toBeGreaterThan(0);
      await apply(prefixes.map((prefix) => ({ prefix, from: [GATEWAY], to: [OTHER_GATEWAY] })));
      expect(await place.foreign()).toBe(before);
      await sink.flush();
      expect(await place.foreign()).toBe(before);
      expect((await place.routes()).filter(isOwn)).toEqual([]);
      expect(await place.nextHops()).toEqual([]);
    });
  });

  describe('links', () => {
    it('reports what the kernel dropped when a link went down, and releases it when it is up', async () => {
      await apply([
        { prefix: '10.9.0.0/24', to: [GATEWAY] },
        { prefix: '10.9.1.0/24', to: [OTHER_GATEWAY] },
        { prefix: '2001:db8:9::/48', to: [GATEWAY6] },
      ]);
      await place.neighbourIp('link set dn0 down');
      await until(() => heard.snapshotCount === 2 && heard.types.at(-1) !== 'observed', 'the loss');
      expect([...heard.installed]).toEqual([['10.9.1.0/24', OTHER_GATEWAY]]);
      const lost: ChangeText[] = [
        { prefix: '10.9.0.0/24', to: [GATEWAY] },
        { prefix: '2001:db8:9::/48', to: [GATEWAY6] },
      ];
      const { failures } = await apply(lost);
      expect(failures.map(({ code }) => code)).toEqual(Array(2).fill('unreachable-next-hop'));
      await place.neighbourIp('link set dn0 up');
      await until(() => heard.released.length >= 2, 'the release');
      expect(heard.released.toSorted()).toEqual(['10.9.0.0/24', '2001:db8:9::/48']);
      expect((await apply(lost)).failures).toEqual([]);
      expect(await place.routes()).toHaveLength(3);
    });

    it('releases a route when a new address makes its next hop reachable', async () => {
      const change = { prefix: '10.9.0.0/24', to: ['10.55.0.2'] };
      expect((await apply([change])).failures).toMatchObject([{ code: 'unreachable-next-hop' }]);
      await place.ip('address add 10.55.0.1/24 dev up0');
      await until(() => heard.released.includes('10.9.0.0/24'), 'the release', 2000);
      expect((await apply([change])).failures).toEqual([]);
    });

    it('moves every route with one object when a gateway is reached another way', async () => {
      await place.ip(`route add 192.0.2.9/32 via ${GATEWAY}`);
      const prefixes = Array.from({ length: 50 }, (_, i) => `10.20.${i}.0/24`);
      await apply(prefixes.map((prefix) => ({ prefix, to: ['192.0.2.9'] })));
      expect((await place.routes())[0]).toContain(`via ${GATEWAY} dev up0`);
      await place.ip(`route replace 192.0.2.9/32 via ${OTHER_GATEWAY}`);
      const moved = async () => (await place.routes())[0]?.includes(`via ${OTHER_GATEWAY} dev up1`);
      await until(async () => (await moved()) === true, 'the move', 2000);
      expect(await place.routes()).toHaveLength(50);
      // A restart knows the object by its gateway until the next hop claims it: nothing is written.
      const again = await openAnother();
      await again.heard.ready();
      const watch = await place.watchRoutes();
      const claims = prefixes.map((prefix) => {
        return { prefix, from: [OTHER_GATEWAY], to: ['192.0.2.9'] };
      });
      expect((await again.sink.apply(buildBatch(claims))).failures).toEqual([]);
      expect(await watch.stop()).toEqual([]);
    });

    it('waits for a table that is not there yet', async () => {
      const waiting = await openAnother({ table: 'no-such-vrf' });
      await until(() => waiting.heard.state === 'waiting', 'waiting');
      const result = await waiting.sink.apply(
        buildBatch([{ prefix: '10.9.0.0/24', to: [GATEWAY] }]),
      );
      expect(result.known).toBe(false);
    });
  });

  describe('another metric than before', () => {
    it('is given to every route of ours, in a safe order', async () => {
      const discarded = '10.9.3.0/24';
      await apply([
        { prefix: '10.9.0.0/24', to: [GATEWAY] },
        { prefix: '10.9.1.0/24', to: [`${GATEWAY}*2`, OTHER_GATEWAY] },
        { prefix: '10.9.2.0/24', to: [GATEWAY] },
        { prefix: discarded, to: 'discard' },
        { prefix: '2001:db8:9::/48', to: [GATEWAY6] },
      ]);
      await sink.close();
      const before = (await place.routes()).map((line) => line.trim());
      // Somebody else's: with our new metric at a prefix of ours, and with our number but no object of ours.
      const inTheWay = `10.9.2.0/24 via ${OTHER_GATEWAY} dev up1 proto static metric 50`;
      const likeOurs = `10.8.0.0/24 via ${GATEWAY} dev up0 proto 114 metric 30`;
      for (const line of [inTheWay, likeOurs]) await place.ip(`route add ${line} table ${TABLE}`);
      const watch = await place.watchRoutes();

      const again = await openAnother({ metric: 50 });
      await again.heard.ready();
      const after = (await place.routes()).map((line) => line.trim());
      const moved = before.map((line) => line.replace('metric 20', 'metric 50'));
      const expected = moved.map((line) => (line.startsWith('10.9.2.0') ? inTheWay : line));
      const asNumbers = (line: string) => line.replace('static', '4');
      expect(after.toSorted()).toEqual([...expected, likeOurs].map(asNumbers).toSorted());
      expect([...again.heard.installed.keys()].toSorted()).toEqual(
        ['10.9.0.0/24', '10.9.1.0/24', discarded, '2001:db8:9::/48'].toSorted(),
      );

      const told = await watch.stop();
      for (const prefix of ['10.9.0.0/24', '10.9.1.0/24', discarded, '2001:db8:9::/48']) {
        const changes = told.filter((line) => line.includes(`${prefix} `));
        expect(changes.map((line) => line.startsWith('Deleted'))).toEqual([false, true]);
      }
      const change = { prefix: '10.9.0.0/24', from: [GATEWAY], to: [OTHER_GATEWAY] };
      expect((await again.sink.apply(buildBatch([change]))).failures).toEqual([]);
      expect((await again.sink.flush()).removedCount).toBe(4);
      expect((await place.routes()).map((line) => line.trim())).toEqual(
        [likeOurs, inTheWay].map(asNumbers),
      );
    });

    it('is given to a hundred thousand routes by a restart', async () => {
      const prefixes = Array.from({ length: 100_000 }, (_, i) => {
        return `${20 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.0/24`;
      });
      for (let i = 0; i < prefixes.length; i += 20_000) {
        await apply(prefixes.slice(i, i + 20_000).map((prefix) => ({ prefix, to: [GATEWAY] })));
      }
      await sink.close();
      const again = await openAnother({ metric: 10 });
      await again.heard.ready();
      expect(again.heard.installed.size).toBe(prefixes.length);
      const lines = await place.routes();
      expect(lines).toHaveLength(prefixes.length);
      expect(lines.every((line) => line.includes(' metric 10'))).toBe(true);
    });
  });

  describe('a hundred thousand routes', () => {
    const count = 100_000;
    const prefixes = Array.from(
      { length: count },
      (_, i) => `${20 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.0/24`,
    );

    it('load, and a restart that writes nothing and removes nothing', async () => {
      const loading = prefixes.map((prefix, i): ChangeText => {
        return { prefix, to: i % 3 ? [GATEWAY] : [GATEWAY, OTHER_GATEWAY] };
      });
      for (let i = 0; i < count; i += 20_000) {
        expect((await apply(loading.slice(i, i + 20_000))).failures).toEqual([]);
      }
      expect((await place.routes()).filter(isOwn)).toHaveLength(count);
      await sink.close();
      const watch = await place.watchRoutes();
      const again = await openAnother();
      await again.heard.ready();
      expect(again.heard.installed.size).toBe(count);
      const result = await again.sink.apply(buildBatch(loading.slice(0, 20_000)));
      expect(result).toMatchObject({ known: true, failures: [] });
      expect(await watch.stop()).toEqual([]);
    });

    it('a load too big to follow is read once it is over', async () => {
      for (let i = 0; i < count; i += 20_000) {
        await apply(prefixes.slice(i, i + 20_000).map((prefix) => ({ prefix, to: [GATEWAY] })));
      }
      await place.ip(`route del ${prefixes[7]} table ${TABLE}`);
      await until(
        () => heard.snapshotCount === 2 && heard.types.at(-1) !== 'observed',
        'a snapshot',
      );
      expect(heard.installed.size).toBe(count - 1);
      expect(heard.installed.has(prefixes[7]!)).toBe(false);
      // And followed again.
      await place.ip(`route del ${prefixes[8]} table ${TABLE}`);
      await until(() => heard.drift.length > 0, 'drift', 2000);
      expect(heard.drift).toEqual([[prefixes[8], '']]);
    });
  });
});
