// Writes records as transactions: planned from the rows that are there, one in flight, the next one encoded meanwhile.
//
// A record is done when the database's rows are what it asks for, not when a transaction was sent: after a round every record
// is planned again, and what somebody else changed meanwhile is written once more. Planning what is there already gives no
// operations, so repeating is free (P4).
//
// A refused transaction changed nothing. It is halved until the record at fault stands alone: n bad records among m cost about
// n log2 m small transactions, and the others are in.
import type { OvsdbClient } from '../../ovsdb/client.ts';
import { OvsdbError } from '../../ovsdb/errors.ts';
import type { EncodedTransaction } from '../../ovsdb/transaction.ts';
import type { Admission, Refusal } from './admission.ts';
import type { RouterRows } from './router-rows.ts';
import { NORTHBOUND, ROUTE_TABLE, type RowIdentity } from './row.ts';
import { rowId } from './row-id.ts';
import {
  buildTransaction,
  changeCount,
  planRecord,
  type RecordPlan,
  type RouteRecord,
  rowDelta,
} from './transaction.ts';

/** Rows per transaction. A large one holds up everybody else on the server: 1000 rows are about 40 ms. */
const MOST_CHANGES = 1000;

/** Rounds before a record that somebody keeps changing is given up. */
const MOST_ROUNDS = 3;

export interface WriterContext {
  readonly client: OvsdbClient;
  readonly rows: RouterRows;
  readonly admission: Admission;
  readonly identity: RowIdentity;
  readonly router: string;
  readonly lock: string;
  /** The uuid of the router; throws when there is none. */
  routerUuid(): string;
}

interface PlannedRecord {
  readonly record: RouteRecord;
  readonly prefix: string;
  readonly plan: RecordPlan;
}

interface Chunk {
  readonly records: readonly RouteRecord[];
  readonly encoded: EncodedTransaction;
  /** Rows gained by it. */
  readonly delta: number;
}

/** Failures by place in the batch. */
export type Failures = Map<number, Refusal>;

export class RouteWriter {
  readonly #context: WriterContext;
  /** Ends when the transaction in flight is answered. */
  #inFlight: Promise<void> | undefined;
  /** Rows gained by transactions that are encoded or in flight: not in the rows yet. */
  #plannedDelta = 0;
  /** Time spent waiting for the server since the last takeDuration(). */
  #waitedMs = 0;

  constructor(context: WriterContext) {
    this.#context = context;
  }

  takeDuration(): number {
    const waited = this.#waitedMs;
    this.#waitedMs = 0;
    return waited;
  }

  /** Writes records of distinct prefixes. Throws an OvsdbError when it is not known what was written. */
  async write(records: readonly RouteRecord[]): Promise<Failures> {
    const failures: Failures = new Map();
    this.#plannedDelta = 0;
    let open = records;
    for (let round = 0; open.length > 0; round++) {
      if (round === MOST_ROUNDS) {
        for (const { index } of open) failures.set(index, changedMeanwhile);
        break;
      }
      await this.#writeChunks(this.#chunks(open, failures), failures);
      open = records.filter((record) => this.#isOpen(record, failures));
    }
    return failures;
  }

  /** Removes all our rows at these prefixes, and others of our rows by uuid; returns how many. */
  async remove(prefixes: Iterable<string>, others: readonly string[] = []): Promise<number> {
    const uuids = [...others];
    for (const prefix of prefixes) uuids.push(...this.#planRemoval(prefix).deletes);
    for (let start = 0; start < uuids.length; start += MOST_CHANGES) {
      const deletes = uuids.slice(start, start + MOST_CHANGES);
      await this.#transact(
        this.#encode([{ prefix: '', plan: { inserts: [], updates: [], deletes } }]),
      );
    }
    return uuids.length;
  }

  #planRemoval(prefix: string): RecordPlan {
    const deletes = this.#context.rows.owned(prefix).map(({ uuid }) => uuid);
    return { inserts: [], updates: [], deletes };
  }

  /** Is there something left to do for this record, now that its transaction is answered? */
  #isOpen(record: RouteRecord, failures: Failures): boolean {
    const failure = failures.get(record.index);
    if (failure?.code === 'rejected') return false;
    const { refusal, plan } = this.#decide(record);
    if (refusal?.code !== failure?.code) return true;
    return plan !== undefined && changeCount(plan) > 0;
  }

  /** What to do for a record as things are. A collision takes our rows away; a full table leaves what is there. */
  #decide(record: RouteRecord): { refusal?: Refusal; gain?: number; plan?: RecordPlan } {
    const { admission } = this.#context;
    const wants = record.nexthops.length > 0;
    const collision = wants ? admission.collision(record.prefix) : undefined;
    if (collision) return { refusal: collision, plan: this.#planRemoval(record.prefix) };
    const plan = this.#plan(record);
    const limit = admission.limit(rowDelta(plan), this.#plannedDelta);
    return limit ? { refusal: limit, gain: rowDelta(plan) } : { plan };
  }

  #plan({ prefix, nexthops }: RouteRecord): RecordPlan {
    const { rows, identity, router, client } = this.#context;
    const routes = client.rows(ROUTE_TABLE);
    return planRecord(
      rows.owned(prefix),
      nexthops,
      (member) => rowId({ owner: identity.owner, router, routeTable: '', prefix, member }),
      (uuid) => routes.has(uuid),
    );
  }

  /** Plans records in order and cuts the work into transactions. Lazy: a chunk is planned when it is asked for. */
  *#chunks(records: readonly RouteRecord[], failures: Failures): Generator<Chunk> {
    let planned: PlannedRecord[] = [];
    let changes = 0;
    for (const record of records) {
      const plan = this.#admit(record, failures);
      if (!plan || changeCount(plan) === 0) continue;
      planned.push({ record, prefix: record.prefix, plan });
      changes += changeCount(plan);
      this.#plannedDelta += rowDelta(plan);
      if (changes < MOST_CHANGES) continue;
      yield this.#chunk(planned);
      planned = [];
      changes = 0;
    }
    if (planned.length > 0) yield this.#chunk(planned);
  }

  #admit(record: RouteRecord, failures: Failures): RecordPlan | undefined {
    const { admission } = this.#context;
    const { refusal, gain, plan } = this.#decide(record);
    failures.delete(record.index);
    admission.forget(record.prefix);
    if (!refusal) return plan;
    failures.set(record.index, refusal);
    if (gain !== undefined) admission.noteLimit(record.prefix, gain);
    else admission.noteCollision(record.prefix);
    return plan;
  }

  #chunk(planned: readonly PlannedRecord[]): Chunk {
    return {
      records: planned.map(({ record }) => record),
      encoded: this.#encode(planned),
      delta: planned.reduce((sum, { plan }) => sum + rowDelta(plan), 0),
    };
  }

  #encode(
    plans: readonly { readonly prefix: string; readonly plan: RecordPlan }[],
  ): EncodedTransaction {
    const { lock, identity } = this.#context;
    const routerUuid = this.#context.routerUuid();
    return buildTransaction(plans, { routerUuid, lock, identity }).encode(NORTHBOUND);
  }

  /** Sends each chunk when the one before is answered; a chunk is made while the one before is in flight. */
  async #writeChunks(chunks: Generator<Chunk>, failures: Failures): Promise<void> {
    let sending: Promise<void> = Promise.resolve();
    for (const chunk of chunks) {
      await sending;
      sending = this.#send(chunk, failures);
    }
    await sending;
  }

  async #send(chunk: Chunk, failures: Failures): Promise<void> {
    const refusal = await this.#transact(chunk.encoded).catch((error: OvsdbError) => error);
    this.#plannedDelta -= chunk.delta;
    if (refusal) await this.#handleRefusal(chunk, failures, refusal);
  }

  /** Finds the records at fault in a transaction that changed nothing. */
  async #handleRefusal(chunk: Chunk, failures: Failures, error: OvsdbError): Promise<void> {
    if (error.code !== 'transaction-refused') throw error;
    const { records } = chunk;
    if (DENIALS.has(error.serverError)) {
      failRecords(records, failures, error);
      return;
    }
    if (!RECORD_FAULTS.has(error.serverError)) throw error;
    if (records.length === 1) {
      await this.#failOrReplan(chunk, failures, error);
      return;
    }
    const middle = records.length >> 1;
    await this.#writeChunks(this.#chunks(records.slice(0, middle), failures), failures);
    await this.#writeChunks(this.#chunks(records.slice(middle), failures), failures);
  }

  /** A record alone is at fault, unless the rows it was planned from have changed since. */
  async #failOrReplan(chunk: Chunk, failures: Failures, error: OvsdbError): Promise<void> {
    for (const again of this.#chunks(chunk.records, failures)) {
      if (again.encoded.paramsText !== chunk.encoded.paramsText) {
        await this.#send(again, failures);
        continue;
      }
      this.#plannedDelta -= again.delta;
      failRecords(chunk.records, failures, error);
    }
  }

  /** Sends at once when nothing is in flight, else in turn. */
  async #transact(encoded: EncodedTransaction): Promise<void> {
    while (this.#inFlight !== undefined) await this.#inFlight;
    const started = performance.now();
    const answer = this.#context.client.transactEncoded(encoded);
    this.#inFlight = answer.then(
      () => undefined,
      () => undefined,
    );
    try {
      const results = await answer;
      if (results.at(-1)?.count !== 1) throw routerGone();
    } finally {
      this.#inFlight = undefined;
      this.#waitedMs += performance.now() - started;
    }
  }
}

/** Errors of RFC 7047 §5.2 and of ovsdb-server that are the fault of what a record asks for. */
const RECORD_FAULTS = new Set([
  'constraint violation',
  'domain error',
  'duplicate uuid',
  'range error',
  'referential integrity violation',
  'syntax error',
]);

/** Errors that every record would meet: nothing is learned by halving. */
const DENIALS = new Set(['permission error', 'not allowed']);

function failRecords(records: readonly RouteRecord[], failures: Failures, error: OvsdbError): void {
  for (const { index } of records) {
    failures.set(index, { code: 'rejected', message: error.message });
  }
}

const changedMeanwhile: Refusal = {
  code: 'changed-meanwhile',
  message: `rows changed by another writer ${MOST_ROUNDS} times while they were written`,
};

function routerGone(): OvsdbError {
  return new OvsdbError('transaction-refused', 'the router is gone', {
    serverError: 'no such router',
  });
}
