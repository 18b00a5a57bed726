// Static routes written by a client that does nothing else: what the database server alone takes for the same change.
import { randomUUID } from 'node:crypto';
import type { Northbound, NorthboundClient } from './northbound.ts';
import { FEED_ADDRESS } from './site.ts';

const TABLE = 'Logical_Router_Static_Route';
const ROWS_PER_TRANSACTION = 500;

interface BareRow {
  uuid: string;
  readonly prefix: string;
}

export class BareRows {
  readonly #client: NorthboundClient;
  readonly #target: Northbound;
  readonly #rows: readonly BareRow[];

  private constructor(client: NorthboundClient, target: Northbound, rows: readonly BareRow[]) {
    this.#client = client;
    this.#target = target;
    this.#rows = rows;
  }

  /** Inserts a row per prefix. */
  static async load(
    client: NorthboundClient,
    target: Northbound,
    prefixes: readonly string[],
  ): Promise<BareRows> {
    const rows = prefixes.map((prefix) => ({ uuid: randomUUID(), prefix }));
    const bare = new BareRows(client, target, rows);
    for (let first = 0; first < rows.length; first += ROWS_PER_TRANSACTION) {
      const batch = rows.slice(first, first + ROWS_PER_TRANSACTION);
      await client.transact([
        ...batch.map((row) => bare.#insert(row, FEED_ADDRESS)),
        bare.#mutate([['static_routes', 'insert', uuidSet(batch)]]),
      ]);
    }
    return bare;
  }

  /** Changes the next hop where it stands: the router's set of routes stays as it is. */
  async update(route: number, nextHop: string): Promise<void> {
    const where = [['_uuid', '==', ['uuid', this.#rows[route]!.uuid]]];
    await this.#client.transact([{ op: 'update', table: TABLE, where, row: { nexthop: nextHop } }]);
  }

  /** Another row in place of the old one, which the server drops when no router refers to it. */
  async replace(route: number, nextHop: string): Promise<void> {
    const row = this.#rows[route]!;
    const old = { ...row };
    row.uuid = randomUUID();
    await this.#client.transact([
      this.#insert(row, nextHop),
      this.#mutate([
        ['static_routes', 'delete', uuidSet([old])],
        ['static_routes', 'insert', uuidSet([row])],
      ]),
    ]);
  }

  #insert({ uuid, prefix }: BareRow, nextHop: string): object {
    const row = {
      ip_prefix: prefix,
      nexthop: nextHop,
      output_port: this.#target.outputPort,
      external_ids: ['map', [['rutter/owner', 'bench']]],
    };
    return { op: 'insert', table: TABLE, uuid, row };
  }

  #mutate(mutations: readonly unknown[]): object {
    const where = [['name', '==', this.#target.router]];
    return { op: 'mutate', table: 'Logical_Router', where, mutations };
  }
}

function uuidSet(rows: readonly BareRow[]): unknown {
  return ['set', rows.map(({ uuid }) => ['uuid', uuid])];
}
