import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { OvsdbError } from '../../src/ovsdb/errors.ts';
import { JsonRpc } from '../../src/ovsdb/json-rpc.ts';

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
    notification: (method, params) => notifications.push([method, params]),
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

  it('closes on bytes that are no JSON', async () => {
    const { server, errors } = connect();
    server.push('{"id":}');
    await settled();
    expect(errors.map(({ code }) => code)).toEqual(['protocol']);
  });
});
