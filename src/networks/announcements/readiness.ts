// Is the datapath of a prefix in place on this chassis? (P8) The answer is undefined when it is, else why not. Pure.
//
//   workload port    NB says up and enabled; its binding is on this chassis and up: ovn-controller has installed its flows
//   gateway router   `options:chassis` is this chassis, and one of its ports (l3gateway) is bound here
//   gateway port     its chassisredirect binding, `cr-NAME`, is claimed by this chassis
//   distributed NAT  (logical_port and external_mac, ovn-nb(5)) where its port is
//   switch subnet    a router port attached to it leads to a gateway that is here; a router without a place of its own (OVN's
//                    distributed routers) is entered through the network's gateway router
import type { NamedRow, OvnRows } from './ovn-rows.ts';

type Reason = string | undefined;

export class Readiness {
  readonly #rows: OvnRows;
  readonly #chassis: string;

  constructor(rows: OvnRows, chassis: string) {
    this.#rows = rows;
    this.#chassis = chassis;
  }

  workload({ row }: NamedRow): Reason {
    const name = row['name'] as string;
    if (row['enabled'] === false) return `port ${name} is disabled`;
    if (!this.#rows.isCarriedHere('workload', name)) {
      return `port ${name} is not bound and up on chassis ${this.#chassis}`;
    }
    return row['up'] === true ? undefined : `port ${name} is not up`;
  }

  /** The way into a router. */
  router(router: NamedRow): Reason {
    const { row } = router;
    const name = row['name'] as string;
    if (row['enabled'] === false) return `router ${name} is disabled`;
    const ports = this.#rows.children('Logical_Router.ports', router, 'Logical_Router_Port');
    const chassis = gatewayChassis(router);
    if (chassis !== undefined) {
      if (chassis !== this.#chassis) return `router ${name} is on chassis ${chassis}`;
      const isBound = ports.some((port) => this.#rows.isCarriedHere('gateway', nameOf(port)));
      return isBound ? undefined : `no port of router ${name} is bound on chassis ${chassis}`;
    }
    if (ports.some((port) => this.#isClaimed(port))) return undefined;
    return ports.some(isGatewayPort)
      ? `no gateway port of router ${name} is claimed by chassis ${this.#chassis}`
      : `router ${name} has neither a chassis nor a gateway port`;
  }

  /** The way to what is behind a router port. */
  routerPort(port: NamedRow): Reason {
    const name = nameOf(port);
    if (port.row['enabled'] === false) return `router port ${name} is disabled`;
    const router = this.#rows.parents('Logical_Router.ports', port.uuid)[0];
    if (router === undefined) return `router port ${name} is in no router`;
    if (!isGatewayPort(port) || gatewayChassis(router) !== undefined) return this.router(router);
    if (this.#isClaimed(port)) return undefined;
    return `router port ${name} is not claimed by chassis ${this.#chassis}`;
  }

  /** Behind the port of a router that is nowhere in particular: through the network's gateway router. */
  routerPortOrGateway(port: NamedRow, gatewayRouter: string | undefined): Reason {
    const router = this.#rows.parents('Logical_Router.ports', port.uuid)[0];
    const isPlaced = router === undefined || this.#hasPlace(router);
    if (isPlaced || gatewayRouter === undefined) return this.routerPort(port);
    if (port.row['enabled'] === false) return `router port ${nameOf(port)} is disabled`;
    return this.namedRouter(gatewayRouter);
  }

  namedRouter(name: string): Reason {
    const router = this.#rows.named('Logical_Router', name)[0];
    return router === undefined ? `router ${name} does not exist` : this.router(router);
  }

  nat(nat: NamedRow, router: NamedRow): Reason {
    const { row } = nat;
    const logicalPort = row['logical_port'] as string | undefined;
    const isDistributed = logicalPort !== undefined && row['external_mac'] !== undefined;
    // ovn-nb(5): on a gateway router both columns are ignored
    if (isDistributed && gatewayChassis(router) === undefined) {
      const isHere = this.#rows.isCarriedHere('workload', logicalPort);
      return isHere ? undefined : `port ${logicalPort} is not bound and up on this chassis`;
    }
    const gatewayPort = row['gateway_port'] as string | undefined;
    const port = gatewayPort && this.#rows.row('Logical_Router_Port', gatewayPort);
    if (!port) return this.router(router);
    return this.routerPort({ uuid: gatewayPort, row: port });
  }

  #hasPlace(router: NamedRow): boolean {
    const ports = this.#rows.children('Logical_Router.ports', router, 'Logical_Router_Port');
    return gatewayChassis(router) !== undefined || ports.some(isGatewayPort);
  }

  #isClaimed(port: NamedRow): boolean {
    return isGatewayPort(port) && this.#rows.isCarriedHere('gateway', `cr-${nameOf(port)}`);
  }
}

function nameOf({ row }: NamedRow): string {
  return row['name'] as string;
}

function gatewayChassis({ row }: NamedRow): string | undefined {
  return (row['options'] as ReadonlyMap<string, string>).get('chassis');
}

function isGatewayPort({ row }: NamedRow): boolean {
  const chassis = row['gateway_chassis'] as ReadonlySet<string> | undefined;
  return (chassis !== undefined && chassis.size > 0) || row['ha_chassis_group'] !== undefined;
}
