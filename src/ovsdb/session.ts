// One connection to one server: from the greeting to the end. client.ts opens the next when it is over.
//
// The greeting follows lib/ovsdb-cs.c: is it the right server (`_Server` database), set_db_change_aware, the lock, the
// schema, then the monitor with the newest method the server knows. Everything that changes state runs at the moment a message is
// read (see json-rpc.ts): an update is in the rows before the answer of the transaction that caused it resolves.
import type { Duplex } from 'node:stream';
import { OvsdbError } from './errors.ts';
import { JsonRpc } from './json-rpc.ts';
import { Monitor, type MonitorMethod, type RowChange } from './monitor.ts';
import { parseSchema } from './schema.ts';
import {
  type ClusterProgress,
  DATABASE_TABLE,
  judgeServer,
  SERVER_DATABASE,
  serverTables,
} from './server-status.ts';
import { finish, type Sliced } from './slices.ts';
import { type EncodedTransaction, type OperationResult, readResults } from './transaction.ts';

export const NO_TRANSACTION = '00000000-0000-0000-0000-000000000000';

export interface SessionOptions {
  readonly database: string;
  /** Only the leader of a cluster will do. */
  readonly leaderOnly: boolean;
  /** A lock to ask for, or undefined. */
  readonly lock: string | undefined;
  /** Silence after which the server is asked for a sign of life; after as much again it is given up. 0 never asks. */
  readonly probeIntervalMs: number;
}

/** What outlives a session: owned by the client, changed by the session. */
export interface SharedState {
  readonly monitor: Monitor;
  /** The last transaction our rows contain, as the server names it. */
  lastTransactionId: string;
  progress: ClusterProgress;
}

export interface SessionHandlers {
  changed(changes: readonly RowChange[]): void;
  /** The rows are complete; also after a schema conversion. */
  synced(): void;
  lockChanged(isHeld: boolean): void;
  /** The session is over. Called once. */
  ended(error: OvsdbError): void;
}

/** Sees the results of a transaction before anything that follows its answer is handled. */
export type AcceptResults = (results: readonly OperationResult[]) => void;

const MONITOR_ID = 'rutter';
const SERVER_MONITOR_ID = 'rutter-server';
const monitorMethods: readonly MonitorMethod[] = ['monitor_cond_since', 'monitor_cond', 'monitor'];

export class Session {
  readonly #options: SessionOptions;
  readonly #shared: SharedState;
  readonly #handlers: SessionHandlers;
  readonly #rpc: JsonRpc;
  readonly #serverMonitor = new Monitor(serverTables);
  #probe: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(
    stream: Duplex,
    options: SessionOptions,
    shared: SharedState,
    handlers: SessionHandlers,
  ) {
    this.#options = options;
    this.#shared = shared;
    this.#handlers = handlers;
    this.#rpc = new JsonRpc(stream, {
      notification: (method, params) => this.#notified(method, params),
      closed: (error) => {
        this.#isClosed = true;
        clearInterval(this.#probe);
        handlers.ended(error);
      },
    });
    this.#startProbing();
    void this.#greet();
  }

  /**
   * Transactions are on the wire one at a time, in the order of the calls.
   * Rejects with `transaction-refused` (nothing was done), `not-connected` (nothing was sent) or `connection-lost` (unknown).
   */
  transact(transaction: EncodedTransaction, accept?: AcceptResults): Promise<OperationResult[]> {
    return this.#rpc.requestInTurn('transact', transaction.paramsText, (result) =>
      this.#orEnd(() => {
        const results = readResults(result, transaction.operationCount);
        accept?.(results);
        return results;
      }),
    );
  }

  /** RFC 7047 §4.1.9: takes the lock from whoever holds it. A lock that was asked for must be given up first. */
  async stealLock(): Promise<void> {
    await this.unlock();
    await this.#rpc.request('steal', [this.#options.lock], () => this.#handlers.lockChanged(true));
  }

  /** RFC 7047 §4.1.10. */
  async unlock(): Promise<void> {
    await this.#rpc.request('unlock', [this.#options.lock], () =>
      this.#handlers.lockChanged(false),
    );
  }

  close(error: OvsdbError): void {
    this.#rpc.close(error);
  }

  async #greet(): Promise<void> {
    try {
      await this.#checkServer();
      await this.#rpc.request('set_db_change_aware', [true]).catch(ignoreUnknownMethod);
      if (this.#options.lock !== undefined) await this.#requestLock(this.#options.lock);
      await this.#synchronise();
    } catch (error) {
      this.#end(error);
    }
  }

  /** Servers before OVS 2.9 have no `_Server` database, and no clusters either. */
  async #checkServer(): Promise<void> {
    const schema = await this.#rpc
      .request('get_schema', [SERVER_DATABASE], parseSchema)
      .catch(ignoreUnknownDatabase);
    if (!schema) return;
    this.#serverMonitor.useSchema(schema);
    const method: MonitorMethod = 'monitor_cond';
    await this.#rpc.request(
      method,
      [SERVER_DATABASE, SERVER_MONITOR_ID, this.#serverMonitor.requests(method)],
      (snapshot) => {
        finish(this.#serverMonitor.replace(method, snapshot));
        this.#judge();
      },
    );
  }

  #judge(): void {
    const { database, leaderOnly } = this.#options;
    const rows = [...this.#serverMonitor.rows(DATABASE_TABLE).values()];
    const row = rows.find(({ name }) => name === database);
    const verdict = judgeServer(row, database, leaderOnly, this.#shared.progress);
    if (!verdict.suitable) throw new OvsdbError('unsuitable-server', verdict.reason);
    if (verdict.progress.clusterId !== this.#shared.progress.clusterId) {
      // Transaction ids mean nothing in another cluster.
      this.#shared.lastTransactionId = NO_TRANSACTION;
    }
    this.#shared.progress = verdict.progress;
  }

  async #requestLock(lock: string): Promise<void> {
    await this.#rpc.request('lock', [lock], (result) => {
      this.#handlers.lockChanged((result as { locked?: unknown }).locked === true);
    });
  }

  async #synchronise(): Promise<void> {
    const schema = await this.#rpc.request('get_schema', [this.#options.database], parseSchema);
    this.#shared.monitor.useSchema(schema);
    for (const method of monitorMethods) {
      try {
        return await this.#requestRows(method);
      } catch (error) {
        if (!isUnknownMethod(error)) throw error;
      }
    }
    throw new OvsdbError('protocol', 'the server knows no monitor method');
  }

  #requestRows(method: MonitorMethod): Promise<void> {
    const { monitor, lastTransactionId } = this.#shared;
    const params: unknown[] = [this.#options.database, MONITOR_ID, monitor.requests(method)];
    if (method === 'monitor_cond_since') params.push(lastTransactionId);
    return this.#rpc.requestInSlices(method, params, (result) => this.#takeRows(method, result));
  }

  *#takeRows(method: MonitorMethod, result: unknown): Sliced<void> {
    const { monitor } = this.#shared;
    // Until the rows are in they are of no known transaction: a failure in here must lead to a snapshot.
    this.#shared.lastTransactionId = NO_TRANSACTION;
    if (method !== 'monitor_cond_since') {
      this.#handlers.changed(yield* monitor.replace(method, result));
    } else {
      const [isFound, transactionId, updates] = result as [boolean, string, unknown];
      const changes = isFound
        ? yield* monitor.applyDifferences(updates)
        : yield* monitor.replace(method, updates);
      this.#shared.lastTransactionId = transactionId;
      this.#handlers.changed(changes);
    }
    this.#handlers.synced();
  }

  *#notified(method: string, params: readonly unknown[]): Sliced<void> {
    const [first, second, third] = params;
    switch (method) {
      case 'update3':
        yield* this.#takeUpdate(this.#shared.monitor.applyDifferences(third));
        this.#shared.lastTransactionId = second as string;
        return;
      case 'update2':
        if (first === SERVER_MONITOR_ID) this.#takeServerUpdate(second);
        else yield* this.#takeUpdate(this.#shared.monitor.applyDifferences(second));
        return;
      case 'update':
        yield* this.#takeUpdate(this.#shared.monitor.applyValues(second));
        return;
      case 'locked':
        this.#handlers.lockChanged(true);
        return;
      case 'stolen':
        this.#handlers.lockChanged(false);
        return;
      case 'monitor_canceled':
        // The schema is being converted (set_db_change_aware): ask for everything anew.
        this.#shared.lastTransactionId = NO_TRANSACTION;
        if (first === MONITOR_ID) this.#synchronise().catch((error) => this.#end(error));
        return;
    }
  }

  *#takeUpdate(work: Sliced<RowChange[]>): Sliced<void> {
    const known = this.#shared.lastTransactionId;
    // Half of a transaction is no transaction: who breaks off in here needs a snapshot.
    this.#shared.lastTransactionId = NO_TRANSACTION;
    const changes = yield* work;
    this.#shared.lastTransactionId = known;
    if (changes.length > 0) this.#handlers.changed(changes);
  }

  #takeServerUpdate(updates: unknown): void {
    finish(this.#serverMonitor.applyDifferences(updates));
    this.#judge();
  }

  /** An answer that cannot be read says nothing of what was done: the session ends with it, as with any other such message. */
  #orEnd<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      const told = asOvsdbError(error);
      if (told.code === 'protocol') this.close(told);
      throw told;
    }
  }

  #end(error: unknown): void {
    this.close(asOvsdbError(error));
  }

  #startProbing(): void {
    if (this.#options.probeIntervalMs === 0) return;
    let lastCount = -1;
    let isAsked = false;
    const check = (): void => {
      if (this.#isClosed) return;
      const isSilent = this.#rpc.receivedCount === lastCount;
      lastCount = this.#rpc.receivedCount;
      if (!isSilent) isAsked = false;
      else if (isAsked) this.close(silentFor(this.#options.probeIntervalMs * 2));
      else {
        isAsked = true;
        void this.#rpc.request('echo', []).catch(() => undefined); // its failure is the session's end, told there
      }
    };
    // After a long computation timers run before the socket is read: look only when it has been.
    this.#probe = setInterval(() => setImmediate(check), this.#options.probeIntervalMs);
  }
}

function asOvsdbError(error: unknown): OvsdbError {
  if (error instanceof OvsdbError) return error;
  return new OvsdbError('protocol', (error as Error).message, { cause: error });
}

function silentFor(ms: number): OvsdbError {
  return new OvsdbError('connection-lost', `connection lost: the server was silent for ${ms} ms`);
}

function isUnknownMethod(error: unknown): boolean {
  return error instanceof OvsdbError && error.serverError === 'unknown method';
}

function ignoreUnknownMethod(error: unknown): void {
  if (!isUnknownMethod(error)) throw error;
}

function ignoreUnknownDatabase(error: unknown): undefined {
  if (error instanceof OvsdbError && error.serverError === 'unknown database') return undefined;
  throw error;
}
