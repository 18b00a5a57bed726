// One living `ip -force -batch -`: lines go in through its stdin, refusals come back per line.
//
// The child stays between runs, so that a single change costs no process start (about 0.2 ms instead of 4). It remembers device
// names: when links change, `renew` lets the next run start a new one. Lines are made while the child works on earlier ones, one chunk
// ahead of the pipe, so that it finds work whenever it looks; a full pipe holds the maker back.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { BatchReport, END_COMMAND, type LineFailure } from './batch-report.ts';
import { endOf, IpError, ipArguments } from './command.ts';
import { LineSplitter } from './line-splitter.ts';

/** Text handed to the pipe at once: little at first, so that the child has something to do, then more. */
const FIRST_CHUNK_CHARACTERS = 4 * 1024;
const CHUNK_CHARACTERS = 64 * 1024;
/** iproute2 counts lines in a C int: a child is replaced long before that wraps. */
const MAX_LINES_PER_CHILD = 1 << 30;

type Child = ChildProcessByStdio<Writable, null, Readable>;

interface Run {
  readonly report: BatchReport;
  endLine: number;
  readonly resolve: (failures: LineFailure[]) => void;
  readonly reject: (error: Error) => void;
}

export class IpBatch {
  readonly #namespace: string | undefined;
  #child: Child | undefined;
  #lineCount = 0;
  #run: Run | undefined;

  constructor(namespace: string | undefined) {
    this.#namespace = namespace;
  }

  /**
   * Feeds the lines (without newlines) and resolves with those that were refused, in order, when all are done. Rejects when the
   * child died: then it is not known which lines were done. One run at a time.
   */
  async run(lines: Iterable<string>): Promise<LineFailure[]> {
    if (this.#lineCount > MAX_LINES_PER_CHILD) this.renew();
    const child = this.#child ?? this.#start();
    const { promise, resolve, reject } = Promise.withResolvers<LineFailure[]>();
    promise.catch(() => undefined); // Also awaited below; a death during feeding must not count as unhandled.
    const report = new BatchReport(this.#lineCount + 1);
    this.#run = { report, endLine: -1, resolve, reject };
    let room: Promise<unknown> | undefined;
    for (const chunk of this.#chunks(lines)) {
      await room;
      room = child.stdin.write(chunk, 'latin1') ? undefined : this.#room(child, promise);
    }
    this.#run.endLine = ++this.#lineCount;
    child.stdin.write(`${END_COMMAND}\n`);
    return promise;
  }

  /** Starts the child, if there is none, so that the next run need not wait for it. */
  prepare(): void {
    if (this.#child === undefined) this.#start();
  }

  /** Forgets what the child knows of devices: the next run starts a new one. */
  renew(): void {
    this.#child?.stdin.end();
    this.#child = undefined;
    this.#lineCount = 0;
  }

  /** Lets the child end after what it was given. */
  close(): void {
    this.renew();
  }

  /** When the pipe takes more, or the child is dead. The run's last chunk is followed by nothing that asks. */
  #room(child: Child, ended: Promise<unknown>): Promise<unknown> {
    const room = Promise.race([once(child.stdin, 'drain'), ended]);
    room.catch(() => undefined);
    return room;
  }

  *#chunks(lines: Iterable<string>): Generator<string> {
    let chunk = '';
    let enough = FIRST_CHUNK_CHARACTERS;
    for (const line of lines) {
      this.#lineCount++;
      chunk += `${line}\n`;
      if (chunk.length < enough) continue;
      yield chunk;
      chunk = '';
      enough = CHUNK_CHARACTERS;
    }
    if (chunk !== '') yield chunk;
  }

  #start(): Child {
    const args = ipArguments(this.#namespace, ['-force', '-batch', '-']);
    // In a process group of its own: Ctrl-C on a terminal ends the agent, which may want to flush, and not what it writes with.
    const child = spawn('ip', args, { stdio: ['pipe', 'ignore', 'pipe'], detached: true });
    this.#child = child;
    this.#lineCount = 0;
    const lines = new LineSplitter((line) => this.#hear(child, line));
    child.stderr.setEncoding('latin1').on('data', (chunk: string) => lines.push(chunk));
    child.stdin.on('error', () => undefined); // A broken pipe means that the child died: see below.
    endOf(child).then(
      (exit) => this.#died(child, new IpError('ip-failed', `ip -batch ended early (${exit})`)),
      (error: Error) => this.#died(child, error),
    );
    return child;
  }

  #hear(child: Child, line: string): void {
    const run = this.#run;
    if (child !== this.#child || run === undefined) return;
    if (!run.report.take(line, run.endLine)) return;
    this.#run = undefined;
    run.resolve(run.report.failures);
  }

  #died(child: Child, error: Error): void {
    if (child !== this.#child) return;
    this.#child = undefined;
    const run = this.#run;
    this.#run = undefined;
    run?.reject(error);
  }
}
