// A Northbound server that speaks OVSDB well enough for the OVN sink to become ready, and may lie in any message it sends.
import { createServer, type Server, type Socket } from 'node:net';
import { JsonScanner } from '../../src/ovsdb/json-scanner.ts';

const text = { type: 'string' };
const optionalText = { type: { key: 'string', min: 0, max: 1 } };
const texts = { type: { key: 'string', min: 0, max: 'unlimited' } };
const uuids = { type: { key: 'uuid', min: 0, max: 'unlimited' } };
const map = { type: { key: 'string', value: 'string', min: 0, max: 'unlimited' } };

const schema = {
  name: 'OVN_Northbound',
  version: '7.0.0',
  tables: {
    Logical_Router: { columns: { name: text, ports: uuids, static_routes: uuids } },
    Logical_Router_Port: { columns: { name: text } },
    Logical_Router_Static_Route: {
      columns: {
        ip_prefix: text,
        nexthop: text,
        output_port: optionalText,
        policy: optionalText,
        route_table: text,
        bfd: optionalText,
        selection_fields: texts,
        options: map,
        external_ids: map,
      },
    },
  },
};

const id = (last: number) => `00000000-0000-4000-8000-${String(last).padStart(12, '0')}`;

export const routerName = 'gr';
export const portName = 'out';

/** Rows 10…13 are the routes; 13 is known to the router only. */
function soundSnapshot(): unknown {
  const route = (third: number, external_ids: unknown) => ({
    initial: {
      ip_prefix: `10.0.${third}.0/24`,
      nexthop: '172.18.0.2',
      output_port: portName,
      external_ids,
    },
  });
  const ours = [
    'map',
    [
      ['rutter/owner', 'node'],
      ['rutter/network', 'default'],
    ],
  ];
  return {
    Logical_Router: {
      [id(1)]: {
        initial: {
          name: routerName,
          ports: ['uuid', id(2)],
          static_routes: ['set', [10, 11, 12, 13].map((row) => ['uuid', id(row)])],
        },
      },
    },
    Logical_Router_Port: { [id(2)]: { initial: { name: portName } } },
    Logical_Router_Static_Route: {
      [id(10)]: route(0, ours),
      [id(11)]: route(1, ours),
      [id(12)]: route(2, ['map', [['somebody', 'else']]]),
    },
  };
}

function soundUpdate(): unknown {
  return {
    Logical_Router: { [id(1)]: { modify: { static_routes: ['uuid', id(11)] } } },
    Logical_Router_Static_Route: {
      [id(10)]: { modify: { nexthop: '172.18.0.9' } },
      [id(11)]: { delete: null },
    },
  };
}

/** Changes a value before it is sent. */
export type Lie = (value: unknown) => unknown;

export class HostileNorthbound {
  /** What is done to results and updates on the way out; sound by default. */
  lie: Lie = (value) => value;
  connectionCount = 0;
  /** Answers every select with an error. */
  refusesSelects = false;
  selectCount = 0;
  readonly #server: Server;
  #socket: Socket | undefined;

  private constructor() {
    this.#server = createServer((socket) => this.#serve(socket));
  }

  static async listen(path: string): Promise<HostileNorthbound> {
    const northbound = new HostileNorthbound();
    await new Promise<void>((resolve) => northbound.#server.listen(path, resolve));
    return northbound;
  }

  close(): void {
    this.#socket?.destroy();
    this.#server.close();
  }

  drop(): void {
    this.#socket?.destroy();
  }

  /** Sends an update of the monitored rows. */
  update(): void {
    this.#send({
      id: null,
      method: 'update3',
      params: this.lie(['rutter', id(99), soundUpdate()]),
    });
  }

  write(bytes: Uint8Array): void {
    if (this.#socket?.writable) this.#socket.write(bytes);
  }

  #serve(socket: Socket): void {
    this.connectionCount++;
    this.#socket = socket;
    const scanner = new JsonScanner();
    socket.on('error', () => undefined); // the other side may go at any time
    socket.on('data', (chunk: Buffer) =>
      scanner.push(chunk, (request) => this.#answer(JSON.parse(request))),
    );
  }

  #answer(request: { id: unknown; method: string; params: unknown[] }): void {
    const { method, params } = request;
    if (method === 'get_schema' && params[0] === '_Server') {
      this.#send({ id: request.id, result: null, error: { error: 'unknown database' } });
      return;
    }
    this.#send({ id: request.id, result: this.lie(this.#resultOf(method, params)), error: null });
  }

  #resultOf(method: string, params: unknown[]): unknown {
    switch (method) {
      case 'get_schema':
        return schema;
      case 'lock':
        return { locked: true };
      case 'monitor_cond_since':
        return [false, id(98), soundSnapshot()];
      case 'transact':
        return params.slice(1).map((operation) => {
          const { op } = operation as { op: string };
          if (op !== 'select') return { count: 1 };
          this.selectCount++;
          return this.refusesSelects ? { error: 'not allowed' } : { rows: [foreignRow()] };
        });
      default:
        return {};
    }
  }

  #send(message: unknown): void {
    this.write(Buffer.from(JSON.stringify(message)));
  }
}

function foreignRow(): unknown {
  return {
    _uuid: ['uuid', id(13)],
    ip_prefix: '10.0.3.0/24',
    nexthop: '172.18.0.3',
    output_port: portName,
    policy: ['set', []],
    route_table: '',
    bfd: ['set', []],
    selection_fields: ['set', []],
    options: ['map', []],
    external_ids: ['map', []],
  };
}
