// JSON-RPC 1.0 over a byte stream, both ways (RFC 7047 §4): requests with their answers, notifications, echo.
//
// Messages are handled in the order of the stream, each to its end before the next: a request's `accept` runs at the moment
// its answer is read, so nothing that follows in the same chunk can overtake it. Promises resolve after that.
import type { Duplex } from 'node:stream';
import { describeServerError, OvsdbError } from './errors.ts';
import { JsonScanner } from './json-scanner.ts';

export interface JsonRpcHandlers {
  notification(method: string, params: readonly unknown[]): void;
  /** Called once, when the stream has ended for whatever reason. */
  closed(error: OvsdbError): void;
}

interface PendingRequest {
  readonly method: string;
  settle(result: unknown): void;
  reject(error: OvsdbError): void;
}

interface Message {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: readonly unknown[];
  readonly result?: unknown;
  readonly error?: unknown;
}

export class JsonRpc {
  readonly #stream: Duplex;
  readonly #handlers: JsonRpcHandlers;
  readonly #scanner = new JsonScanner();
  readonly #pending = new Map<number, PendingRequest>();
  #nextId = 1;
  #closed: OvsdbError | undefined;
  /** Number of chunks read: proof that the other side lives. */
  receivedCount = 0;

  constructor(stream: Duplex, handlers: JsonRpcHandlers) {
    this.#stream = stream;
    this.#handlers = handlers;
    stream.on('data', (chunk: Buffer) => this.#receive(chunk));
    stream.on('error', (cause) => this.close(lost(cause.message, cause)));
    stream.on('close', () => this.close(lost('closed by the server')));
  }

  /** Sends a request. `accept` sees the result first, at once; what it throws rejects the promise. */
  request<T = unknown>(
    method: string,
    params: unknown,
    accept: (result: unknown) => T = (result) => result as T,
  ): Promise<T> {
    return this.requestText(method, JSON.stringify(params), accept);
  }

  /** The same with parameters that are JSON text already. */
  requestText<T = unknown>(
    method: string,
    paramsText: string,
    accept: (result: unknown) => T,
  ): Promise<T> {
    const closed = this.#closed;
    if (closed) return Promise.reject(new OvsdbError('not-connected', closed.message));
    const id = this.#nextId++;
    return new Promise<T>((resolve, reject) => {
      const settle = (result: unknown): void => {
        try {
          resolve(accept(result));
        } catch (error) {
          reject(error);
        }
      };
      this.#pending.set(id, { method, settle, reject });
      this.#stream.write(`{"id":${id},"method":"${method}","params":${paramsText}}`);
    });
  }

  /** Ends the stream; requests without an answer are rejected with `connection-lost`. */
  close(error: OvsdbError): void {
    if (this.#closed) return;
    this.#closed = error;
    this.#stream.destroy();
    for (const { method, reject } of this.#pending.values()) {
      reject(
        new OvsdbError('connection-lost', `no answer to ${method}: ${error.message}`, {
          cause: error,
        }),
      );
    }
    this.#pending.clear();
    this.#handlers.closed(error);
  }

  #receive(chunk: Buffer): void {
    this.receivedCount++;
    try {
      this.#scanner.push(chunk, (text) => {
        if (!this.#closed) this.#handle(JSON.parse(text) as Message);
      });
    } catch (cause) {
      if (cause instanceof OvsdbError) this.close(cause);
      else this.close(new OvsdbError('protocol', (cause as Error).message, { cause }));
    }
  }

  #handle(message: Message): void {
    if (message.method === undefined) this.#handleAnswer(message);
    else if (message.id === null || message.id === undefined) {
      this.#handlers.notification(message.method, message.params ?? []);
    } else this.#handleRequest(message);
  }

  /** RFC 7047 §4.1.11: echo is answered by either side. A server asks nothing else. */
  #handleRequest({ id, method, params }: Message): void {
    const answer =
      method === 'echo'
        ? { id, result: params, error: null }
        : { id, result: null, error: 'unknown method' };
    this.#stream.write(JSON.stringify(answer));
  }

  #handleAnswer({ id, result, error }: Message): void {
    const pending = this.#pending.get(id as number);
    if (!pending) return;
    this.#pending.delete(id as number);
    if (error === null || error === undefined) {
      pending.settle(result);
      return;
    }
    const { serverError, details } = describeServerError(error);
    pending.reject(
      new OvsdbError('request-refused', `${pending.method} refused: ${details}`, { serverError }),
    );
  }
}

function lost(reason: string, cause?: Error): OvsdbError {
  return new OvsdbError('connection-lost', `connection lost: ${reason}`, { cause });
}
