// The thread that follows the kernel, seen from the main thread: started again when it dies, and heard in slices.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { FollowerOptions, KernelSourceMessage } from '../sources/kernel/messages.ts';
import { Inbox } from './inbox.ts';

const RESTART_DELAY_MS = 1000;

/** The same file as source in a checkout and compiled in a package. */
const workerFile = new URL(
  import.meta.url.endsWith('.ts') ? './kernel.worker.ts' : './kernel.worker.js',
  import.meta.url,
);

export interface KernelListener {
  readonly onMessage: (message: KernelSourceMessage) => void;
  /** The thread has died: what it told is stale until it has told everything again. */
  readonly onLost: (reason: string) => void;
}

export class KernelSourceWorker {
  readonly #file: URL;
  readonly #options: FollowerOptions;
  readonly #listener: KernelListener;
  #worker: Worker | undefined;
  #restart: NodeJS.Timeout | undefined;

  /** `file`: the worker's entry, for tests. */
  constructor(options: FollowerOptions, listener: KernelListener, file: URL = workerFile) {
    this.#file = file;
    this.#options = options;
    this.#listener = listener;
  }

  start(): void {
    const worker = new Worker(this.#file, { workerData: this.#options });
    this.#worker = worker;
    let reason = 'the thread has ended';
    const inbox = new Inbox<KernelSourceMessage>((message) => {
      if (worker === this.#worker) this.#listener.onMessage(message);
    });
    worker.on('message', (message: KernelSourceMessage) => inbox.put(message));
    worker.on('error', (error: Error) => {
      reason = error.message;
    });
    worker.on('exit', () => this.#ended(worker, reason));
  }

  async stop(): Promise<void> {
    clearTimeout(this.#restart);
    const worker = this.#worker;
    this.#worker = undefined;
    if (worker === undefined) return;
    const ended = once(worker, 'exit');
    worker.postMessage('stop'); // It ends the processes it started.
    await ended;
  }

  #ended(worker: Worker, reason: string): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    this.#listener.onLost(reason);
    this.#restart = setTimeout(() => this.start(), RESTART_DELAY_MS);
  }
}
