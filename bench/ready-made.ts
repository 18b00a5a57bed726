// Transactions on OVN's Northbound as ready-made text, and the smallest client there can be: what ovsdb-server takes by itself.
//
// Rows and transactions are Rutter's own, so that the server does the same work for both.
import { connect, type Socket } from 'node:net';
import { JsonScanner } from '../src/ovsdb/json-scanner.ts';
import { Transaction } from '../src/ovsdb/transaction.ts';
import { lockName } from '../src/sinks/ovn/lock-name.ts';
import { ROUTE_TABLE } from '../src/sinks/ovn/row.ts';
import { rowId } from '../src/sinks/ovn/row-id.ts';
import { buildTransaction, type RecordPlan } from '../src/sinks/ovn/transaction.ts';
import { MOST_CHANGES } from '../src/sinks/ovn/writer.ts';
import { OvsdbServer } from './ovsdb-server.ts';

export const target = { owner: 'bench', router: 'gr', outputPort: 'out', network: 'default' };
const lock = lockName(target);

/** A server with an empty router, gone afterwards. */
export async function withServer<T>(
  work: (server: OvsdbServer, routerUuid: string) => Promise<T>,
): Promise<T> {
  const server = await OvsdbServer.start();
  try {
    const port = [target.router, target.outputPort, '02:00:00:00:00:01', '172.18.0.254/16'];
    server.nbctl('lr-add', target.router);
    server.nbctl('lrp-add', ...port);
    const routerUuid = server.nbctl('--bare', '--columns=_uuid', 'list', 'Logical_Router').trim();
    return await work(server, routerUuid);
  } finally {
    await server.stop();
  }
}

// ---- the rows ----

export function prefixAt(i: number): string {
  return `${20 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.0/24`;
}

export function nextHopAt(i: number): string {
  return `172.18.0.${2 + (i % 50)}`;
}

/** The row of a prefix; a prefix has as many as were ever made of it. */
function uuidAt(i: number, member: number): string {
  return rowId({ ...target, routeTable: '', prefix: prefixAt(i), member });
}

// ---- the transactions ----

export function* loadTexts(routerUuid: string, rows: number): Generator<string> {
  for (let start = 0; start < rows; start += MOST_CHANGES) {
    const plans = [];
    for (let i = start; i < Math.min(start + MOST_CHANGES, rows); i++) {
      const insert = { uuid: uuidAt(i, 0), nexthop: nextHopAt(i) };
      const plan: RecordPlan = { inserts: [insert], updates: [], deletes: [] };
      plans.push({ prefix: prefixAt(i), plan });
    }
    yield encode(buildTransaction(plans, { routerUuid, lock, identity: target }));
  }
}

/** Another next hop for the rows in place. */
export function updateText(routes: readonly number[], nexthop: string): string {
  const transaction = new Transaction().assertLock(lock);
  for (const route of routes) transaction.update(ROUTE_TABLE, uuidAt(route, 0), { nexthop });
  return encode(transaction);
}

/** Another row in place of each; `member`: how many there were before, the one of the load not counted. */
export function replaceText(
  routerUuid: string,
  routes: readonly number[],
  member: number,
  nexthop: string,
): string {
  const plans = routes.map((route) => {
    const insert = { uuid: uuidAt(route, member + 1), nexthop };
    const plan: RecordPlan = { inserts: [insert], updates: [], deletes: [uuidAt(route, member)] };
    return { prefix: prefixAt(route), plan };
  });
  return encode(buildTransaction(plans, { routerUuid, lock, identity: target }));
}

function encode(transaction: Transaction): string {
  return transaction.encode('OVN_Northbound').paramsText;
}

/** Writes text, waits for the answer, and looks for no more in it than an error. */
export class ReadyMadeClient {
  readonly #socket: Socket;
  #answered: (text: string) => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const scanner = new JsonScanner();
    socket.on('data', (chunk) => scanner.push(chunk, (text) => this.#answered(text)));
  }

  static async open(server: OvsdbServer): Promise<ReadyMadeClient> {
    const socket = connect({ path: server.socket });
    await new Promise((resolve) => socket.once('connect', resolve));
    const client = new ReadyMadeClient(socket);
    await client.#request('lock', JSON.stringify([lock]));
    return client;
  }

  /** Resolves with how long the answer took, in milliseconds. */
  async transact(params: string): Promise<number> {
    const startedAt = performance.now();
    await this.#request('transact', params);
    return performance.now() - startedAt;
  }

  async #request(method: string, params: string): Promise<void> {
    const answer = await new Promise<string>((resolve) => {
      this.#answered = resolve;
      this.#socket.write(`{"id":1,"method":"${method}","params":${params}}`);
    });
    if (answer.includes('"details"')) throw new Error(answer.slice(0, 300));
  }

  close(): void {
    this.#socket.destroy();
  }
}
