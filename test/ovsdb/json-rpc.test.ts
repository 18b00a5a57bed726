import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { OvsdbError } from '../../src/ovsdb/errors.ts';
import { JsonRpc } from '../../src/ovsdb/json-rpc.ts';
import { atOnce } from '../../src/ovsdb/slices.ts';

/** The other end of the stream: what was written to it, and a way to speak. */
class FakeServer extends Duplex {
  readonly heard: unknown[] = [];

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.heard.push(JSON.parse(chunk.toString()));
    done();
  }

  say(...messages: unknown[]): void {
    this.push(messages.map((message) => JSON.stringify(message)).join(''));
  }
}

function connect() {
  const server = new FakeServer();
  const notifications: [string, readonly unknown[]][] = [];
  const errors: OvsdbError[] = [];
  const rpc = new JsonRpc(server, {
    notification: atOnce((method: string, params: readonly unknown[]) => {
      notifications.push([method, params]);
    }),
    closed: (error) => errors.push(error),
  });
  return { server, rpc, notifications, errors };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('JsonRpc', () => {
  it('gives each request its own answer, in whatever order they come', async () => {
    const { server, rpc } = connect();
    const first = rpc.request('a', [1]);
    const second = rpc.request('b', [2]);
    expect(server.heard).toEqual([
      { id: 1, method: 'a', params: [1] },
      { id: 2, method: 'b', params: [2] },
    ]);
    server.say({ id: 2, result: 'two', error: null }, { id: 1, result: 'one', error: null });
    expect(await Promise.all([first, second])).toEqual(['one', 'two']);
  });

  it('answers echo between other messages (RFC 7047 §4.1.11)', async () => {
    const { server } = connect();
    server.say(
      { id: null, method: 'update', params: [] },
      { id: 'e', method: 'echo', params: [7] },
    );
    await settled();
    expect(server.heard).toEqual([{ id: 'e', result: [7], error: null }]);
  });

  it('refuses what else a server may ask', async () => {
    const { server } = connect();
    server.say({ id: 5, method: 'format_disk', params: [] });
    await settled();
    expect(server.heard).toEqual([{ id: 5, result: null, error: 'unknown method' }]);
  });

  it('handles the messages of one chunk in order: an answer is taken before what follows it', async () => {
    const { server, rpc, notifications } = connect();
    const order: string[] = [];
    void rpc.request('monitor', [], () => order.push(`answer after ${notifications.length}`));
    server.say(
      { id: null, method: 'update', params: [1] },
      { id: 1, result: {}, error: null },
      { id: null, method: 'update', params: [2] },
    );
    await settled();
    expect(order).toEqual(['answer after 1']);
    expect(notifications).toHaveLength(2);
  });

  it.each([
    ['unknown method', 'unknown method'],
    [{ error: 'unknown database', details: 'no such' }, 'unknown database'],
  ])('rejects with the server error %j', async (error, serverError) => {
    const { server, rpc } = connect();
    const request = rpc.request('x', []);
    server.say({ id: 1, result: null, error });
    await expect(request).rejects.toMatchObject({ code: 'request-refused', serverError });
  });

  it('rejects what was asked and not answered when the stream ends, and what is asked later', async () => {
    const { server, rpc, errors } = connect();
    const asked = rpc.request('transact', []);
    server.destroy();
    await expect(asked).rejects.toMatchObject({ code: 'connection-lost' });
    await expect(rpc.request('transact', [])).rejects.toMatchObject({ code: 'not-connected' });
    expect(errors).toHaveLength(1);
  });

  it('has one request in turn on the wire, and sends the next when the answer is seen', async () => {
    const { server, rpc, notifications } = connect();
    const order: string[] = [];
    const take = (name: string) => () => {
      order.push(
        `${name} taken after ${notifications.length} updates, ${server.heard.length} sent`,
      );
    };
    const answers = [
      rpc.requestInTurn('transact', '["a"]', take('a')),
      rpc.requestInTurn('transact', '["b"]', take('b')),
      rpc.requestInTurn('transact', '["c"]', take('c')),
    ];
    expect(server.heard).toHaveLength(1);
    // A large update, then the answer: the next request goes out before either is handled.
    const large = 'x'.repeat(100_000);
    server.say({ id: null, method: 'update', params: [large] }, { id: 1, result: 1, error: null });
    await answers[0];
    expect(server.heard.slice(1)).toEqual([{ id: 2, method: 'transact', params: ['b'] }]);
    // An answer that does not begin with its id is found when it is handled.
    server.say({ result: 1, error: null, id: 2 });
    await answers[1];
    server.say({ id: 3, result: 1, error: null });
    await answers[2];
    expect(order).toEqual([
      'a taken after 1 updates, 2 sent',
      'b taken after 1 updates, 3 sent',
      'c taken after 1 updates, 3 sent',
    ]);
  });

  it('takes an answer that has arrived before the stream ended', async () => {
    const { server, rpc } = connect();
    const asked = rpc.requestInTurn('transact', '[]', (result) => result);
    server.say(
      { id: null, method: 'update', params: ['x'.repeat(100_000)] },
      { id: 1, result: 7, error: null },
    );
    await Promise.resolve();
    server.destroy();
    expect(await asked).toBe(7);
  });

  it('closes on bytes that are no JSON', async () => {
    const { server, errors } = connect();
    server.push('{"id":}');
    await settled();
    expect(errors.map(({ code }) => code)).toEqual(['protocol']);
  });
});

describe('a message of many rows', () => {
  const rows = Object.fromEntries(
    Array.from({ length: 4000 }, (_, i) => [`u${i}`, { initial: { name: `row ${i}`.repeat(20) } }]),
  );

  it('is parsed and taken in slices, in the order of the stream', async () => {
    const { server, rpc, notifications } = connect();
    const order: string[] = [];
    const taken = rpc.requestInSlices('monitor', [], function* (result) {
      expect(result).toEqual({ Port: rows });
      for (const part of ['first', 'second']) {
        order.push(`${part} after ${notifications.length}`);
        yield;
      }
      return 'done';
    });
    server.say(
      { id: null, method: 'update', params: [1] },
      { id: 1, result: { Port: rows }, error: null },
      { id: null, method: 'update', params: [2] },
    );
    let turns = 0;
    while (notifications.length < 2) {
      await settled();
      turns++;
    }
    expect(turns).toBeGreaterThan(3);
    expect(order).toEqual(['first after 1', 'second after 1']);
    expect(await taken).toBe('done');
  });

  it('is read alone: what follows stays in the socket until it is done', async () => {
    const { server, rpc, notifications } = connect();
    let isOver = false;
    void rpc.requestInSlices('monitor', [], function* () {
      while (!isOver) yield;
    });
    server.say({ id: 1, result: { Port: rows }, error: null });
    for (let turn = 0; turn < 20; turn++) await settled();
    server.say({ id: null, method: 'update', params: [] });
    for (let turn = 0; turn < 20; turn++) await settled();
    expect(server.isPaused()).toBe(true);
    expect(notifications).toHaveLength(0);
    isOver = true;
    while (notifications.length === 0) await settled();
    expect(server.isPaused()).toBe(false);
  });

  it('that had arrived is taken to its end when the stream ends', async () => {
    const { server, rpc, errors } = connect();
    let slices = 0;
    const taken = rpc.requestInSlices('monitor', [], function* () {
      for (; slices < 5; slices++) yield;
      return slices;
    });
    server.say({ id: 1, result: { Port: rows }, error: null });
    await settled();
    expect(slices).toBeLessThan(5);
    server.destroy();
    expect(await taken).toBe(5);
    expect(errors).toHaveLength(1);
  });

  it('that is no JSON ends the stream', async () => {
    const { server, rpc, errors } = connect();
    const asked = rpc.request('monitor', []);
    const text = JSON.stringify({ id: 1, result: { Port: rows }, error: null });
    server.push(text.replace('"u3999":', '"u3999";'));
    await expect(asked).rejects.toMatchObject({ code: 'connection-lost' });
    expect(errors).toMatchObject([{ code: 'protocol' }]);
  });
});
