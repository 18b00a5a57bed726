// The feed: what is in it, and the sender against a receiver that only says OPEN and KEEPALIVE.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { Feed } from '../../../bench/feed/stream.ts';
import { loadPrefixTable, prefixAt } from '../../../bench/feed/table.ts';
import { formatPrefix } from '../../../src/net/prefix.ts';

const nextHop = Uint8Array.of(10, 77, 0, 1);

/** Bodies of the UPDATEs in a stream, cut by their lengths. */
function updatesOf(stream: Uint8Array): Buffer[] {
  const bytes = Buffer.from(stream);
  const updates: Buffer[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const length = bytes.readUInt16BE(offset + 16);
    if (bytes[offset + 18] === 2) updates.push(bytes.subarray(offset + 19, offset + length));
    offset += length;
  }
  return updates;
}

function attributesAndNlri(update: Buffer): { attributes: string; nlri: Buffer } {
  const length = update.readUInt16BE(2); // nothing is withdrawn
  return { attributes: update.toString('hex', 4, 4 + length), nlri: update.subarray(4 + length) };
}

function countPrefixes(nlri: Buffer): number {
  let count = 0;
  for (let offset = 0; offset < nlri.length; offset += 1 + ((nlri[offset]! + 7) >> 3)) count++;
  return count;
}

describe('the feed without data', () => {
  const earlier = process.env['RUTTER_DATA'];
  afterEach(() => {
    if (earlier === undefined) delete process.env['RUTTER_DATA'];
    else process.env['RUTTER_DATA'] = earlier;
  });

  async function synthetic(count: number) {
    process.env['RUTTER_DATA'] = '/nonexistent';
    return loadPrefixTable(count);
  }

  it('has as many distinct, announceable prefixes as asked, the same every time', async () => {
    const table = await synthetic(5000);
    expect(table.realCount).toBe(0);
    const texts = Array.from({ length: 5000 }, (_, route) => formatPrefix(prefixAt(table, route)));
    expect(new Set(texts).size).toBe(5000);
    expect(texts.filter((text) => /^(0|10|127|192\.168|22[4-9]|2[34]\d)\./.test(text))).toEqual([]);
    expect(await synthetic(5000)).toEqual(table);
  });

  it('sends eight prefixes per UPDATE, an attribute set each, and End-of-RIB', async () => {
    const feed = new Feed(await synthetic(8001), { localAs: 65001, nextHop });
    const updates = updatesOf(feed.encodeTable());
    expect(updates.at(-1)).toEqual(Buffer.alloc(4)); // RFC 4724 §2
    const parts = updates.slice(0, -1).map(attributesAndNlri);
    expect(parts.map(({ nlri }) => countPrefixes(nlri))).toEqual([...Array(1000).fill(8), 1]);
    expect(new Set(parts.map(({ attributes }) => attributes)).size).toBe(1001);
  });

  it('changes the next hop of one route and nothing else', async () => {
    const feed = new Feed(await synthetic(16), { localAs: 65001, nextHop });
    const whole = attributesAndNlri(updatesOf(feed.encodeTable())[1]!);
    const [update] = updatesOf(feed.encodeChange(8, Uint8Array.of(10, 77, 0, 3)));
    const changed = attributesAndNlri(update!);
    expect(changed.attributes).toBe(whole.attributes.replace('0a4d0001', '0a4d0003'));
    expect(whole.nlri.subarray(0, changed.nlri.length)).toEqual(changed.nlri);
    expect(countPrefixes(changed.nlri)).toBe(1);
  });
});

describe('the sender', () => {
  it('establishes, sends the table, changes a route on request, and ends when told', async () => {
    const received: Buffer[] = [];
    const server = createServer((socket) => answerAsReceiver(socket, received)).listen(
      0,
      '127.0.0.1',
    );
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const child = spawn(
      process.execPath,
      [
        join(import.meta.dirname, '../../../bench/feed.ts'),
        ...['--connect', `127.0.0.1:${port}`, '--routes', '40', '--wait'],
      ],
      { env: { ...process.env, RUTTER_DATA: '/nonexistent' }, stdio: ['pipe', 'pipe', 'inherit'] },
    );
    const events: { event: string; at: number }[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      const event = JSON.parse(line) as { event: string; at: number };
      events.push(event);
      if (event.event === 'established') child.stdin.write('send\n');
      if (event.event === 'acknowledged') child.stdin.write('change 3 10.77.0.3\n');
      if (event.event === 'changed') child.stdin.write('quit\n');
    }
    server.close();
    expect(events.map(({ event }) => event).slice(0, 6)).toEqual([
      'ready',
      'established',
      'begin',
      'taken',
      'acknowledged',
      'changed',
    ]);
    expect(events.every(({ at }, index) => index === 0 || at >= events[index - 1]!.at)).toBe(true);
    expect(updatesOf(Buffer.concat(received))).toHaveLength(5 + 1 + 1);
  });
});

/** Answers the OPEN with the same OPEN from another router id, and a KEEPALIVE. */
function answerAsReceiver(socket: Socket, received: Buffer[]): void {
  socket.once('data', (open: Buffer) => {
    const answer = Buffer.from(open);
    answer.set([10, 77, 0, 2], 24);
    const keepalive = Buffer.from([...Array(16).fill(0xff), 0, 19, 4]);
    socket.write(Buffer.concat([answer, keepalive]));
    received.push(open);
    socket.on('data', (chunk: Buffer) => received.push(chunk));
  });
  socket.on('error', () => undefined);
}
