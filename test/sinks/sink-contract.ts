// The contract of every sink (src/sinks/sink.ts), run against each: testSink(name, setUp).
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildBatch, type ChangeText } from '../../bench/ovsdb-batch.ts';
import type { ApplyResult, EmitSinkEvent, Sink } from '../../src/sinks/sink.ts';
import { SinkListener, until } from './sink-listener.ts';

/** A place to write to. */
export interface SinkPlace {
  /** A sink over this place; several one after the other see the same. */
  makeSink(emit: EmitSinkEvent): Sink;
  /** Two next hops that work there, IPv4. */
  readonly nextHops: readonly [string, string];
  /** One that works there, IPv6. */
  readonly nextHop6: string;
  /** Counts the changes of the place from now on: a check that nothing was written. */
  watchWrites(): Promise<{ stop(): Promise<number> }>;
  /** Puts a route of somebody else there, and shows all of theirs; absent unless shared. */
  readonly foreign?: { add(prefix: string): Promise<void>; list(): Promise<string> };
  /** A next hop the place refuses; absent unless it refuses. */
  readonly refusedNextHop?: string;
  dispose(): Promise<void>;
}

/** What a place can do besides keeping routes. */
export interface PlaceTraits {
  /** It refuses some next hop. */
  readonly refuses: boolean;
  /** Others write to it too. */
  readonly isShared: boolean;
}

export function testSink(
  name: string,
  { refuses, isShared }: PlaceTraits,
  setUp: () => Promise<SinkPlace>,
): void {
  describe(`${name} keeps the sink contract`, () => {
    let place: SinkPlace;
    const opened: Sink[] = [];

    beforeEach(async () => {
      place = await setUp();
    });

    afterEach(async () => {
      for (const sink of opened.splice(0)) await sink.close();
      await place.dispose();
    });

    async function open(): Promise<{ sink: Sink; heard: SinkListener }> {
      const heard = new SinkListener();
      const sink = place.makeSink((event) => heard.hear(event));
      opened.push(sink);
      await sink.open();
      await heard.ready();
      return { sink, heard };
    }

    const apply = (sink: Sink, changes: readonly ChangeText[]): Promise<ApplyResult> =>
      sink.apply(buildBatch(changes));

    /** What a fresh sink finds. */
    async function installed(): Promise<Record<string, string>> {
      const { sink, heard } = await open();
      await sink.close();
      opened.splice(opened.indexOf(sink), 1);
      return Object.fromEntries([...heard.installed].sort());
    }

    const some = (): ChangeText[] => {
      const [first, second] = place.nextHops;
      return [
        { prefix: '198.51.100.0/24', to: [first] },
        { prefix: '203.0.113.0/25', to: [first, second] },
        { prefix: '203.0.113.128/32', to: [second] },
        { prefix: '2001:db8:77::/48', to: [place.nextHop6] },
      ];
    };
    const someInstalled = (): Record<string, string> => {
      const [first, second] = place.nextHops;
      return {
        '198.51.100.0/24': first,
        '2001:db8:77::/48': place.nextHop6,
        '203.0.113.0/25': `${first} ${second}`,
        '203.0.113.128/32': second,
      };
    };

    it('tells one whole snapshot before it says ready', async () => {
      const { heard } = await open();
      const order = heard.types.filter((type) => type !== 'observed' && type !== 'foreign');
      expect(order.slice(-3)).toEqual(['snapshotBegin', 'snapshotEnd', 'state']);
    });

    it('writes the records of a batch, and the next sink finds them', async () => {
      const { sink } = await open();
      const result = await apply(sink, some());
      expect(result).toMatchObject({ known: true, failures: [] });
      await sink.close();
      expect(await installed()).toEqual(someInstalled());
    });

    it('changes and removes what a record says it does', async () => {
      const { sink } = await open();
      const [first, second] = place.nextHops;
      await apply(sink, some());
      const result = await apply(sink, [
        { prefix: '198.51.100.0/24', from: [first], to: [second] },
        { prefix: '203.0.113.0/25', from: [first, second] },
      ]);
      expect(result).toMatchObject({ known: true, failures: [] });
      const { '203.0.113.0/25': _, ...left } = someInstalled();
      expect(await installed()).toEqual({ ...left, '198.51.100.0/24': second });
    });

    it('takes what is there already as no error and writes nothing', async () => {
      const { sink } = await open();
      await apply(sink, some());
      const watch = await place.watchWrites();
      const result = await apply(sink, some());
      expect(result).toMatchObject({ known: true, failures: [] });
      expect(await watch.stop()).toBe(0);
      expect(await installed()).toEqual(someInstalled());
    });

    it('takes the removal of what is not there as no error', async () => {
      const { sink } = await open();
      const gone = { prefix: '192.0.2.0/24', from: [place.nextHops[0]] };
      expect(await apply(sink, [gone])).toMatchObject({ known: true, failures: [] });
      expect(await installed()).toEqual({});
    });

    it('closing removes nothing (P3), and starting again writes nothing', async () => {
      const { sink } = await open();
      await apply(sink, some());
      const watch = await place.watchWrites();
      await sink.close();
      const again = await open();
      expect(Object.fromEntries(again.heard.installed)).toEqual(someInstalled());
      expect(await watch.stop()).toBe(0);
    });

    it('flush removes everything of ours', async () => {
      const { sink } = await open();
      await apply(sink, some());
      const { removedCount } = await sink.flush();
      expect(removedCount).toBeGreaterThanOrEqual(4);
      expect(await installed()).toEqual({});
    });

    const testRefusal = async () => {
      const { sink } = await open();
      const bad = { prefix: '192.0.2.0/24', to: [place.refusedNextHop!] };
      const [first = bad, ...others] = some();
      const result = await apply(sink, [first, bad, ...others]);
      expect(result.known).toBe(true);
      expect(result.failures.map((failure) => failure.index)).toEqual([1]);
      expect(result.failures[0]!.message).not.toBe('');
      expect(await installed()).toEqual(someInstalled());
    };
    if (refuses) it('a refused record keeps the others in', testRefusal);

    const testForeign = async () => {
      const foreign = place.foreign!;
      await foreign.add('198.51.100.0/24');
      await foreign.add('192.0.2.0/24');
      const before = await foreign.list();
      const { sink, heard } = await open();
      const [first] = place.nextHops;
      const result = await apply(sink, some());
      expect(result.failures).toMatchObject([{ index: 0, code: 'collision' }]);
      await apply(sink, [{ prefix: '192.0.2.0/24', from: [first] }]);
      await until(() => heard.state === 'ready', 'ready');
      await sink.flush();
      expect(await foreign.list()).toBe(before);
    };
    if (isShared) it('never changes or removes what is not ours (P2)', testForeign);
  });
}
