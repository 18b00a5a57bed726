// A living `ip monitor`: tells each change of the kernel's routes, next hops, links or addresses as a line.
//
// When the kernel had more to say than the socket could hold, or the child died, changes were missed: `onMissed` says so, and whoever
// needs to know reads again.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { endOf, ipArguments } from './command.ts';
import { LineSplitter } from './line-splitter.ts';
import { type MonitoredObject, type MonitorLine, parseMonitorLine } from './monitor-line.ts';

const RECEIVE_BUFFER_BYTES = 16 * 1024 * 1024;
const RESTART_DELAY_MS = 1000;

export interface MonitorOptions {
  readonly namespace: string | undefined;
  readonly objects: readonly MonitoredObject[];
  readonly onLine: (line: MonitorLine) => void;
  /** After the lines of one read: a good moment to act on all of them. */
  readonly onLull: () => void;
  /** The monitor has died: until `onMissed`, nothing is told. */
  readonly onLost?: (reason: string) => void;
  /** Changes were missed for this reason. */
  readonly onMissed: (reason: string) => void;
}

export class IpMonitor {
  readonly #options: MonitorOptions;
  #child: ChildProcess | undefined;
  #restart: NodeJS.Timeout | undefined;

  constructor(options: MonitorOptions) {
    this.#options = options;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** Resolves when the kernel has been subscribed to: what happens afterwards is told. Rejects when `ip` cannot be started. */
  async start(): Promise<void> {
    const { namespace, objects } = this.#options;
    const buffer = ['-rcvbuf', String(RECEIVE_BUFFER_BYTES)];
    const monitor = ['monitor', 'label', ...objects];
    const args = ipArguments(namespace, ['-N', '-oneline', ...buffer, ...monitor]);
    const child = spawn('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    this.#listen(child);
    const ended = endOf(child);
    ended.then(
      (exit) => this.#ended(child, `ip monitor ended (${exit})`),
      (error: Error) => this.#ended(child, error.message),
    );
    await Promise.race([ended, subscribed(child)]);
  }

  stop(): void {
    clearTimeout(this.#restart);
    const child = this.#child;
    this.#child = undefined;
    child?.kill();
  }

  #listen(child: ChildProcess): void {
    const { onLine, onLull, onMissed } = this.#options;
    const lines = new LineSplitter((text) => {
      const line = parseMonitorLine(text);
      if (line !== undefined) onLine(line);
    });
    child.stdout?.setEncoding('latin1').on('data', (chunk: string) => {
      if (child !== this.#child) return;
      lines.push(chunk);
      onLull();
    });
    // `netlink receive error No buffer space available (105)`: it goes on, with a gap.
    const errors = new LineSplitter((text) => child === this.#child && onMissed(text));
    child.stderr?.setEncoding('latin1').on('data', (chunk: string) => errors.push(chunk));
  }

  #ended(child: ChildProcess, reason: string): void {
    if (child !== this.#child) return;
    this.#child = undefined;
    this.#options.onLost?.(reason);
    this.#restart = setTimeout(() => {
      this.start().then(
        () => this.#options.onMissed(reason),
        () => undefined, // It ended again: this runs again.
      );
    }, RESTART_DELAY_MS);
  }
}

/** Waits until the child's netlink socket has joined its groups, as the kernel lists it. */
async function subscribed(child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    if (child.pid !== undefined && (await hasJoined(child.pid))) return;
    await delay(2);
  }
}

/** /proc/PID/net/netlink: `sk Eth Pid Groups …`, groups in hexadecimal. */
async function hasJoined(pid: number): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/net/netlink`, 'latin1').catch(() => '');
  return text.split('\n').some((row) => {
    const [, protocol, port, groups] = row.trim().split(/\s+/);
    return protocol === '0' && port === String(pid) && Number.parseInt(groups ?? '0', 16) !== 0;
  });
}
