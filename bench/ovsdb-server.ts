// A real ovsdb-server with its database in a directory of its own: for benchmarks and tests.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const NORTHBOUND_SCHEMA = '/usr/share/ovn/ovn-nb.ovsschema';

export interface ServerOptions {
  /** Default: the Northbound database's. */
  readonly schema?: string;
  /** Further remotes (`--remote`) and options of ovsdb-server. */
  readonly args?: readonly string[];
}

/** One standalone server on a unix socket. Ended by its process, never by name. */
export class OvsdbServer {
  readonly directory: string;
  readonly #options: ServerOptions;
  #process: ChildProcess | undefined;

  private constructor(options: ServerOptions) {
    this.directory = mkdtempSync(join(tmpdir(), 'rutter-ovsdb-'));
    this.#options = options;
  }

  static async start(options: ServerOptions = {}): Promise<OvsdbServer> {
    const server = new OvsdbServer(options);
    server.create();
    await server.restart();
    return server;
  }

  get socket(): string {
    return join(this.directory, 'db.sock');
  }

  get remote(): string {
    return `unix:${this.socket}`;
  }

  get file(): string {
    return join(this.directory, 'db.db');
  }

  get pid(): number {
    return this.#process!.pid!;
  }

  get control(): string {
    return join(this.directory, 'control');
  }

  /** Makes an empty database, in place of one that is there. */
  create(): void {
    rmSync(this.file, { force: true });
    execFileSync('ovsdb-tool', ['create', this.file, this.#options.schema ?? NORTHBOUND_SCHEMA]);
  }

  /** Starts the process; resolves when its socket is there. */
  async restart(): Promise<void> {
    rmSync(this.socket, { force: true });
    this.#process = spawn(
      'ovsdb-server',
      [
        '--no-chdir',
        '-vconsole:off',
        `--remote=punix:${this.socket}`,
        `--unixctl=${this.control}`,
        ...(this.#options.args ?? []),
        this.file,
      ],
      { stdio: 'ignore' },
    );
    await waitFor(() => isListening(this.socket), 'the socket of ovsdb-server');
  }

  /** kill -9; resolves when the process is gone. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Stops and continues the process, for a server that is there and does not answer. */
  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name);
  }

  /** Runs ovs-appctl against the server. */
  appctl(...args: string[]): string {
    return execFileSync('ovs-appctl', ['-t', this.control, ...args], { encoding: 'utf8' });
  }

  /** Runs ovn-nbctl against the server. */
  nbctl(...args: string[]): string {
    return execFileSync('ovn-nbctl', [`--db=${this.remote}`, '--no-leader-only', ...args], {
      encoding: 'utf8',
      maxBuffer: 256 * 1024 * 1024,
    });
  }
}

/** The file is there a moment before anybody listens. */
function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

/** Polls until the condition holds. */
export async function waitFor(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 20_000,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`no ${what} within ${timeoutMs} ms`);
    await sleep(5);
  }
}
