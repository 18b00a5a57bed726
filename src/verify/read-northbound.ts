// Reads a gateway router as the Northbound database has it now, over a connection of its own that ends with it.
import { OvsdbClient } from '../ovsdb/client.ts';
import { OvsdbError } from '../ovsdb/errors.ts';
import { parseRemotes } from '../ovsdb/remote.ts';
import type { OvnSinkOptions } from '../sinks/ovn/options.ts';
import { RouterRows } from '../sinks/ovn/router-rows.ts';
import {
  BFD_TABLE,
  monitoredTables,
  NORTHBOUND,
  PORT_TABLE,
  ROUTE_TABLE,
  ROUTER_TABLE,
  readRow,
} from '../sinks/ovn/row.ts';
import { findTarget } from '../sinks/ovn/target.ts';

const MOST_ATTEMPTS = 5;

/** Rejects when the database cannot be reached, or has no such router. */
export async function readRouter(options: OvnSinkOptions): Promise<RouterRows> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let attempts = 0;
  const client = new OvsdbClient(
    {
      remotes: options.remotes.flatMap((text) => parseRemotes(text) ?? []),
      tls: options.tls,
      database: NORTHBOUND,
      tables: monitoredTables(options.router),
    },
    {
      changed: () => undefined,
      synced: resolve,
      lockChanged: () => undefined,
      lost: (error) => {
        if (++attempts === MOST_ATTEMPTS) reject(error);
      },
    },
  );
  client.start();
  try {
    await promise;
    return takeRouter(client, options);
  } finally {
    client.close();
  }
}

function takeRouter(client: OvsdbClient, options: OvnSinkOptions): RouterRows {
  const routers = client.rows(ROUTER_TABLE);
  const ports = client.rows(PORT_TABLE);
  const target = findTarget(routers, ports, options);
  const router = routers.get(target.routerUuid ?? '');
  if (!target.found || !router) {
    throw new OvsdbError('not-connected', target.found ? 'the router is gone' : target.reason);
  }
  const rows = new RouterRows();
  const touched = { owned: new Set<string>(), foreign: new Set<string>() };
  const routes = client.rows(ROUTE_TABLE);
  const sessions = client.rows(BFD_TABLE);
  for (const uuid of router['static_routes'] as ReadonlySet<string>) {
    const row = routes.get(uuid);
    if (row) rows.set(uuid, readRow(uuid, row, options, sessions), touched);
  }
  rows.connected.update(router['ports'] as ReadonlySet<string>, ports);
  return rows;
}
