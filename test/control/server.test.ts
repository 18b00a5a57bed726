// The agent's HTTP over real sockets, in front of a view that answers from memory.
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AgentView, BadQuestion } from '../../src/control/agent-view.ts';
import { ControlClient } from '../../src/control/client.ts';
import { serveControl } from '../../src/control/server.ts';
import { createMetrics } from '../../src/observe/metrics.ts';

/** How many objects of the endless listing were asked for. */
let pulled = 0;
let ready = true;

const view: AgentView = {
  status: () => ({ node: 'node' }),
  peers: () => [{ name: 'tor-a' }],
  networks: () => [],
  async *routes({ stage }) {
    if (stage === 'nowhere') throw new BadQuestion('stage nowhere, expected fib');
    if (stage === 'host') {
      yield { prefix: '10.0.0.0/24' };
      throw new Error('the table went away');
    }
    for (pulled = 0; ; pulled++) yield { prefix: '10.0.0.0/24', filler: 'x'.repeat(200) };
  },
  lookup: ({ address }) => ({ address }),
  explain: (query) => query,
  async *drift() {},
  async *forwarding() {},
  places: () => [],
  replay: async ({ peer }, body) => {
    let bytes = 0;
    for await (const chunk of body) bytes += chunk.length;
    return { peer, bytes };
  },
  putNetwork: async (name, network) => {
    if (name === 'red') throw new BadQuestion('networks[1].name: must be unique, is red');
    return { network: name, given: network };
  },
  removeNetwork: async (name) => ({ network: name, done: 'removed' }),
  flush: async () => ({ removed: 0 }),
  release: () => ({ networks: [] }),
  isReady: () => ready,
  metrics: createMetrics(() => ({
    peers: [
      {
        ...{ peer: 'tor-a', network: 'default', established: true, receivedPrefixes: 3 },
        ...{ acceptedPrefixes: 2, advertisedPrefixes: 1, updates: 4, treatedAsWithdraw: 0 },
        ...{ attributeDiscard: 0, overLimit: 0, outOfMemory: 0 },
      },
    ],
    networks: [{ network: 'blue', waiting: true, announcements: { ready: 2 }, overlapping: 1 }],
    imports: [{ network: 'blue', from: 'default', routes: 7, best: 5 }],
    sources: [],
    targets: [
      {
        ...{ network: 'default', target: 'ovn', ready: true, installed: 2, pending: 0, refused: 0 },
        ...{ held: 0, written: 2, failures: 0, lastBatchSeconds: 0.01 },
        refusedByCode: { limit: 3 },
        ...{ aggregationEnded: true, aggregationFaults: 1, verifiedSeconds: 7 },
      },
    ],
    core: { linearBytes: 1, usedBytes: 1, routes: 3, prefixes: 3 },
    eventLoopWorstSeconds: 0.001,
    eventLoopRecentWorstSeconds: 0.0005,
    restlessPrefixes: 3,
  })),
};

describe('the control API', () => {
  let directory: string;
  let socketPath: string;
  let port: number;
  let close: () => Promise<void>;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'rutter-control-'));
    socketPath = join(directory, 'deeper', 'rutter.sock');
    port = await freePort();
    close = await serveControl(view, socketPath, { host: '127.0.0.1', port });
  });

  afterEach(async () => {
    await close();
    await rm(directory, { recursive: true });
  });

  const ask = async (path: string, { method = 'GET', tcp = false } = {}) => {
    const target = tcp ? { host: '127.0.0.1', port } : { socketPath };
    const outgoing = request({ ...target, path, method, agent: false }).end();
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    let body = '';
    for await (const chunk of response) body += chunk;
    return { status: response.statusCode, body };
  };

  it.each([
    ['/v1/routes?stage=nowhere', 'stage nowhere, expected fib'],
    ['/v1/routes?stage=fib&stage=ovn', 'parameter stage twice, expected once'],
    [
      '/v1/routes?colour=red',
      'parameter colour, expected one of network, family, stage, peer, prefix, match, why',
    ],
    ['/v1/lookup', 'no parameter address, expected an IP address'],
    ['/v1/explain', 'no parameter prefix, expected ADDRESS/LENGTH'],
    ['/v1/drift?peer=a', 'parameter peer, expected one of network'],
  ])('answers %s with 400 and one clause', async (path, message) => {
    const { status, body } = await ask(path);
    expect(status).toBe(400);
    expect(JSON.parse(body)).toEqual({ statusCode: 400, message });
  });

  it('answers the same over TCP, but refuses there whatever changes something', async () => {
    expect(await ask('/v1/status', { tcp: true })).toEqual({
      status: 200,
      body: '{"node":"node"}',
    });
    for (const path of ['/v1/flush', '/v1/release', '/v1/replay?peer=a']) {
      expect((await ask(path, { tcp: true, method: 'POST' })).status).toBe(404);
      expect((await ask(path, { method: 'POST' })).status).toBe(200);
    }
  });

  it('adds, changes and removes networks, over the control socket alone', async () => {
    const client = new ControlClient(socketPath);
    const network = { table: 100, imports: [{ from: 'default' }] };
    expect(await client.put('/v1/networks/blue', network)).toEqual({
      network: 'blue',
      given: network,
    });
    expect(await client.delete('/v1/networks/blue')).toEqual({ network: 'blue', done: 'removed' });
    await expect(client.put('/v1/networks/red', network)).rejects.toThrow('must be unique');
    await expect(client.put('/v1/networks/blue', [1])).rejects.toThrow('expected a network');
    for (const method of ['PUT', 'DELETE']) {
      expect((await ask('/v1/networks/blue', { tcp: true, method })).status).toBe(404);
    }
  });

  it('tells health, readiness and metrics', async () => {
    ready = true;
    expect((await ask('/healthz', { tcp: true })).status).toBe(200);
    expect((await ask('/readyz', { tcp: true })).status).toBe(200);
    ready = false;
    expect((await ask('/readyz', { tcp: true })).status).toBe(503);
    const { body } = await ask('/metrics', { tcp: true });
    const lines = body.trimEnd().split('\n');
    const sample = /^[a-zA-Z_:][\w:]*(\{(\w+="[^"]*",?)+\})? (NaN|-?[\d.e+-]+)$/;
    for (const line of lines)
      expect(line === '' || line.startsWith('# ') || sample.test(line), line).toBe(true);
    expect(lines).toContain('rutter_peer_established{peer="tor-a",network="default"} 1');
    expect(lines).toContain('rutter_network_waiting{network="blue"} 1');
    expect(lines).toContain('rutter_import_routes{network="blue",from="default"} 7');
    expect(lines).toContain('rutter_import_best_routes{network="blue",from="default"} 5');
    expect(lines).toContain('rutter_network_announcements{network="blue",state="ready"} 2');
    expect(lines).toContain('rutter_network_overlapping_prefixes{network="blue"} 1');
    expect(lines).toContain('rutter_target_installed_entries{network="default",target="ovn"} 2');
    expect(lines).toContain('rutter_core_routes 3');
  });

  it('does not read ahead of a slow reader', async () => {
    const outgoing = request({ socketPath, path: '/v1/routes', agent: false }).end();
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    response.pause();
    let seen = -1;
    while (seen !== pulled) {
      seen = pulled;
      await sleep(50);
    }
    expect(pulled).toBeLessThan(20_000);
    outgoing.destroy();
    response.on('error', () => undefined);
  });

  it('tells a failure in the middle of a listing to the client', async () => {
    const stream = new ControlClient(socketPath).stream('/v1/routes', { stage: 'host' });
    const seen: object[] = [];
    await expect(
      (async () => {
        for await (const object of stream) seen.push(object);
      })(),
    ).rejects.toThrow('the table went away');
    expect(seen).toHaveLength(1);
  });

  it('keeps a second agent off its socket, and takes over one that nobody listens on', async () => {
    await expect(serveControl(view, socketPath, undefined)).rejects.toThrow(
      `control.socket: another agent listens on ${socketPath}`,
    );
    await expect(
      new ControlClient(join(directory, 'none')).get('/v1/status'),
    ).rejects.toMatchObject({
      code: 'no-agent',
      message: `no agent listens on ${join(directory, 'none')}`,
      cause: undefined,
    });
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
