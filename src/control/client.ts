// The client of the agent's control socket: HTTP/JSON over a unix socket. What the CLI asks a running agent goes through here.
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export type Query = Readonly<Record<string, string>>;

/** The agent answered with an error, or could not be asked at all. */
export class ControlError extends Error {
  /** `no-agent`: nothing listens there; `refused`: the agent's own error; `broken`: the answer was not what the API says. */
  readonly code: 'no-agent' | 'refused' | 'broken';

  constructor(code: 'no-agent' | 'refused' | 'broken', message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

export class ControlClient {
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /** One JSON document. */
  async get(path: string, query: Query = {}): Promise<unknown> {
    return JSON.parse(await this.#text(await this.#send('GET', path, query)));
  }

  /** One object per line of the answer (application/x-ndjson), as they arrive. */
  async *stream(path: string, query: Query = {}): AsyncIterable<Record<string, unknown>> {
    const response = await this.#send('GET', path, query);
    for await (const line of createInterface({ input: response, crlfDelay: Infinity })) {
      if (line === '') continue;
      const object = JSON.parse(line) as Record<string, unknown>;
      if (typeof object['error'] === 'string' && Object.keys(object).length === 1) {
        throw new ControlError('refused', object['error']); // the answer had begun when it failed
      }
      yield object;
    }
    if (!response.complete) throw new ControlError('broken', 'the agent closed the answer early');
  }

  async post(path: string, query: Query = {}, body?: AsyncIterable<Uint8Array>): Promise<unknown> {
    const text = await this.#text(await this.#send('POST', path, query, body));
    return text === '' ? undefined : JSON.parse(text);
  }

  /** `object` goes as JSON. */
  async put(path: string, object: object): Promise<unknown> {
    const body = [Buffer.from(JSON.stringify(object))];
    const response = await this.#send('PUT', path, {}, body, 'application/json');
    return JSON.parse(await this.#text(response));
  }

  async delete(path: string): Promise<unknown> {
    return JSON.parse(await this.#text(await this.#send('DELETE', path, {})));
  }

  async #send(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    query: Query,
    body?: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    type = 'application/octet-stream',
  ): Promise<IncomingMessage> {
    const search = new URLSearchParams(query).toString();
    const outgoing = request({
      socketPath: this.#socketPath,
      method,
      path: search === '' ? path : `${path}?${search}`,
      headers: body === undefined ? {} : { 'content-type': type },
    });
    const answered = this.#answer(outgoing);
    if (body === undefined) outgoing.end();
    else await Promise.race([pipeline(Readable.from(body), outgoing), answered]);
    const response = await answered;
    if ((response.statusCode ?? 500) < 400) return response;
    throw new ControlError('refused', errorText(await this.#text(response)));
  }

  #answer(outgoing: ClientRequest): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      outgoing.once('response', resolve);
      outgoing.once('error', (cause: NodeJS.ErrnoException) => {
        const isAbsent = cause.code === 'ENOENT' || cause.code === 'ECONNREFUSED';
        const message = isAbsent
          ? `no agent listens on ${this.#socketPath}`
          : `control socket ${this.#socketPath}: ${cause.message}`;
        // That nobody listens is the whole story: the system's words for it would be a second clause.
        reject(
          isAbsent
            ? new ControlError('no-agent', message)
            : new ControlError('broken', message, cause),
        );
      });
    });
  }

  async #text(response: IncomingMessage): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString('utf8');
  }
}

/** Fastify's error body is {statusCode, error, message}; anything else is shown as it came. */
function errorText(body: string): string {
  try {
    const parsed = JSON.parse(body) as { message?: unknown };
    return typeof parsed.message === 'string' ? parsed.message : body;
  } catch {
    return body;
  }
}
