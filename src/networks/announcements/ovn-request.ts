// What of OVN's Northbound database is to be announced, and which tables and columns must be followed for that. Pure.
import type { MonitoredTable } from '../../ovsdb/monitor.ts';

interface RequestedObject {
  /** Id of the request (announcement.ts). */
  readonly id: string;
  readonly network: string;
  /** The network's gateway router: the way in for a switch whose own router has no place. */
  readonly gatewayRouter: string | undefined;
  /** Of the switch, or of the router. */
  readonly name: string;
}

export type OvnRequest = RequestedObject &
  (
    | { readonly kind: 'switch'; readonly what: 'subnet' | 'ports' }
    | { readonly kind: 'router'; readonly what: 'networks' | 'addresses' }
    | { readonly kind: 'nat'; readonly what: 'floating-ips' | 'egress-ips' }
    | { readonly kind: 'loadBalancers'; readonly what: 'vips' }
  );

export const NORTHBOUND = 'OVN_Northbound';
export const SOUTHBOUND = 'OVN_Southbound';

/** Types of switch ports that workloads sit behind (ovn-nb(5), Logical_Switch_Port). */
export const workloadPortTypes: readonly string[] = ['', 'virtual'];

/** What a port binding stands for. */
export type Carrier = 'workload' | 'gateway';

/** Tables of the Northbound database; what nobody asked for is not followed. */
export function northboundTables(requests: readonly OvnRequest[]): MonitoredTable[] {
  const kinds = new Set(requests.map(({ kind, what }) => `${kind} ${what}`));
  const needsPorts = kinds.has('switch ports');
  const needsSubnets = kinds.has('switch subnet');
  const switches = needsPorts || needsSubnets ? [switchTable(requests)] : [];
  const ports = needsPorts || needsSubnets ? [portTable(needsPorts, needsSubnets)] : [];
  const nat = requests.some(({ kind }) => kind === 'nat') ? [natTable] : [];
  const balancers = kinds.has('loadBalancers vips') ? loadBalancerTables : [];
  return [...switches, ...ports, routerTable, routerPortTable, ...nat, ...balancers];
}

function switchTable(requests: readonly OvnRequest[]): MonitoredTable {
  const names = requests.flatMap(({ kind, name }) => (kind === 'switch' ? [name] : []));
  return {
    table: 'Logical_Switch',
    columns: ['name', 'other_config', 'ports'],
    where: [...new Set(names)].map((name) => ['name', '==', name] as const),
  };
}

/** Which switch a port is in stands in the switch: a server cannot be asked for one switch's ports. */
function portTable(ofWorkloads: boolean, ofRouters: boolean): MonitoredTable {
  const types = [...(ofWorkloads ? workloadPortTypes : []), ...(ofRouters ? ['router'] : [])];
  return {
    table: 'Logical_Switch_Port',
    columns: ofWorkloads
      ? ['name', 'type', 'up', 'enabled', 'addresses', 'dynamic_addresses', 'options']
      : ['name', 'type', 'options'],
    where: types.map((type) => ['type', '==', type] as const),
  };
}

/** All routers: the one behind a switch is known by its port only. */
const routerTable: MonitoredTable = {
  table: 'Logical_Router',
  columns: ['name', 'enabled', 'options', 'ports', 'nat', 'load_balancer', 'load_balancer_group'],
};

const routerPortTable: MonitoredTable = {
  table: 'Logical_Router_Port',
  columns: ['name', 'networks', 'enabled', 'gateway_chassis', 'ha_chassis_group'],
};

const natTable: MonitoredTable = {
  table: 'NAT',
  columns: ['type', 'external_ip', 'logical_port', 'external_mac', 'gateway_port'],
  where: [
    ['type', '==', 'dnat_and_snat'],
    ['type', '==', 'snat'],
  ],
};

const loadBalancerTables: readonly MonitoredTable[] = [
  { table: 'Load_Balancer', columns: ['name', 'vips'] },
  { table: 'Load_Balancer_Group', columns: ['load_balancer'] },
];

export function chassisTable(chassis: string): MonitoredTable {
  return { table: 'Chassis', columns: ['name'], where: [['name', '==', chassis]] };
}

/** Bindings of one chassis alone: on a large deployment a node hears of its own ports, not of all. */
export function bindingTable(chassisUuid: string): MonitoredTable {
  return {
    table: 'Port_Binding',
    columns: ['logical_port', 'chassis', 'up', 'type'],
    where: [['chassis', '==', ['uuid', chassisUuid]]],
  };
}

/** Of a binding's type (ovn-sb(5), Port_Binding); undefined: it says nothing of where packets go. */
export function carrierOf(type: string): Carrier | undefined {
  if (type === 'chassisredirect' || type === 'l3gateway') return 'gateway';
  return workloadPortTypes.includes(type) ? 'workload' : undefined;
}
