// JSON-RPC 1.0 over a byte stream, both ways (RFC 7047 §4): requests with their answers, notifications, echo.
//
// Messages are handled in the order of the stream, each to its end before the next: a request's `accept` runs at the moment
// its answer is handled, so nothing that follows in the same chunk can overtake it. Promises resolve after that.
//
// Requests made "in turn" (transactions) are on the wire one at a time. The next one is written when the answer to the one
// before is seen in the stream, before that answer and the updates that precede it are handled: the server works on the next
// transaction while we take in the last. So when there is much to handle and an answer is due, it waits a moment for that answer,
// and for the next request to leave us whole: a large one does not fit into the socket's buffer at once.
//
// A message of many rows (the first answer of a monitor has them all) is parsed and handled in slices, one per turn of the event loop. What follows
// waits until it is done, in the socket: nothing is read meanwhile.
import type { Duplex } from 'node:stream';
import { describeServerError, OvsdbError } from './errors.ts';
import { JsonScanner } from './json-scanner.ts';
import { parseInSlices } from './json-slices.ts';
import { atOnce, type Sliced } from './slices.ts';

export interface JsonRpcHandlers {
  notification(method: string, params: readonly unknown[]): Sliced<void>;
  /** Called once, when the stream has ended for whatever reason. */
  closed(error: OvsdbError): void;
}

interface PendingRequest {
  readonly method: string;
  settle(result: unknown): Sliced<void>;
  reject(error: OvsdbError): void;
}

/** A request that waits for its turn. */
interface WaitingRequest {
  readonly id: number;
  readonly text: string;
}

/** Messages up to this length in sum are handled at once. */
const SMALL_INBOX_LENGTH = 16_384;

/** A message longer than this is parsed in slices. */
const LONG_MESSAGE_LENGTH = 256 * 1024;

/** How long a large inbox waits for the answer on the wire, which the server writes right after its updates. */
const ANSWER_GRACE_MS = 2;

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
  /** Whole messages that are not handled yet. */
  #inbox: string[] = [];
  #inboxLength = 0;
  #handling: NodeJS.Timeout | undefined;
  /** The messages being handled, when one of them is long. */
  #work: Sliced<void> | undefined;
  #isWorking = false;
  /** Requests in turn: the one on the wire, and those that wait. */
  #onWire: number | undefined;
  readonly #waiting: WaitingRequest[] = [];
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
    return this.#request(method, atOnce(accept), (id) => {
      this.#stream.write(requestText(id, method, JSON.stringify(params)));
    });
  }

  /** A request with a long answer: `accept` takes it in slices, before anything that follows is handled. */
  requestInSlices<T>(
    method: string,
    params: unknown,
    accept: (result: unknown) => Sliced<T>,
  ): Promise<T> {
    return this.#request(method, accept, (id) => {
      this.#stream.write(requestText(id, method, JSON.stringify(params)));
    });
  }

  /** A request that is sent when all before it that were made in turn are answered. Its parameters are JSON text already. */
  requestInTurn<T>(method: string, paramsText: string, accept: (result: unknown) => T): Promise<T> {
    return this.#request(method, atOnce(accept), (id) => {
      this.#waiting.push({ id, text: requestText(id, method, paramsText) });
      this.#sendNext();
    });
  }

  #request<T>(
    method: string,
    accept: (result: unknown) => Sliced<T>,
    send: (id: number) => void,
  ): Promise<T> {
    const closed = this.#closed;
    if (closed) return Promise.reject(new OvsdbError('not-connected', closed.message));
    const id = this.#nextId++;
    return new Promise<T>((resolve, reject) => {
      const settle = function* (result: unknown): Sliced<void> {
        try {
          resolve(yield* accept(result));
        } catch (error) {
          reject(error);
        }
      };
      this.#pending.set(id, { method, settle, reject });
      send(id);
    });
  }

  #sendNext(): void {
    if (this.#onWire !== undefined) return;
    const next = this.#waiting.shift();
    if (!next) return;
    this.#onWire = next.id;
    this.#stream.write(next.text, () => this.#handleInbox());
  }

  /** Ends the stream; requests without an answer are rejected with `connection-lost`. */
  close(error: OvsdbError): void {
    this.#handleInbox(); // what has arrived has arrived
    while (this.#work !== undefined && !this.#isWorking) this.#doSlice();
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
    this.#guard(() => {
      this.#scanner.push(chunk, (text) => {
        this.#inbox.push(text);
        this.#inboxLength += text.length;
        if (this.#onWire !== undefined && answeredId(text) === this.#onWire) this.#turnEnds();
      });
    });
    if (this.#inboxLength <= SMALL_INBOX_LENGTH || this.#onWire === undefined) this.#handleInbox();
    else this.#handling ??= setTimeout(() => this.#handleInbox(), ANSWER_GRACE_MS);
  }

  #turnEnds(): void {
    this.#onWire = undefined;
    this.#sendNext();
  }

  #handleInbox(): void {
    clearTimeout(this.#handling);
    this.#handling = undefined;
    if (this.#work !== undefined) return; // It comes to what is in the inbox.
    this.#work = this.#handleAll();
    this.#doSlice();
    if (this.#work !== undefined) this.#continue();
  }

  /** The rest in later turns; nothing more is read until then. */
  #continue(): void {
    this.#stream.pause();
    setImmediate(() => {
      this.#doSlice();
      if (this.#work !== undefined) this.#continue();
      else if (this.#closed === undefined) this.#stream.resume();
    });
  }

  #doSlice(): void {
    const work = this.#work;
    if (work === undefined) return;
    let isDone: boolean | undefined = true;
    this.#isWorking = true;
    this.#guard(() => {
      isDone = work.next().done;
    });
    this.#isWorking = false;
    if (isDone) this.#work = undefined;
  }

  *#handleAll(): Sliced<void> {
    while (this.#inbox.length > 0) {
      const texts = this.#inbox;
      this.#inbox = [];
      this.#inboxLength = 0;
      for (const text of texts) {
        if (this.#closed) return;
        const isLong = text.length > LONG_MESSAGE_LENGTH;
        yield* this.#handle((isLong ? yield* parseInSlices(text) : JSON.parse(text)) as Message);
      }
    }
  }

  /** What the other side says wrong ends the stream, not us. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (cause) {
      if (cause instanceof OvsdbError) this.close(cause);
      else this.close(new OvsdbError('protocol', (cause as Error).message, { cause }));
    }
  }

  *#handle(message: Message): Sliced<void> {
    if (message.method === undefined) yield* this.#handleAnswer(message);
    else if (message.id === null || message.id === undefined) {
      yield* this.#handlers.notification(message.method, message.params ?? []);
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

  *#handleAnswer({ id, result, error }: Message): Sliced<void> {
    const pending = this.#pending.get(id as number);
    if (!pending) return;
    this.#pending.delete(id as number);
    // Seen only now: the server does not write the id first.
    if (id === this.#onWire) this.#turnEnds();
    if (error === null || error === undefined) {
      yield* pending.settle(result);
      return;
    }
    const { serverError, details } = describeServerError(error);
    pending.reject(
      new OvsdbError('request-refused', `${pending.method} refused: ${details}`, { serverError }),
    );
  }
}

function requestText(id: number, method: string, paramsText: string): string {
  return `{"id":${id},"method":"${method}","params":${paramsText}}`;
}

/** The id of an answer whose text begins with it, as ovsdb-server writes them; undefined for anything else. */
function answeredId(text: string): number | undefined {
  const match = /^\{"id":(\d+),/.exec(text);
  return match ? Number(match[1]) : undefined;
}

function lost(reason: string, cause?: Error): OvsdbError {
  return new OvsdbError('connection-lost', `connection lost: ${reason}`, { cause });
}
