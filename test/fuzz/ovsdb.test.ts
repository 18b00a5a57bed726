// A hostile Northbound server: bytes that are no JSON, JSON that is no OVSDB, values of wrong types and absurd sizes, in every message
// it may send. The sink loses the connection at worst, and works again as soon as the server does.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { JsonScanner } from '../../src/ovsdb/json-scanner.ts';
import { createOvnSink } from '../../src/sinks/ovn/sink.ts';
import type { Sink } from '../../src/sinks/sink.ts';
import { SinkListener, until } from '../sinks/sink-listener.ts';
import { HostileNorthbound, portName, routerName } from './hostile-northbound.ts';
import { mutate } from './mutate.ts';
import { Random } from './random.ts';

const LIES = 250;

const nasty: readonly unknown[] = [
  null,
  true,
  -1,
  1e308,
  '',
  '"; rm -rf /; `id` $(id)\n\u0000\\',
  'x'.repeat(2 ** 20),
  [],
  {},
  ['uuid'],
  ['uuid', 7],
  ['set', 5],
  ['set', [null, ['uuid']]],
  ['map', 'x'],
  ['map', [[1]]],
  JSON.parse('{"__proto__": {"polluted": true}, "constructor": null}'),
];

/** A copy with one value somewhere inside replaced by another. */
function withLie(random: Random, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || random.chance(5)) return random.pick(nasty);
  const copy = structuredClone(value) as Record<string, unknown>;
  const keys = Object.keys(copy);
  if (keys.length === 0) return random.pick(nasty);
  const key = random.pick(keys);
  copy[key] = withLie(random, copy[key]);
  return copy;
}

let directory: string;
let northbound: HostileNorthbound;
let listener: SinkListener;
let sink: Sink;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'rutter-fuzz-'));
  const path = join(directory, 'nb.sock');
  northbound = await HostileNorthbound.listen(path);
  listener = new SinkListener();
  sink = createOvnSink(
    {
      remotes: [`unix:${path}`],
      owner: 'node',
      network: 'default',
      router: routerName,
      outputPort: portName,
      maxRoutes: 100,
      collision: 'skip',
    },
    (event) => listener.hear(event),
  );
});

afterEach(async () => {
  await sink.close();
  northbound.close();
  rmSync(directory, { recursive: true, force: true });
});

/** The sink after the server has come to its senses. */
async function expectRecovery(): Promise<void> {
  northbound.lie = (value) => value;
  northbound.drop();
  const before = listener.snapshotCount;
  await until(() => listener.snapshotCount > before && listener.state === 'ready', 'a ready sink');
  expect([...listener.installed.keys()].sort()).toEqual(['10.0.0.0/24', '10.0.1.0/24']);
  expect(listener.foreignCount).toBe(2);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
}

describe('a hostile Northbound server', () => {
  it('may lie in its answers: the sink is ready as soon as it stops', async () => {
    const random = new Random(31);
    let lieCount = 0;
    northbound.lie = (value) => {
      if (random.chance(3)) return value;
      lieCount++;
      return withLie(random, value);
    };
    await sink.open();
    const deadline = performance.now() + 2500;
    while (performance.now() < deadline && northbound.connectionCount < 5) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (listener.state === 'ready') northbound.drop();
    }
    expect(lieCount).toBeGreaterThan(3);
    await expectRecovery();
  });

  it('may lie in its updates: the sink is ready as soon as it stops', async () => {
    await sink.open();
    await listener.ready();
    const random = new Random(32);
    northbound.lie = (value) => withLie(random, value);
    for (let lie = 0; lie < LIES; lie++) {
      northbound.update();
      if (lie % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 30));
    }
    await expectRecovery();
  });

  it('may send noise: the connection ends and the next one works', async () => {
    await sink.open();
    await listener.ready();
    const random = new Random(33);
    for (const bytes of [
      random.bytes(500),
      Buffer.from('}'),
      Buffer.from('{]}'),
      Buffer.from('[{"id":'),
    ]) {
      northbound.write(bytes);
      await expectRecovery();
    }
  });

  it('may nest without end', async () => {
    await sink.open();
    await listener.ready();
    const deep = `${'{"id":1,"result":'.repeat(200_000)}1${'}'.repeat(200_000)}`;
    northbound.write(Buffer.from(deep));
    await expectRecovery();
  });
});

describe('the JSON scanner', () => {
  it('cuts the same objects however the stream is torn, and throws nothing but its own error', () => {
    const random = new Random(34);
    const sound = Buffer.from('{"a":"}{\\"","b":{"c":[1,{}]}} {"d":"\\\\"}\n{"é":"日本"}');
    for (let run = 0; run < 3000; run++) {
      const bytes = mutate(random, sound, [sound]);
      expect(cut(bytes, 1)).toEqual(cut(bytes, bytes.length || 1));
    }
  });
});

function cut(bytes: Uint8Array, size: number): string[] {
  const scanner = new JsonScanner();
  const texts: string[] = [];
  try {
    for (let at = 0; at < bytes.length; at += size) {
      scanner.push(bytes.slice(at, at + size), (found) => texts.push(found));
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    texts.push(error.message);
  }
  return texts;
}

it('asks again for rows it was refused, without haste, and is ready when it gets them', async () => {
  northbound.refusesSelects = true;
  await sink.open();
  await until(() => northbound.selectCount >= 2, 'a second question');
  // A second between two questions; a loop without a wait asks thousands of times.
  expect(northbound.selectCount).toBeLessThan(10);
  expect(listener.snapshotCount).toBe(0);
  northbound.refusesSelects = false;
  await until(() => listener.snapshotCount === 1, 'the snapshot');
});
