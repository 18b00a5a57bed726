// An OVN Northbound database with one gateway router, and a client of it that shares no code with Rutter's.
//
// RFC 7047 as far as a bench needs it: transact, monitor, echo.
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { schemas, startOvsdbServer } from '../../src/lab/ovn.ts';
import { monotonicNow } from '../harness/wait.ts';
import { installedVersion } from './installed.ts';
import type { OvnTarget } from './rutter.ts';
import { ROUTER_ADDRESS, type Site } from './site.ts';

const DATABASE = 'OVN_Northbound';
const ROUTER = 'GR_bench';
const OUTPUT_PORT = 'rtoe-GR_bench';

export interface Northbound extends OvnTarget {
  readonly socketPath: string;
  readonly pid: number;
}

export function northboundVersion(): string | undefined {
  return installedVersion('ovsdb-server', ['--version']);
}

/** Why there can be none here, or undefined. */
export function needsNorthbound(): string | undefined {
  return northboundVersion() ? undefined : 'ovsdb-server is not installed (bench/setup)';
}

export async function startNorthbound(site: Site): Promise<Northbound> {
  const server = await startOvsdbServer({
    name: 'nb',
    directory: join(site.directory, 'nb'),
    processes: site.processes,
    schema: schemas.northbound,
  });
  const client = await NorthboundClient.open(server.socketPath);
  await client.transact([
    {
      op: 'insert',
      table: 'Logical_Router_Port',
      'uuid-name': 'port',
      row: {
        name: OUTPUT_PORT,
        mac: '02:00:00:77:00:02',
        networks: `${ROUTER_ADDRESS}/24`,
      },
    },
    {
      op: 'insert',
      table: 'Logical_Router',
      row: { name: ROUTER, ports: ['named-uuid', 'port'] },
    },
  ]);
  client.close();
  return {
    northbound: server.remote,
    router: ROUTER,
    outputPort: OUTPUT_PORT,
    socketPath: server.socketPath,
    pid: server.pid,
  };
}

/** A static route as the monitor sees it after a change; undefined when the row is gone. */
export interface RowChange {
  /** When the notification arrived, nanoseconds of the monotonic clock. */
  readonly at: number;
  readonly row: { readonly ip_prefix: string; readonly nexthop: string } | undefined;
}

type RowUpdates = Record<string, Record<string, { new?: RowChange['row'] }>>;

interface Message {
  readonly id: unknown;
  readonly method?: string;
  readonly params?: readonly unknown[];
  readonly result?: unknown;
  readonly error?: unknown;
}

export class NorthboundClient {
  readonly #socket: Socket;
  readonly #calls = new Map<
    number,
    { resolve: (result: unknown) => void; reject: (e: Error) => void }
  >();
  #nextId = 1;
  #onRow: (change: RowChange) => void = () => undefined;

  readonly #database: string;

  private constructor(socket: Socket, database: string) {
    this.#socket = socket;
    this.#database = database;
    const split = documentSplitter((text) => this.#take(JSON.parse(text) as Message));
    socket.on('data', split);
    socket.once('close', () => {
      for (const call of this.#calls.values()) call.reject(new Error('ovsdb: connection closed'));
    });
  }

  static open(path: string, database = DATABASE): Promise<NorthboundClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      socket.once('error', reject);
      socket.once('connect', () => resolve(new NorthboundClient(socket, database)));
    });
  }

  /** Results of the operations; rejects when one of them has an error. */
  async transact(operations: readonly object[]): Promise<readonly unknown[]> {
    const results = (await this.#call('transact', [this.#database, ...operations])) as {
      error?: string;
      details?: string;
    }[];
    const failed = results.find((result) => result?.error !== undefined);
    if (failed) throw new Error(`ovsdb: ${failed.error}: ${failed.details ?? ''}`);
    return results;
  }

  /** Every later change of a static route, one call per row. */
  async monitorRoutes(onRow: (change: RowChange) => void): Promise<void> {
    this.#onRow = onRow;
    const select = { initial: false, insert: true, delete: true, modify: true };
    const request = { columns: ['ip_prefix', 'nexthop'], select };
    await this.#call('monitor', [DATABASE, null, { Logical_Router_Static_Route: request }]);
  }

  async countRoutes(): Promise<number> {
    const [selected] = await this.transact([
      { op: 'select', table: 'Logical_Router_Static_Route', where: [], columns: ['_uuid'] },
    ]);
    return (selected as { rows: unknown[] }).rows.length;
  }

  close(): void {
    this.#socket.destroy();
  }

  #call(method: string, params: readonly unknown[]): Promise<unknown> {
    const id = this.#nextId++;
    this.#socket.write(JSON.stringify({ id, method, params }));
    return new Promise((resolve, reject) => this.#calls.set(id, { resolve, reject }));
  }

  #take(message: Message): void {
    const at = monotonicNow();
    if (message.method === 'update') this.#reportRows(at, message.params?.[1] as RowUpdates);
    else if (message.method === 'echo') {
      this.#socket.write(
        JSON.stringify({ id: message.id, result: message.params ?? [], error: null }),
      );
    } else if (typeof message.id === 'number') this.#answer(message.id, message);
  }

  #reportRows(at: number, tables: RowUpdates): void {
    for (const rows of Object.values(tables)) {
      for (const { new: row } of Object.values(rows)) this.#onRow({ at, row });
    }
  }

  #answer(id: number, { result, error }: Message): void {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (error === null || error === undefined) call?.resolve(result);
    else call?.reject(new Error(`ovsdb: ${JSON.stringify(error)}`));
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x7b, 0x5b]);
const CLOSING = new Set([0x7d, 0x5d]);

/** JSON documents follow each other without a separator (RFC 7047 §4): a document ends where its first bracket closes. */
export function documentSplitter(onDocument: (text: string) => void): (chunk: Uint8Array) => void {
  let parts: Uint8Array[] = [];
  let depth = 0;
  let isQuoted = false;
  let isEscaped = false;
  return (chunk) => {
    let start = 0;
    for (let offset = 0; offset < chunk.length; offset++) {
      const byte = chunk[offset]!;
      if (isEscaped) isEscaped = false;
      else if (isQuoted) {
        if (byte === BACKSLASH) isEscaped = true;
        else if (byte === QUOTE) isQuoted = false;
      } else if (byte === QUOTE) isQuoted = true;
      else if (OPENING.has(byte)) depth++;
      else if (CLOSING.has(byte) && --depth === 0) {
        onDocument(Buffer.concat([...parts, chunk.subarray(start, offset + 1)]).toString());
        parts = [];
        start = offset + 1;
      }
    }
    if (start < chunk.length) parts.push(chunk.subarray(start));
  };
}
