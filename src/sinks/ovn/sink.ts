// The OVN sink: FIB entries as static routes of one Logical_Router, over one OVSDB connection.
//
// Flow. client.ts keeps the rows of the router's tables true and says what changed; router-rows.ts sorts them into ours and
// others'; this file decides what that means and speaks to the core; writer.ts writes.
//
//   changed ──► router-rows ──► drift       rows of ours changed, not by us      ► observed
//                          ├──► collision   a row of others came where ours are  ► ours are removed, refused
//                          │                (or came back: northd leaves one out whose BFD session is down)
//                          ├──► clearance   the row that was in the way went     ► released
//                          └──► room        fewer rows of ours than the cap      ► released
//   apply   ──► writer
//
// State. `ready` needs the database, the lock (one writer per owner, router and network) and the router with its port;
// without one of them the sink waits, and starts by itself when it comes. On the way to `ready` everything of ours is told as
// a snapshot; the core compares. Nothing is cleared or refilled here, whatever happens to the connection.
//
// What is ours is in the data: rows of our router whose external_ids name our owner and network (P2).
//
// Changes to the prefixes of a batch are not drift while the batch is applied: the writer looks at every record's rows before
// it calls them done, and the core has those entries in flight until apply() answers. So nothing is told about them by event
// before that.
//
// Others' inserts are not told by the server, and neither are ours (row.ts says why). Rows that the router's set names are ours
// in flight, or are asked for; until their content is here there is no snapshot.
import {
  encodeForeign,
  encodeObservations,
  type FibBatch,
  type ForeignKind,
} from '../../core/records.ts';
import { type Prefix, parsePrefix } from '../../net/prefix.ts';
import { OvsdbClient } from '../../ovsdb/client.ts';
import { OvsdbError } from '../../ovsdb/errors.ts';
import type { RowChange } from '../../ovsdb/monitor.ts';
import { parseRemotes, type Remote } from '../../ovsdb/remote.ts';
import { Transaction } from '../../ovsdb/transaction.ts';
import type { ApplyResult, EmitSinkEvent, RecordFailure, Sink, SinkState } from '../sink.ts';
import { Admission, type Refusal } from './admission.ts';
import { readBatch } from './batch.ts';
import { lockName } from './lock-name.ts';
import { NorthdLag } from './northd-lag.ts';
import type { OvnSinkOptions } from './options.ts';
import { RouterRows, type TouchedPrefixes } from './router-rows.ts';
import {
  BFD_TABLE,
  monitoredTables,
  NORTHBOUND,
  observedSet,
  ourRow,
  PORT_TABLE,
  ROUTE_TABLE,
  ROUTER_TABLE,
  type RouteRow,
  type RowIdentity,
  readRow,
} from './row.ts';
import { findTarget } from './target.ts';
import type { RouteRecord } from './transaction.ts';
import { RouteWriter } from './writer.ts';

/** Rows asked for in one transaction. */
const ASKED_PER_TRANSACTION = 1000;

/** How long room is kept free for prefixes that were told of it. */
const INVITATION_MS = 1000;

/** Before rows are asked for again, when the server would not say. */
const ASK_AGAIN_MS = 1000;

const NONE: ReadonlySet<string> = new Set();

/** Prefixes per observation message. */
const OBSERVED_PER_EVENT = 4096;

export function createOvnSink(options: OvnSinkOptions, emit: EmitSinkEvent): Sink {
  return new OvnSink(options, emit);
}

class OvnSink implements Sink {
  readonly #options: OvnSinkOptions;
  readonly #emit: EmitSinkEvent;
  readonly #identity: RowIdentity;
  readonly #rows = new RouterRows();
  readonly #admission: Admission;
  readonly #client: OvsdbClient;
  readonly #writer: RouteWriter;
  readonly #lock: string;
  readonly #northdLag: NorthdLag | undefined;
  #state: SinkState | undefined;
  #reason = '';
  #hasLock = false;
  /** The router whose rows are in #rows. */
  #routerUuid: string | undefined;
  /** Prefixes whose rows are changing by our hand. */
  #applying: ReadonlySet<string> = new Set();
  readonly #yielding = new Set<string>();
  #isRemovingUnreadable = false;
  /** Rows that the router names and whose content we do not have. */
  readonly #unknown = new Set<string>();
  #isAsking = false;
  #asking: NodeJS.Timeout | undefined;
  #invitation: NodeJS.Timeout | undefined;

  constructor(options: OvnSinkOptions, emit: EmitSinkEvent) {
    this.#options = options;
    this.#emit = emit;
    this.#identity = options;
    this.#admission = new Admission({
      rows: this.#rows,
      options,
      schemaVersion: () => this.#client.schemaVersion,
    });
    this.#lock = lockName(options);
    this.#client = new OvsdbClient(
      {
        remotes: options.remotes.flatMap(requireRemotes),
        tls: options.tls,
        database: NORTHBOUND,
        tables: monitoredTables(options.router),
        lock: this.#lock,
      },
      {
        changed: (changes) => this.#changed(changes),
        synced: () => {
          this.#forgetElsewhere();
          this.#evaluate();
        },
        lockChanged: (isHeld) => {
          this.#hasLock = isHeld;
          this.#evaluate();
        },
        lost: (error) => {
          this.#hasLock = false;
          this.#enter('connecting', error.message);
        },
      },
    );
    const { southbound, tls } = options;
    this.#northdLag =
      southbound && new NorthdLag({ remotes: southbound.flatMap(requireRemotes), tls });
    this.#writer = new RouteWriter({
      client: this.#client,
      rows: this.#rows,
      admission: this.#admission,
      identity: this.#identity,
      router: options.router,
      lock: this.#lock,
      northdLag: this.#northdLag,
      routerUuid: () => this.#requireRouter(),
    });
  }

  async open(): Promise<void> {
    this.#enter('connecting', 'not tried yet');
    this.#client.start();
    this.#northdLag?.start();
  }

  async apply(batch: FibBatch): Promise<ApplyResult> {
    // Nothing was written: the snapshot that comes with `ready` says so.
    if (this.#state !== 'ready') return { known: false, failures: [], durationMs: 0 };
    const { waves, prefixes, failures } = readBatch(batch);
    this.#applying = prefixes;
    try {
      for (const wave of waves) {
        const records = this.#admission.begin(wave, batch.remaining);
        for (const [index, refusal] of await this.#writer.write(records)) {
          failures.push({ index, ...refusal });
        }
      }
      this.#tellRemainders(batch, waves.flat(), failures);
      const durationMs = this.#writer.takeDuration();
      return { known: true, failures, durationMs, windowMs: this.#northdLag?.windowMs ?? 0 };
    } catch (error) {
      this.#handleUnknownOutcome(error);
      return { known: false, failures: [], durationMs: this.#writer.takeDuration() };
    } finally {
      this.#applyEnded(batch);
    }
  }

  /** Where a record failed and rows of ours came or went, or stayed for another: the answer alone would leave the core with what was before. */
  #tellRemainders(
    batch: FibBatch,
    records: readonly RouteRecord[],
    failures: readonly RecordFailure[],
  ): void {
    if (failures.length === 0) return;
    const failed = new Set(failures.map(({ index }) => index));
    const prefixes = records
      .filter(({ index }) => failed.has(index))
      .filter(({ index, prefix }) => batch.from(index) || this.#rows.owned(prefix).length > 0)
      .map(({ prefix }) => prefix);
    if (prefixes.length > 0) this.#tellObserved(prefixes);
  }

  #applyEnded({ count, remaining }: FibBatch): void {
    const applied = this.#applying;
    this.#applying = new Set();
    this.#admission.end(count, remaining);
    // After the answer: until then the core has these entries in flight and could not take them up again.
    setImmediate(() => {
      if (this.#state !== 'ready') return;
      this.#release(this.#admission.takeCleared(applied));
      this.#releaseRoom();
    });
  }

  async flush(): Promise<{ removedCount: number }> {
    if (this.#state !== 'ready') {
      throw new OvsdbError('not-connected', `${this.#state}: ${this.#reason}, expected ready`);
    }
    const prefixes = [...this.#rows.ownedPrefixes()];
    for (const prefix of prefixes) this.#yielding.add(prefix);
    try {
      const others = this.#rows.unreadable().map(({ uuid }) => uuid);
      return { removedCount: await this.#writer.remove(prefixes, others) };
    } finally {
      for (const prefix of prefixes) this.#yielding.delete(prefix);
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#invitation);
    clearTimeout(this.#asking);
    this.#client.close();
    this.#northdLag?.close();
  }

  // ---- state ----

  #changed(changes: readonly RowChange[]): void {
    const touched: TouchedPrefixes = { owned: new Set(), foreign: new Set() };
    this.#takeRows(changes, touched);
    this.#evaluate();
    if (this.#state === 'ready') this.#react(touched);
  }

  /** What holds now decides the state; becoming ready tells the snapshot. */
  #evaluate(): void {
    if (!this.#client.isSynced) return;
    this.#askForUnknown();
    if (!this.#hasLock) {
      this.#enter('waiting', `lock ${this.#lock} is held by another agent`);
      return;
    }
    const target = this.#findTarget();
    if (!target.found) this.#enter('waiting', target.reason);
    else if (this.#state !== 'ready' && this.#unknown.size === 0) this.#becomeReady();
  }

  #becomeReady(): void {
    this.#tellSnapshot();
    this.#enter('ready', '');
    this.#react({
      owned: new Set(),
      foreign: new Set(this.#rows.foreign.prefixes()),
    });
    this.#release(this.#admission.takeCleared());
    this.#releaseRoom();
  }

  #enter(state: SinkState, reason: string): void {
    if (state === this.#state && reason === this.#reason) return;
    this.#state = state;
    this.#reason = reason;
    this.#emit({ type: 'state', state, reason });
  }

  #handleUnknownOutcome(error: unknown): void {
    if (!(error instanceof OvsdbError)) throw error;
    // The connection is there but the server could not do it (no quorum, disk full): another server, or later.
    if (this.#state === 'ready') this.#client.reconnect(error);
  }

  // ---- rows ----

  #findTarget() {
    return findTarget(
      this.#client.rows(ROUTER_TABLE),
      this.#client.rows(PORT_TABLE),
      this.#options,
    );
  }

  #requireRouter(): string {
    if (this.#routerUuid !== undefined) return this.#routerUuid;
    throw new OvsdbError('not-connected', `no Logical_Router named ${this.#options.router}`);
  }

  #takeRows(changes: readonly RowChange[], touched: TouchedPrefixes): void {
    const { routerUuid } = this.#findTarget();
    const isOfPorts = ({ table }: RowChange) => table === ROUTER_TABLE || table === PORT_TABLE;
    if (changes.some(isOfPorts)) this.#takePorts(routerUuid, touched);
    if (routerUuid !== this.#routerUuid) {
      this.#routerUuid = routerUuid;
      this.#unknown.clear();
      const uuids = new Set([...this.#rows.uuids(), ...this.#routerRoutes()]);
      for (const uuid of uuids) this.#readRoute(uuid, touched);
      return;
    }
    for (const { table, uuid, setChanges } of changes) {
      if (table === ROUTE_TABLE) this.#readRoute(uuid, touched);
      if (table === BFD_TABLE) this.#readDepending(uuid, touched);
      if (table !== ROUTER_TABLE || uuid !== routerUuid) continue;
      const { added = [], removed = [] } = setChanges.get('static_routes') ?? {};
      for (const route of [...added, ...removed]) this.#readRoute(route as string, touched);
    }
  }

  #takePorts(routerUuid: string | undefined, touched: TouchedPrefixes): void {
    const router = this.#client.rows(ROUTER_TABLE).get(routerUuid ?? '');
    const names = (router?.['ports'] as ReadonlySet<string> | undefined) ?? NONE;
    const changed = this.#rows.connected.update(names, this.#client.rows(PORT_TABLE));
    for (const prefix of changed) touched.foreign.add(prefix);
  }

  /**
   * A snapshot has the routes of every router, for which are ours is not in them. Those of others would be kept once per network: of 50 000 there,
   * 13 MB each. One that comes to our router later is asked for like any other.
   */
  #forgetElsewhere(): void {
    const ours = this.#routerRoutes();
    for (const uuid of this.#client.rows(ROUTE_TABLE).keys()) {
      if (!ours.has(uuid)) this.#client.forget(ROUTE_TABLE, uuid);
    }
  }

  #routerRoutes(): ReadonlySet<string> {
    const router = this.#client.rows(ROUTER_TABLE).get(this.#routerUuid ?? '');
    return (router?.['static_routes'] as ReadonlySet<string> | undefined) ?? NONE;
  }

  #readRoute(uuid: string, touched: TouchedPrefixes): void {
    this.#unknown.delete(uuid);
    const row = this.#routerRoutes().has(uuid) ? this.#findRoute(uuid) : undefined;
    this.#rows.set(uuid, row, touched);
  }

  /** A row of others whose session is down is in nobody's way until it is up again. */
  #readDepending(session: string, touched: TouchedPrefixes): void {
    for (const uuid of this.#rows.dependingOn(session)) this.#readRoute(uuid, touched);
  }

  /** A row that the router names: told, written by us just now, or not known yet. */
  #findRoute(uuid: string): RouteRow | undefined {
    const told = this.#client.rows(ROUTE_TABLE).get(uuid);
    if (told) return readRow(uuid, told, this.#identity, this.#client.rows(BFD_TABLE));
    const expected = this.#writer.expected(uuid);
    if (expected) {
      this.#client.learn(ROUTE_TABLE, uuid, expected);
      return ourRow(uuid, expected, this.#identity.owner);
    }
    this.#unknown.add(uuid);
    return undefined;
  }

  /** Others' inserts are not told (row.ts): the router's set names them, and they are asked for. */
  #askForUnknown(): void {
    if (this.#unknown.size === 0 || this.#isAsking) return;
    this.#isAsking = true;
    const uuids = [...this.#unknown].slice(0, ASKED_PER_TRANSACTION);
    this.#learnRows(uuids).then(
      () => this.#askNext(),
      (error: unknown) => {
        this.#handleUnknownOutcome(error);
        this.#asking = setTimeout(() => this.#askNext(), ASK_AGAIN_MS);
        this.#asking.unref();
      },
    );
  }

  #askNext(): void {
    this.#isAsking = false;
    this.#evaluate();
  }

  async #learnRows(uuids: readonly string[]): Promise<void> {
    const selects = new Transaction();
    for (const uuid of uuids) selects.select(ROUTE_TABLE, uuid);
    const touched: TouchedPrefixes = { owned: new Set(), foreign: new Set() };
    await this.#client.transact(selects, (results) => {
      for (const [i, uuid] of uuids.entries()) {
        const row = results[i]!.rows?.[0];
        this.#unknown.delete(uuid);
        if (!row) continue; // gone since, as the router's set will say or has said
        this.#client.learn(ROUTE_TABLE, uuid, row);
        this.#readRoute(uuid, touched);
      }
    });
    if (this.#state === 'ready') this.#react(touched);
  }

  // ---- what changes mean ----

  #react(touched: TouchedPrefixes): void {
    const owned = [...touched.owned].filter((prefix) => !this.#isOurDoing(prefix));
    const foreign = [...touched.foreign].filter((prefix) => !this.#isOurDoing(prefix));
    this.#tellForeign([...touched.foreign]);
    if (owned.length > 0) this.#tellObserved(owned);
    this.#yield([...foreign, ...owned]);
    this.#release(this.#admission.takeCleared(foreign));
    if (owned.length > 0 && this.#applying.size === 0) this.#releaseRoom();
    this.#removeUnreadable();
  }

  #isOurDoing(prefix: string): boolean {
    return this.#applying.has(prefix) || this.#yielding.has(prefix);
  }

  /** Takes our rows away where others' rows have come beside them. A batch that is being applied does that itself. */
  #yield(candidates: readonly string[]): void {
    const prefixes = candidates.filter((prefix) => this.#barOfOurs(prefix) !== undefined);
    if (prefixes.length === 0) return;
    for (const prefix of prefixes) this.#yielding.add(prefix);
    this.#runInBackground(this.#removeBarred(prefixes));
  }

  /** Why the rows we have at a prefix must go. */
  #barOfOurs(prefix: string): Refusal | undefined {
    const owned = this.#rows.owned(prefix).map(({ nexthop }) => nexthop);
    return owned.length > 0 ? this.#admission.bar(prefix, owned) : undefined;
  }

  async #removeBarred(prefixes: readonly string[]): Promise<void> {
    const owned = new Map(
      prefixes.map((prefix) => [prefix, this.#rows.owned(prefix).map(({ nexthop }) => nexthop)]),
    );
    try {
      await this.#writer.remove(prefixes);
    } finally {
      for (const prefix of prefixes) this.#yielding.delete(prefix);
    }
    this.#tellObserved(prefixes);
    for (const [prefix, nexthops] of owned) this.#refuse(prefix, nexthops);
    this.#releaseRoom();
  }

  #refuse(prefix: string, nexthops: readonly string[]): void {
    const refusal = this.#admission.bar(prefix, nexthops);
    // Gone already: what was observed makes the core ask for our rows again.
    if (!refusal) return;
    this.#admission.noteBar(prefix, nexthops);
    this.#emit({ type: 'refused', ...encodePrefixes([prefix]), ...refusal });
  }

  /** Rows that carry our name and are about no prefix: nobody can ask for them, so they go. */
  #removeUnreadable(): void {
    const uuids = this.#rows.unreadable().map(({ uuid }) => uuid);
    if (uuids.length === 0 || this.#isRemovingUnreadable) return;
    this.#isRemovingUnreadable = true;
    this.#runInBackground(
      this.#writer.remove([], uuids).finally(() => {
        this.#isRemovingUnreadable = false;
      }),
    );
  }

  #runInBackground(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.#handleUnknownOutcome(error));
  }

  #releaseRoom(): void {
    if (this.#state !== 'ready') return;
    const invited = this.#admission.invite();
    this.#release(invited);
    if (invited.length > 0) this.#awaitInvited();
  }

  /** Prefixes that nobody wants any more come in no batch: the room kept free for them goes to the next. */
  #awaitInvited(): void {
    clearTimeout(this.#invitation);
    this.#invitation = setTimeout(() => {
      if (this.#applying.size > 0) this.#awaitInvited();
      else if (this.#admission.lapse()) this.#releaseRoom();
    }, INVITATION_MS);
    this.#invitation.unref();
  }

  // ---- what the core is told ----

  #release(prefixes: readonly string[]): void {
    if (prefixes.length > 0) this.#emit({ type: 'released', ...encodePrefixes(prefixes) });
  }

  #tellSnapshot(): void {
    this.#emit({ type: 'snapshotBegin' });
    const prefixes = [...this.#rows.ownedPrefixes()];
    for (let start = 0; start < prefixes.length; start += OBSERVED_PER_EVENT) {
      this.#tellObserved(prefixes.slice(start, start + OBSERVED_PER_EVENT));
    }
    this.#tellForeign([...this.#rows.othersPrefixes()]);
    this.#emit({
      type: 'snapshotEnd',
      ownedCount: this.#rows.ownedCount,
      foreignCount: this.#rows.foreign.count,
    });
  }

  /** Routes of others that an aggregated table must stay clear of. They win or share at their prefix: admission.ts says which. */
  #tellForeign(prefixes: readonly string[]): void {
    if (prefixes.length === 0) return;
    const routes = prefixes.map((text): { prefix: Prefix; kind: ForeignKind } => ({
      prefix: parsePrefix(text)!,
      kind: this.#rows.isOthers(text) ? 'wins' : 'none',
    }));
    this.#emit({ type: 'foreign', ...encodeForeign(routes) });
  }

  #tellObserved(prefixes: readonly string[]): void {
    const observations = prefixes.map((text) => ({
      prefix: parsePrefix(text)!,
      set: observedSet(this.#rows.owned(text)),
    }));
    this.#emit({ type: 'observed', ...encodeObservations(observations) });
  }
}

/** Observations of nothing: how prefixes are named in `refused` and `released`. */
function encodePrefixes(prefixes: readonly string[]): {
  records: ArrayBuffer;
  byteLength: number;
} {
  return encodeObservations(
    prefixes.map((text) => ({ prefix: parsePrefix(text)!, set: undefined })),
  );
}

function requireRemotes(text: string): Remote[] {
  const remotes = parseRemotes(text);
  if (remotes) return remotes;
  throw new OvsdbError(
    'connection-failed',
    `remote '${text}', expected unix:PATH, tcp:HOST:PORT or ssl:HOST:PORT`,
  );
}
