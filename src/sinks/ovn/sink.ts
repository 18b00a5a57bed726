// The OVN sink: FIB entries as static routes of one Logical_Router, over one OVSDB connection.
//
// Flow. client.ts keeps the rows of the router's tables true and says what changed; router-reader.ts sorts them into ours and
// others'; this file decides what that means; writer.ts and yielding.ts write, route-events.ts speaks to the core.
//
//   changed ──► router-reader
//                          ├──► drift       rows of ours changed, not by us      ► observed
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
import type { FibBatch } from '../../core/records.ts';
import { OvsdbClient } from '../../ovsdb/client.ts';
import { OvsdbError } from '../../ovsdb/errors.ts';
import type { RowChange } from '../../ovsdb/monitor.ts';
import { parseRemotes, type Remote } from '../../ovsdb/remote.ts';
import type { ApplyResult, EmitSinkEvent, RecordFailure, Sink, SinkState } from '../sink.ts';
import { Admission } from './admission.ts';
import { readBatch } from './batch.ts';
import { Invitations } from './invitations.ts';
import { lockName } from './lock-name.ts';
import { NorthdLag } from './northd-lag.ts';
import type { OvnSinkOptions } from './options.ts';
import { RouteEvents } from './route-events.ts';
import { RouterReader } from './router-reader.ts';
import { RouterRows, type TouchedPrefixes } from './router-rows.ts';
import { monitoredTables, NORTHBOUND } from './row.ts';
import type { RouteRecord } from './transaction.ts';
import { RouteWriter } from './writer.ts';
import { Yielding } from './yielding.ts';

export function createOvnSink(options: OvnSinkOptions, emit: EmitSinkEvent): Sink {
  return new OvnSink(options, emit);
}

class OvnSink implements Sink {
  readonly #emit: EmitSinkEvent;
  readonly #rows = new RouterRows();
  readonly #events: RouteEvents;
  readonly #admission: Admission;
  readonly #client: OvsdbClient;
  readonly #reader: RouterReader;
  readonly #writer: RouteWriter;
  readonly #yielding: Yielding;
  readonly #invitations: Invitations;
  readonly #lock: string;
  readonly #northdLag: NorthdLag | undefined;
  #state: SinkState | undefined;
  #reason = '';
  #hasLock = false;
  /** Prefixes whose rows are changing by our hand. */
  #applying: ReadonlySet<string> = new Set();

  constructor(options: OvnSinkOptions, emit: EmitSinkEvent) {
    this.#emit = emit;
    const rows = this.#rows;
    const events = new RouteEvents(rows, emit);
    const failed = (error: unknown) => this.#handleUnknownOutcome(error);
    this.#events = events;
    this.#lock = lockName(options);
    const client = this.#createClient(options);
    this.#client = client;
    const admission = new Admission({ rows, options, schemaVersion: () => client.schemaVersion });
    this.#admission = admission;
    this.#reader = new RouterReader({
      client,
      rows,
      options,
      expected: (uuid) => this.#writer.expected(uuid),
      learned: (touched) => this.#touched(touched),
      asked: () => this.#evaluate(),
      failed,
    });
    const { southbound, tls } = options;
    this.#northdLag =
      southbound && new NorthdLag({ remotes: southbound.flatMap(requireRemotes), tls });
    this.#writer = new RouteWriter({
      client,
      rows,
      admission,
      identity: options,
      router: options.router,
      lock: this.#lock,
      isAggregated: options.isAggregated ?? false,
      northdLag: this.#northdLag,
      routerUuid: () => this.#reader.routerUuid(),
    });
    this.#invitations = new Invitations({
      admission,
      events,
      isReady: () => this.#state === 'ready',
      isApplying: () => this.#applying.size > 0,
    });
    this.#yielding = new Yielding({
      rows,
      admission,
      writer: this.#writer,
      events,
      gone: () => this.#invitations.send(),
      failed,
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
    this.#events.observed(prefixes);
  }

  #applyEnded({ count, remaining }: FibBatch): void {
    const applied = this.#applying;
    this.#applying = new Set();
    this.#admission.end(count, remaining);
    // After the answer: until then the core has these entries in flight and could not take them up again.
    setImmediate(() => {
      if (this.#state !== 'ready') return;
      this.#events.released(this.#admission.takeCleared(applied));
      this.#invitations.send();
    });
  }

  async flush(): Promise<{ removedCount: number }> {
    if (this.#state !== 'ready') {
      throw new OvsdbError('not-connected', `${this.#state}: ${this.#reason}, expected ready`);
    }
    return { removedCount: await this.#yielding.removeAll() };
  }

  async close(): Promise<void> {
    this.#invitations.close();
    this.#reader.close();
    this.#client.close();
    this.#northdLag?.close();
  }

  // ---- state ----

  #createClient({ remotes, tls, router }: OvnSinkOptions): OvsdbClient {
    return new OvsdbClient(
      {
        remotes: remotes.flatMap(requireRemotes),
        tls,
        database: NORTHBOUND,
        tables: monitoredTables(router),
        lock: this.#lock,
      },
      {
        changed: (changes) => this.#changed(changes),
        synced: () => {
          this.#reader.forgetElsewhere();
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
  }

  #changed(changes: readonly RowChange[]): void {
    const touched = this.#reader.take(changes);
    this.#evaluate();
    this.#touched(touched);
  }

  /** What holds now decides the state; becoming ready tells the snapshot. */
  #evaluate(): void {
    if (!this.#client.isSynced) return;
    this.#reader.askForUnknown();
    if (!this.#hasLock) {
      this.#enter('waiting', `lock ${this.#lock} is held by another agent`);
      return;
    }
    const target = this.#reader.target();
    if (!target.found) this.#enter('waiting', target.reason);
    else if (this.#state !== 'ready' && this.#reader.isWhole) this.#becomeReady();
  }

  #becomeReady(): void {
    this.#events.snapshot();
    this.#enter('ready', '');
    this.#touched({
      owned: new Set(),
      foreign: new Set(this.#rows.foreign.prefixes()),
    });
    this.#events.released(this.#admission.takeCleared());
    this.#invitations.send();
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

  // ---- what changes mean ----

  #touched(touched: TouchedPrefixes): void {
    if (this.#state !== 'ready') return;
    const owned = [...touched.owned].filter((prefix) => !this.#isOurDoing(prefix));
    const foreign = [...touched.foreign].filter((prefix) => !this.#isOurDoing(prefix));
    this.#events.foreign([...touched.foreign]);
    this.#events.observed(owned);
    this.#yielding.yield([...foreign, ...owned]);
    this.#events.released(this.#admission.takeCleared(foreign));
    if (owned.length > 0 && this.#applying.size === 0) this.#invitations.send();
    this.#yielding.removeUnreadable();
  }

  #isOurDoing(prefix: string): boolean {
    return this.#applying.has(prefix) || this.#yielding.has(prefix);
  }
}

function requireRemotes(text: string): Remote[] {
  const remotes = parseRemotes(text);
  if (remotes) return remotes;
  throw new OvsdbError(
    'connection-failed',
    `remote '${text}', expected unix:PATH, tcp:HOST:PORT or ssl:HOST:PORT`,
  );
}
