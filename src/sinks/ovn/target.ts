// Where our rows go: the router by name, with the output port on it. Pure.
import type { Row } from '../../ovsdb/monitor.ts';

export type Target =
  | { readonly found: true; readonly routerUuid: string }
  /** `routerUuid` is there when only the port is missing. */
  | { readonly found: false; readonly routerUuid: string | undefined; readonly reason: string };

export function findTarget(
  routers: ReadonlyMap<string, Row>,
  ports: ReadonlyMap<string, Row>,
  names: { readonly router: string; readonly outputPort: string },
): Target {
  const found = [...routers].filter(([, { name }]) => name === names.router);
  const [first] = found;
  if (!first) return missing(undefined, `no Logical_Router named ${names.router}`);
  // Router names need not be unique: filling the wrong one would be worse than waiting.
  if (found.length > 1) {
    return missing(
      undefined,
      `${found.length} Logical_Routers named ${names.router}, expected one`,
    );
  }
  const [routerUuid, router] = first;
  const routerPorts = router['ports'] as ReadonlySet<string>;
  const hasPort = [...routerPorts].some((uuid) => ports.get(uuid)?.['name'] === names.outputPort);
  if (hasPort) return { found: true, routerUuid };
  return missing(routerUuid, `router ${names.router} has no port ${names.outputPort}`);
}

function missing(routerUuid: string | undefined, reason: string): Target {
  return { found: false, routerUuid, reason };
}
