// Where sinks run: one piscina pool of one thread per target, so that no target waits for another.
//
// `atomics: 'disabled'`: an idle piscina worker otherwise sleeps in Atomics.wait, and the sink's own sockets and timers with it.
// Answers and events come over one port per opened sink, in the order they were said. A worker that dies takes the port with it:
// `onLost` says so, and open() starts the sink anew in a fresh thread. Messages that come in a heap (a snapshot of a million routes) are
// taken in slices, so that the main loop is not held.
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { FibBatchMessage } from '../core/records.ts';
import type { ApplyResult } from '../sinks/sink.ts';
import type { TargetListener, TargetWorker } from '../sinks/target-worker.ts';
import { Inbox } from './inbox.ts';
import type { SinkMessage, SinkOptions, SinkReply, SinkTask } from './messages.ts';

interface Waiting {
  readonly resolve: (reply: SinkReply) => void;
  readonly reject: (error: Error) => void;
}

/** The same file as source in a checkout and compiled in a package. */
const workerFile = new URL(
  import.meta.url.endsWith('.ts') ? './sink.worker.ts' : './sink.worker.js',
  import.meta.url,
);

/** The worker is gone; what it was doing may or may not be done. */
class WorkerLost extends Error {
  readonly code = 'worker-lost';
}

export class SinkWorker implements TargetWorker {
  readonly #options: SinkOptions;
  readonly #pool: Piscina;
  #port: MessagePort | undefined;
  /** Who waits for an answer, in the order of their tasks: one thread does them in that order. */
  #waiting: Waiting[] = [];

  /** `file`: the worker's entry, for tests. */
  constructor(options: SinkOptions, file: URL = workerFile) {
    this.#options = options;
    this.#pool = new Piscina({
      filename: file.href,
      minThreads: 1,
      maxThreads: 1,
      concurrentTasksPerWorker: 1,
      atomics: 'disabled',
    });
    // A worker that dies without a task: the port's end tells the reconciler.
    this.#pool.on('error', () => undefined);
  }

  async open(listener: TargetListener, isTaken: boolean): Promise<void> {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const inbox = new Inbox<SinkMessage>((message) => {
      if (port1 === this.#port) this.#hear(message, listener); // What a lost worker said is void.
    });
    port1.on('message', (message: SinkMessage) => inbox.put(message));
    port1.on('close', () => this.#lose(port1, listener));
    await this.#ask({ type: 'open', sink: this.#options, isTaken, events: port2 }, [port2]);
  }

  async apply(batch: FibBatchMessage): Promise<ApplyResult> {
    const reply = await this.#ask({ type: 'apply', batch }, [batch.buffer]);
    if (reply.type !== 'applied') throw new Error(`answer ${reply.type}, expected applied`);
    return reply.result;
  }

  /** Before the sink is opened, and after its thread is lost, there is nobody to tell: open() tells them. */
  block(isTaken: boolean): void {
    if (this.#port === undefined) return;
    this.#ask({ type: 'block', isTaken }, []).catch(() => undefined);
  }

  async flush(): Promise<{ removedCount: number }> {
    const reply = await this.#ask({ type: 'flush' }, []);
    if (reply.type !== 'flushed') throw new Error(`answer ${reply.type}, expected flushed`);
    return { removedCount: reply.removedCount };
  }

  /** Ends the sink and its thread; routes stay (P3). */
  async close(): Promise<void> {
    const port = this.#port;
    if (port !== undefined) await this.#ask({ type: 'close' }, []).catch(() => undefined);
    this.#port = undefined;
    port?.close();
    await this.#pool.destroy();
  }

  #ask(task: SinkTask, transferList: readonly (ArrayBuffer | MessagePort)[]): Promise<SinkReply> {
    const { promise, resolve, reject } = Promise.withResolvers<SinkReply>();
    const waiting = { resolve, reject };
    this.#waiting.push(waiting);
    // Late news of a lost thread concerns this task alone, not the next one.
    this.#pool.run(task, { transferList: [...transferList] }).catch((cause: Error) => {
      this.#waiting = this.#waiting.filter((each) => each !== waiting);
      reject(new WorkerLost(cause.message, { cause }));
    });
    return promise;
  }

  #hear(message: SinkMessage, listener: TargetListener): void {
    switch (message.type) {
      case 'opened':
      case 'blocked':
      case 'applied':
      case 'flushed':
      case 'closed':
        this.#answer(message);
        break;
      case 'failed':
        this.#answer(undefined, new Error(message.message));
        break;
      default:
        listener.onEvent(message);
    }
  }

  #answer(reply: SinkReply | undefined, error?: Error): void {
    const waiting = this.#waiting.shift();
    if (reply !== undefined) waiting?.resolve(reply);
    else waiting?.reject(error!);
  }

  #lose(port: MessagePort, listener: TargetListener): void {
    if (port !== this.#port) return;
    this.#port = undefined;
    while (this.#waiting.length > 0) {
      this.#answer(undefined, new WorkerLost('the worker has ended'));
    }
    listener.onLost('the worker has ended');
  }
}
