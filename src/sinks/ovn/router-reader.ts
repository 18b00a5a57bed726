// Reads our router: keeps router-rows.ts true from what the database tells of its tables.
//
// Others' inserts are not told by the server, and neither are ours (row.ts says why). Rows that the router's set names are ours
// in flight, or are asked for; until their content is here the reading is not whole.
import type { OvsdbClient } from '../../ovsdb/client.ts';
import { OvsdbError } from '../../ovsdb/errors.ts';
import type { RowChange } from '../../ovsdb/monitor.ts';
import { Transaction, type WireRow } from '../../ovsdb/transaction.ts';
import type { OvnSinkOptions } from './options.ts';
import type { RouterRows, TouchedPrefixes } from './router-rows.ts';
import {
  BFD_TABLE,
  ourRow,
  PORT_TABLE,
  ROUTE_TABLE,
  ROUTER_TABLE,
  type RouteRow,
  readRow,
} from './row.ts';
import { findTarget, type Target } from './target.ts';

/** Rows asked for in one transaction. */
const ASKED_PER_TRANSACTION = 1000;

/** Before rows are asked for again, when the server would not say. */
const ASK_AGAIN_MS = 1000;

const NONE: ReadonlySet<string> = new Set();

export interface RouterReaderParts {
  readonly client: OvsdbClient;
  readonly rows: RouterRows;
  readonly options: OvnSinkOptions;
  /** A row that we are inserting. */
  expected(uuid: string): WireRow | undefined;
  /** Rows that were asked for are here. */
  learned(touched: TouchedPrefixes): void;
  /** An answer, or time to ask anew: there may be more to ask for. */
  asked(): void;
  failed(error: unknown): void;
}

export class RouterReader {
  readonly #parts: RouterReaderParts;
  readonly #client: OvsdbClient;
  readonly #rows: RouterRows;
  /** The router whose rows are in #rows. */
  #routerUuid: string | undefined;
  /** Rows that the router names and whose content we do not have. */
  readonly #unknown = new Set<string>();
  #isAsking = false;
  #asking: NodeJS.Timeout | undefined;

  constructor(parts: RouterReaderParts) {
    this.#parts = parts;
    this.#client = parts.client;
    this.#rows = parts.rows;
  }

  get isWhole(): boolean {
    return this.#unknown.size === 0;
  }

  target(): Target {
    return findTarget(
      this.#client.rows(ROUTER_TABLE),
      this.#client.rows(PORT_TABLE),
      this.#parts.options,
    );
  }

  /** Throws when there is none. */
  routerUuid(): string {
    if (this.#routerUuid !== undefined) return this.#routerUuid;
    throw new OvsdbError('not-connected', `no Logical_Router named ${this.#parts.options.router}`);
  }

  take(changes: readonly RowChange[]): TouchedPrefixes {
    const touched: TouchedPrefixes = { owned: new Set(), foreign: new Set() };
    const { routerUuid } = this.target();
    const isOfPorts = ({ table }: RowChange) => table === ROUTER_TABLE || table === PORT_TABLE;
    if (changes.some(isOfPorts)) this.#takePorts(routerUuid, touched);
    if (routerUuid === this.#routerUuid) this.#takeRows(changes, touched);
    else this.#takeRouter(routerUuid, touched);
    return touched;
  }

  /**
   * A snapshot has the routes of every router, for which are ours is not in them. Those of others would be kept once per network: of 50 000 there,
   * 13 MB each. One that comes to our router later is asked for like any other.
   */
  forgetElsewhere(): void {
    const ours = this.#routerRoutes();
    for (const uuid of this.#client.rows(ROUTE_TABLE).keys()) {
      if (!ours.has(uuid)) this.#client.forget(ROUTE_TABLE, uuid);
    }
  }

  /** Others' inserts are not told (row.ts): the router's set names them, and they are asked for. */
  askForUnknown(): void {
    if (this.isWhole || this.#isAsking) return;
    this.#isAsking = true;
    const uuids = [...this.#unknown].slice(0, ASKED_PER_TRANSACTION);
    this.#learnRows(uuids).then(
      () => this.#askNext(),
      (error: unknown) => {
        this.#parts.failed(error);
        this.#asking = setTimeout(() => this.#askNext(), ASK_AGAIN_MS);
        this.#asking.unref();
      },
    );
  }

  close(): void {
    clearTimeout(this.#asking);
  }

  #takeRouter(routerUuid: string | undefined, touched: TouchedPrefixes): void {
    this.#routerUuid = routerUuid;
    this.#unknown.clear();
    const uuids = new Set([...this.#rows.uuids(), ...this.#routerRoutes()]);
    for (const uuid of uuids) this.#readRoute(uuid, touched);
  }

  #takeRows(changes: readonly RowChange[], touched: TouchedPrefixes): void {
    for (const { table, uuid, setChanges } of changes) {
      if (table === ROUTE_TABLE) this.#readRoute(uuid, touched);
      if (table === BFD_TABLE) this.#readDepending(uuid, touched);
      if (table !== ROUTER_TABLE || uuid !== this.#routerUuid) continue;
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
    const { options, expected } = this.#parts;
    const told = this.#client.rows(ROUTE_TABLE).get(uuid);
    if (told) return readRow(uuid, told, options, this.#client.rows(BFD_TABLE));
    const row = expected(uuid);
    if (row) {
      this.#client.learn(ROUTE_TABLE, uuid, row);
      return ourRow(uuid, row, options.owner);
    }
    this.#unknown.add(uuid);
    return undefined;
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
    this.#parts.learned(touched);
  }

  #askNext(): void {
    this.#isAsking = false;
    this.#parts.asked();
  }
}
