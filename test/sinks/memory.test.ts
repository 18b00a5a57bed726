// The memory sink keeps the contract of every sink.
import { MemorySink } from '../../src/sinks/memory.ts';
import type { Sink } from '../../src/sinks/sink.ts';
import { testSink } from './sink-contract.ts';

testSink('memory', { refuses: false, isShared: false }, async () => {
  let last: MemorySink | undefined;
  return {
    makeSink(emit): Sink {
      last = new MemorySink(emit, last?.entries);
      return last;
    },
    nextHops: ['192.0.2.1', '192.0.2.2'],
    nextHop6: '2001:db8::1',
    watchWrites: async () => {
      const before = new Map(last?.entries);
      return { stop: async () => countDifferences(before, new Map(last?.entries)) };
    },
    dispose: async () => undefined,
  };
});

function countDifferences(
  before: ReadonlyMap<string, unknown>,
  after: ReadonlyMap<string, unknown>,
): number {
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys].filter(
    (key) => JSON.stringify(before.get(key)) !== JSON.stringify(after.get(key)),
  ).length;
}
