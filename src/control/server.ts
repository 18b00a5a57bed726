// The agent's HTTP/JSON: the control socket (everything), and a TCP listener that only reads (metrics, health, looking glass).
import { chmod, mkdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import { type AgentView, BadQuestion } from './agent-view.ts';

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Serves `view` on a unix socket and, when given, on a TCP address. The returned function closes both. */
export async function serveControl(
  view: AgentView,
  socketPath: string,
  http: ListenAddress | undefined,
): Promise<() => Promise<void>> {
  const control = fastify();
  addReading(control, view);
  addOperating(control, view);
  await claimSocket(socketPath);
  await control.listen({ path: socketPath });
  await chmod(socketPath, 0o660);
  if (http === undefined) return () => control.close();

  const looking = fastify();
  addReading(looking, view);
  try {
    await looking.listen(http);
  } catch (cause) {
    await control.close();
    throw new Error(`http.listen: cannot listen on ${http.host}:${http.port}`, { cause });
  }
  return async () => {
    await Promise.all([control.close(), looking.close()]);
  };
}

/** Routes that change nothing. */
function addReading(server: FastifyInstance, view: AgentView): void {
  refuseBadQuestions(server);
  server.get('/healthz', () => ({ alive: true }));
  server.get('/readyz', (_request, reply) => {
    const ready = view.isReady();
    return reply.code(ready ? 200 : 503).send({ ready });
  });
  server.get('/metrics', async (_request, reply) =>
    reply.type(METRICS_TYPE).send(await view.metrics()),
  );
  server.get('/v1/status', () => view.status());
  server.get('/v1/peers', () => view.peers());
  server.get('/v1/networks', () => view.networks());
  server.get('/v1/routes', ({ query }, reply) =>
    sendLines(reply, view.routes(readQuery(query, routesKeys))),
  );
  server.get('/v1/lookup', ({ query }) => view.lookup(readLookup(query)));
  server.get('/v1/explain', ({ query }) => view.explain(readExplain(query)));
  server.get('/v1/forwarding', ({ query }, reply) =>
    sendLines(reply, view.forwarding(readQuery(query, networkKeys))),
  );
  server.get('/v1/places', () => view.places());
  server.get('/v1/drift', ({ query }, reply) =>
    sendLines(reply, view.drift(readQuery(query, networkKeys))),
  );
}

const networkKeys = ['network'] as const;
const routesKeys = ['network', 'family', 'stage', 'peer', 'prefix', 'match', 'why'] as const;

/** Every key is known and given once. */
function readQuery<Key extends string>(
  query: unknown,
  keys: readonly Key[],
): Partial<Record<Key, string>> {
  for (const [key, value] of Object.entries(query as Record<string, unknown>)) {
    if (!keys.some((known) => known === key)) {
      throw new BadQuestion(`parameter ${key}, expected one of ${keys.join(', ')}`);
    }
    if (typeof value !== 'string') throw new BadQuestion(`parameter ${key} twice, expected once`);
  }
  return query as Partial<Record<Key, string>>;
}

function readLookup(query: unknown): { readonly network?: string; readonly address: string } {
  const { address, ...rest } = readQuery(query, ['network', 'address']);
  if (address === undefined) throw new BadQuestion('no parameter address, expected an IP address');
  return { ...rest, address };
}

function readExplain(query: unknown): {
  readonly network?: string;
  readonly peer?: string;
  readonly prefix: string;
} {
  const { prefix, ...rest } = readQuery(query, ['network', 'peer', 'prefix']);
  if (prefix === undefined) throw new BadQuestion('no parameter prefix, expected ADDRESS/LENGTH');
  return { ...rest, prefix };
}

function readReplay(query: unknown): { readonly peer: string } {
  const { peer } = readQuery(query, ['peer']);
  if (peer === undefined) throw new BadQuestion('no parameter peer, expected the name of a peer');
  return { peer };
}

function readNetwork(body: unknown): object {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body;
  throw new BadQuestion('body, expected a network as JSON');
}

/** Routes that change something: only on the unix socket, whose file mode is the permission. */
function addOperating(server: FastifyInstance, view: AgentView): void {
  // The body of a replay is a stream of any length: it is read as it comes, never collected.
  server.addContentTypeParser('application/octet-stream', (_request, payload, done) =>
    done(null, payload),
  );
  server.post<{ Body: Readable | undefined }>('/v1/replay', ({ query, body }) =>
    view.replay(readReplay(query), body ?? Readable.from([])),
  );
  server.put<{ Params: { name: string } }>('/v1/networks/:name', ({ params, body }) =>
    view.putNetwork(params.name, readNetwork(body)),
  );
  server.delete<{ Params: { name: string } }>('/v1/networks/:name', ({ params }) =>
    view.removeNetwork(params.name),
  );
  server.post('/v1/flush', ({ query }) => view.flush(readQuery(query, networkKeys)));
  server.post('/v1/release', ({ query }) => view.release(readQuery(query, networkKeys)));
}

function refuseBadQuestions(server: FastifyInstance): void {
  server.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status = error instanceof BadQuestion ? 400 : (error.statusCode ?? 500);
    return reply.code(status).send({ statusCode: status, message: error.message });
  });
}

/** Newline-delimited JSON. The first object is awaited first, so that a bad question still becomes a status code. */
async function sendLines(
  reply: FastifyReply,
  objects: AsyncIterable<object>,
): Promise<FastifyReply> {
  const iterator = objects[Symbol.asyncIterator]();
  const first = await iterator.next();
  return reply.type('application/x-ndjson').send(Readable.from(lines(first, iterator)));
}

const LINES_PER_CHUNK = 512; // one write per few hundred objects: a million single writes would be all overhead

async function* lines(
  first: IteratorResult<object>,
  rest: AsyncIterator<object>,
): AsyncGenerator<string> {
  let text = '';
  let count = 0;
  try {
    for (let item = first; !item.done; item = await rest.next()) {
      text += `${JSON.stringify(item.value)}\n`;
      if (++count % LINES_PER_CHUNK === 0) {
        yield text;
        text = '';
      }
    }
  } catch (error) {
    text += `${JSON.stringify({ error: (error as Error).message })}\n`;
  } finally {
    await rest.return?.();
  }
  if (text !== '') yield text;
}

/** Makes the socket's folder, and removes a socket that nobody listens on any more (a killed agent leaves its file). */
async function claimSocket(socketPath: string): Promise<void> {
  await mkdir(dirname(socketPath), { recursive: true });
  if (await isAnswering(socketPath)) {
    throw new Error(`control.socket: another agent listens on ${socketPath}`);
  }
  await rm(socketPath, { force: true });
}

function isAnswering(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socketPath);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}
