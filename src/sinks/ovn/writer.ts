// Writes records as transactions: planned from the rows that are there, one in flight, the next one planned meanwhile.
//
// A record is done when the database's rows are what it asks for, not when a transaction was sent: after a round every record
// is planned again, and what somebody else changed meanwhile is written once more. Planning what is there already gives no
// operations, so repeating is free (P4).
//
// The server is not asked to tell us the rows we insert (row.ts): that would cost it a quarter of its time. What a transaction
// in flight inserts is `expected`; that the router's set names it is the proof that it is there.
//
// A refused transaction changed nothing. It is halved until the record at fault stands alone: n bad records among m cost about
// n log2 m small transactions, and the others are in.
//
// Records are written in their order, for in an aggregated table it may be the only safe one (assembly/fib/order.ts): a transaction is
// sent when the one before it is in, or its parts are. What covers a refused record of the batch is not written (holes.ts).
import type { OvsdbClient } from '../../ovsdb/client.ts';
import { OvsdbError } from '../../ovsdb/errors.ts';
import type { EncodedTransaction, Transaction, WireRow } from '../../ovsdb/transaction.ts';
import type { Admission, Refusal } from './admission.ts';
import { Holes } from './holes.ts';
import type { Marker, NorthdLag } from './northd-lag.ts';
import type { RouterRows } from './router-rows.ts';
import { NORTHBOUND, ROUTE_TABLE, type RowIdentity } from './row.ts';
import { rowId } from './row-id.ts';
import {
  buildTransaction,
  changeCount,
  isInPlace,
  planRecord,
  type RecordPlan,
  type RouteRecord,
  rowDelta,
  someOf,
} from './transaction.ts';

/** Rows per transaction: 5 ms of the server's time, which is everybody's. 1000 are no faster (bench/northbound.ts). */
export const MOST_CHANGES = 500;

/** Rows in the first transaction of a batch; doubled from one to the next. The server has something to do while the rest is planned. */
const FIRST_CHANGES = 125;

/** Rounds before a record that somebody keeps changing is given up. */
const MOST_ROUNDS = 3;

export interface WriterContext {
  readonly client: OvsdbClient;
  readonly rows: RouterRows;
  readonly admission: Admission;
  readonly identity: RowIdentity;
  readonly router: string;
  readonly lock: string;
  readonly isAggregated: boolean;
  readonly northdLag?: NorthdLag | undefined;
  /** The uuid of the router; throws when there is none. */
  routerUuid(): string;
}

interface PlannedRecord {
  readonly record: RouteRecord;
  readonly prefix: string;
  readonly plan: RecordPlan;
}

/** `lacking`: rows that there is no room for. */
interface Decision {
  readonly plan: RecordPlan;
  readonly refusal?: Refusal;
  readonly lacking?: number;
}

interface Chunk {
  readonly records: readonly RouteRecord[];
  readonly encoded: EncodedTransaction;
  readonly inserted: readonly string[];
  /** A row of it whose way through northd can be seen. */
  readonly marker: Marker | undefined;
  /** Rows gained by it. */
  readonly delta: number;
}

/** Failures by place in the batch. */
export type Failures = Map<number, Refusal>;

export class RouteWriter {
  readonly #context: WriterContext;
  /** Rows that transactions in flight insert, by uuid. */
  readonly #expected = new Map<string, WireRow>();
  /** Row ids that the server says are taken, by rows we do not see. */
  readonly #taken = new Set<string>();
  readonly #holes = new Holes();
  #inFlightCount = 0;
  #busySince = 0;
  /** Rows gained by transactions that are encoded or in flight: not in the rows yet. */
  #plannedDelta = 0;
  /** Time with a transaction in flight since the last takeDuration(). */
  #busyMs = 0;

  constructor(context: WriterContext) {
    this.#context = context;
  }

  takeDuration(): number {
    const busy = this.#busyMs;
    this.#busyMs = 0;
    return busy;
  }

  /** What we are inserting with this uuid, as it would stand in an update. */
  expected(uuid: string): WireRow | undefined {
    return this.#expected.get(uuid);
  }

  /** Writes records of distinct prefixes. Throws an OvsdbError when it is not known what was written. */
  async write(records: readonly RouteRecord[]): Promise<Failures> {
    const failures: Failures = new Map();
    this.#plannedDelta = 0;
    this.#expected.clear();
    this.#holes.clear();
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
      const plan = { inserts: [], updates: [], deletes };
      await this.#transact(this.#build([{ prefix: '', plan }]).encode(NORTHBOUND));
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
    if (failure?.code === 'rejected' || failure?.code === 'over-refused') return false;
    if (!failure && this.#isDone(record)) return false;
    const { refusal, plan } = this.#decide(record);
    if (refusal?.code !== failure?.code) return true;
    return changeCount(plan) > 0;
  }

  /** The usual case, without making a plan. */
  #isDone({ prefix, nexthops }: RouteRecord): boolean {
    const { rows, admission } = this.#context;
    if (!isInPlace(rows.owned(prefix), nexthops)) return false;
    return nexthops.length === 0 || !admission.bar(prefix, nexthops);
  }

  /**
   * What to do for a record as things are. A bar takes our rows away. On a full router a prefix keeps the rows it has, with next hops of those it
   * wants: some of a next-hop set are better than one that is dead.
   */
  #decide(record: RouteRecord): Decision {
    const { admission, rows } = this.#context;
    const { prefix, nexthops } = record;
    const bar = nexthops.length > 0 ? admission.bar(prefix, nexthops) : undefined;
    if (bar) return { refusal: bar, plan: this.#planRemoval(prefix) };
    if (nexthops.length > 0 && this.#holes.isOver(prefix)) return overRefused;
    const plan = this.#plan(prefix, nexthops);
    const lacking = rowDelta(plan);
    const limit = admission.limit(prefix, lacking, this.#plannedDelta);
    if (!limit) return { plan };
    const some = someOf(nexthops, rows.owned(prefix));
    return { refusal: limit, lacking, plan: this.#plan(prefix, some) };
  }

  #plan(prefix: string, nexthops: readonly string[]): RecordPlan {
    const { rows, identity, router, client } = this.#context;
    const routes = client.rows(ROUTE_TABLE);
    return planRecord(
      rows.owned(prefix),
      nexthops,
      (member) => rowId({ owner: identity.owner, router, routeTable: '', prefix, member }),
      (uuid) => routes.has(uuid) || this.#taken.has(uuid),
    );
  }

  /** Plans records in order and cuts the work into transactions. Lazy: a chunk is planned when it is asked for. */
  *#chunks(records: readonly RouteRecord[], failures: Failures): Generator<Chunk> {
    let planned: PlannedRecord[] = [];
    let changes = 0;
    let enough = FIRST_CHANGES;
    for (const record of records) {
      const plan = this.#admit(record, failures);
      if (changeCount(plan) === 0) continue;
      planned.push({ record, prefix: record.prefix, plan });
      changes += changeCount(plan);
      this.#plannedDelta += rowDelta(plan);
      if (changes < enough) continue;
      yield this.#chunk(planned);
      planned = [];
      changes = 0;
      enough = Math.min(2 * enough, MOST_CHANGES);
    }
    if (planned.length > 0) yield this.#chunk(planned);
  }

  #admit(record: RouteRecord, failures: Failures): RecordPlan {
    const { admission } = this.#context;
    const { refusal, lacking, plan } = this.#decide(record);
    const { index, prefix, nexthops } = record;
    if (!refusal) {
      failures.delete(index);
      admission.forget(prefix);
      return plan;
    }
    failures.set(index, refusal);
    if (!AT_OTHERS.has(refusal.code)) this.#noteHole(record, plan);
    if (lacking === undefined) admission.noteBar(prefix, nexthops);
    else admission.noteLimit(prefix, lacking);
    return plan;
  }

  /** A refused record whose prefix has no row when `plan` is done. */
  #noteHole({ prefix }: RouteRecord, plan: RecordPlan): void {
    const { isAggregated, rows } = this.#context;
    const isBare = rows.owned(prefix).length + rowDelta(plan) === 0;
    if (isAggregated && isBare) this.#holes.note(prefix);
  }

  #chunk(planned: readonly PlannedRecord[]): Chunk {
    const transaction = this.#build(planned);
    const inserted: string[] = [];
    for (const operation of transaction.operations) {
      if (operation.op !== 'insert') continue;
      this.#expected.set(operation.uuid!, operation.row);
      inserted.push(operation.uuid!);
    }
    return {
      records: planned.map(({ record }) => record),
      encoded: transaction.encode(NORTHBOUND),
      inserted,
      marker: markerOf(planned),
      delta: planned.reduce((sum, { plan }) => sum + rowDelta(plan), 0),
    };
  }

  #build(plans: readonly { readonly prefix: string; readonly plan: RecordPlan }[]): Transaction {
    const { lock, identity } = this.#context;
    return buildTransaction(plans, { routerUuid: this.#context.routerUuid(), lock, identity });
  }

  /** A chunk is planned while the one before it is on the wire. */
  async #writeChunks(chunks: Generator<Chunk>, failures: Failures): Promise<void> {
    let previous: Promise<void> = Promise.resolve();
    for (const chunk of chunks) {
      const holeCount = this.#holes.count;
      await previous;
      const isOutdated = this.#holes.count !== holeCount;
      previous = isOutdated ? this.#replan(chunk, failures) : this.#send(chunk, failures);
      previous.catch(() => undefined); // awaited when the next one is planned
    }
    await previous;
  }

  async #send(chunk: Chunk, failures: Failures): Promise<void> {
    const { northdLag } = this.#context;
    northdLag?.expect(chunk.marker);
    const refusal = await this.#transact(chunk.encoded).catch((error: OvsdbError) => error);
    if (refusal) northdLag?.refused(chunk.marker);
    else northdLag?.committed(chunk.marker);
    this.#discount(chunk);
    if (refusal) await this.#handleRefusal(chunk, failures, refusal);
  }

  /** Records were refused while it was planned: it may hold what covers them. */
  async #replan(chunk: Chunk, failures: Failures): Promise<void> {
    this.#discount(chunk);
    for (const again of this.#chunks(chunk.records, failures)) await this.#send(again, failures);
  }

  /** The chunk is answered, or will not be sent: its rows are in, or not coming. */
  #discount(chunk: Chunk): void {
    this.#plannedDelta -= chunk.delta;
    for (const uuid of chunk.inserted) this.#expected.delete(uuid);
  }

  /** Finds the records at fault in a transaction that changed nothing. */
  async #handleRefusal(chunk: Chunk, failures: Failures, error: OvsdbError): Promise<void> {
    if (error.code !== 'transaction-refused') throw error;
    const { records } = chunk;
    if (DENIALS.has(error.serverError)) {
      this.#failRecords(records, failures, error);
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

  /** A record alone is at fault, unless the rows it was planned from have changed since, or its row ids are in use. */
  async #failOrReplan(chunk: Chunk, failures: Failures, error: OvsdbError): Promise<void> {
    if (error.serverError === 'duplicate uuid') {
      for (const uuid of chunk.inserted) this.#taken.add(uuid);
    }
    for (const again of this.#chunks(chunk.records, failures)) {
      if (again.encoded.paramsText !== chunk.encoded.paramsText) {
        await this.#send(again, failures);
        continue;
      }
      this.#discount(again);
      this.#failRecords(chunk.records, failures, error);
    }
  }

  #failRecords(records: readonly RouteRecord[], failures: Failures, error: OvsdbError): void {
    for (const record of records) {
      failures.set(record.index, { code: 'rejected', message: error.message });
      this.#noteHole(record, NO_CHANGES);
    }
  }

  async #transact(encoded: EncodedTransaction): Promise<void> {
    if (this.#inFlightCount++ === 0) this.#busySince = performance.now();
    try {
      const results = await this.#context.client.transactEncoded(encoded);
      if (results.at(-1)?.count !== 1) throw routerGone();
    } finally {
      if (--this.#inFlightCount === 0) this.#busyMs += performance.now() - this.#busySince;
    }
  }
}

/** The first row that has a flow when northd is done: one that goes has none. */
function markerOf(planned: readonly PlannedRecord[]): Marker | undefined {
  for (const { plan } of planned) {
    const [inserted] = plan.inserts;
    if (inserted) return { uuid: inserted.uuid, isNew: true };
    const [updated] = plan.updates;
    if (updated) return { uuid: updated.uuid, isNew: false };
  }
  return undefined;
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

const NO_CHANGES: RecordPlan = { inserts: [], updates: [], deletes: [] };

/** Refusals where somebody else's route decides: they leave no hole. */
const AT_OTHERS = new Set(['collision', 'connected', 'waiting-for-foreign']);

/** Nothing is planned: the rows that are there stay, and the record is welcome when the batch is answered. */
const overRefused: Decision = {
  refusal: {
    code: 'over-refused',
    message: 'it covers a prefix that was refused with it, expected the core to say whether it may',
  },
  plan: NO_CHANGES,
};

const changedMeanwhile: Refusal = {
  code: 'changed-meanwhile',
  message: `rows changed by another writer ${MOST_ROUNDS} times while they were written`,
};

function routerGone(): OvsdbError {
  return new OvsdbError('transaction-refused', 'the router is gone', {
    serverError: 'no such router',
  });
}
