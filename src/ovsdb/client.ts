// An OVSDB client that stays connected: one database, some of its tables, one lock, any of several servers.
//
// Sessions come and go; the rows stay (monitor.ts) and are compared with what the next server says. Nothing is retried here but
// the connection: a transaction whose answer is lost may have been done, and only its author knows how to ask again.
import type { Duplex } from 'node:stream';
import { backoffDelay } from './backoff.ts';
import { OvsdbError } from './errors.ts';
import { Monitor, type MonitoredTable, type Row, type RowChange } from './monitor.ts';
import { formatRemote, openStream, type Remote, type TlsFiles } from './remote.ts';
import { noProgress } from './server-status.ts';
import { type AcceptResults, NO_TRANSACTION, Session, type SharedState } from './session.ts';
import type { EncodedTransaction, OperationResult, Transaction } from './transaction.ts';

export interface OvsdbClientOptions {
  /** Servers of one database; a cluster's in any order. */
  readonly remotes: readonly Remote[];
  readonly tls?: TlsFiles | undefined;
  readonly database: string;
  readonly tables: readonly MonitoredTable[];
  /** Held for as long as the connection lasts, when the server gives it. An RFC 7047 <id>. */
  readonly lock?: string;
  /** Default true: talk to a cluster's leader only. */
  readonly leaderOnly?: boolean;
  /** Default 5000; 0 on unix sockets, which end with the server. */
  readonly probeIntervalMs?: number;
  /** Default 100. */
  readonly firstBackoffMs?: number;
  /** Default 8000. */
  readonly mostBackoffMs?: number;
  /** Default Math.random. */
  readonly random?: () => number;
}

/** Called at the moment a message is read. None of them may throw. */
export interface OvsdbListener {
  /** Rows have changed: one committed transaction, or what a reconnect brought. */
  changed(changes: readonly RowChange[]): void;
  /** The rows are complete, after the `changed` that made them so; again after every reconnect. */
  synced(): void;
  lockChanged(isHeld: boolean): void;
  /** Not connected (any more); a next attempt follows. Each failed attempt is told. */
  lost(error: OvsdbError): void;
}

const CONNECT_TIMEOUT_MS = 5000;

/** A connection that lasted this long was a good one: the next attempt counts as the first. */
const SETTLED_MS = 1000;

export class OvsdbClient {
  readonly #options: OvsdbClientOptions;
  readonly #listener: OvsdbListener;
  readonly #random: () => number;
  readonly #remotes: readonly Remote[];
  readonly #shared: SharedState;
  #session: Session | undefined;
  #isSynced = false;
  #syncedAt = 0;
  #attempt = 0;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: OvsdbClientOptions, listener: OvsdbListener) {
    this.#options = options;
    this.#listener = listener;
    this.#random = options.random ?? Math.random;
    this.#remotes = shuffle(options.remotes, this.#random);
    this.#shared = {
      monitor: new Monitor(options.tables),
      lastTransactionId: NO_TRANSACTION,
      progress: noProgress,
    };
  }

  /** Starts connecting, and goes on until close(). */
  start(): void {
    void this.#connect();
  }

  /** The rows of a monitored table as last heard, also while not connected. */
  rows(table: string): ReadonlyMap<string, Row> {
    return this.#shared.monitor.rows(table);
  }

  /** Version of the database's schema: what its users understand. Empty before the first connection. */
  get schemaVersion(): string {
    return this.#shared.monitor.schemaVersion;
  }

  /** Takes a row of a table that is monitored without inserts. */
  learn(table: string, uuid: string, row: Readonly<Record<string, unknown>>): void {
    this.#shared.monitor.learn(table, uuid, row);
  }

  /** Drops a row of a table that is monitored without inserts. */
  forget(table: string, uuid: string): void {
    this.#shared.monitor.forget(table, uuid);
  }

  /** Whether rows are complete and transactions welcome. */
  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** See Session.transact. Updates of monitored rows are applied before the promise resolves. */
  transact(transaction: Transaction, accept?: AcceptResults): Promise<OperationResult[]> {
    return this.transactEncoded(transaction.encode(this.#options.database), accept);
  }

  /** The same for a transaction that was encoded ahead. */
  transactEncoded(
    transaction: EncodedTransaction,
    accept?: AcceptResults,
  ): Promise<OperationResult[]> {
    return this.#live((session) => session.transact(transaction, accept));
  }

  /** Takes the lock from whoever holds it. */
  stealLock(): Promise<void> {
    return this.#live((session) => session.stealLock());
  }

  /** Gives the lock back until the next connection. */
  unlock(): Promise<void> {
    return this.#live((session) => session.unlock());
  }

  /** Drops the connection, as if it had been lost. */
  reconnect(error: OvsdbError): void {
    this.#session?.close(error);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#session?.close(new OvsdbError('not-connected', 'closed by us'));
  }

  #live<T>(call: (session: Session) => Promise<T>): Promise<T> {
    if (this.#session && this.#isSynced) return call(this.#session);
    return Promise.reject(new OvsdbError('not-connected', 'not connected to the database'));
  }

  async #connect(): Promise<void> {
    const remote = this.#remotes[this.#attempt % this.#remotes.length]!;
    try {
      const stream = await openStream(remote, this.#options.tls, CONNECT_TIMEOUT_MS);
      if (this.#isClosed) stream.destroy();
      else this.#session = this.#openSession(remote, stream);
    } catch (error) {
      this.#ended(error as OvsdbError);
    }
  }

  #openSession(remote: Remote, stream: Duplex): Session {
    const { database, lock, leaderOnly = true } = this.#options;
    const probeIntervalMs = this.#options.probeIntervalMs ?? (remote.kind === 'unix' ? 0 : 5000);
    return new Session(stream, { database, lock, leaderOnly, probeIntervalMs }, this.#shared, {
      changed: (changes) => this.#listener.changed(changes),
      synced: () => {
        this.#isSynced = true;
        this.#attempt = 0;
        this.#listener.synced();
      },
      lockChanged: (isHeld) => this.#listener.lockChanged(isHeld),
      ended: (error) => this.#ended(atRemote(remote, error)),
    });
  }

  #ended(error: OvsdbError): void {
    if (this.#isSynced && performance.now() - this.#syncedAt >= SETTLED_MS) this.#attempt = 0;
    this.#session = undefined;
    this.#isSynced = false;
    if (this.#isClosed) return;
    this.#listener.lost(error);
    this.#attempt++;
    const { firstBackoffMs: firstMs = 100, mostBackoffMs: mostMs = 8000 } = this.#options;
    const delay = backoffDelay(
      this.#attempt,
      this.#remotes.length,
      { firstMs, mostMs },
      this.#random(),
    );
    this.#timer = setTimeout(() => void this.#connect(), delay);
  }
}

function atRemote(remote: Remote, error: OvsdbError): OvsdbError {
  return new OvsdbError(error.code, `${formatRemote(remote)}: ${error.message}`, {
    serverError: error.serverError,
    cause: error,
  });
}

/** The agents of a cluster should not all knock at the first server of the list. */
function shuffle<T>(list: readonly T[], random: () => number): T[] {
  return list
    .map((item) => ({ item, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}
