// What others have in a node's Northbound database beside our rows, as OVN-Kubernetes writes it: one entry per feature, each a list of
// `ovn-nbctl` command lines that follow one another in one transaction.
import type { OvsdbServer } from '../../bench/ovsdb-server.ts';

export const NODE = 'ovn-worker';
export const ROUTER = `GR_${NODE}`;
export const PORT = `rtoe-${ROUTER}`;
const CLUSTER_ROUTER = 'ovn_cluster_router';
const SWITCH = NODE;
const EXTERNAL_SWITCH = `ext_${NODE}`;

/** One feature of OVN-Kubernetes that shares the router or the database with us. */
export interface Neighbour {
  readonly feature: string;
  /** Tables that hold it. */
  readonly tables: readonly string[];
  readonly commands: readonly (readonly string[])[];
}

const ids = (...pairs: readonly string[]): string[] =>
  pairs.map((pair) => `external_ids:k8s.ovn.org/${pair}`);

const route = (router: string, id: string, columns: readonly string[]): string[][] => [
  [`--id=@${id}`, 'create', 'Logical_Router_Static_Route', ...columns],
  ['add', 'Logical_Router', router, 'static_routes', `@${id}`],
];

export const neighbours: readonly Neighbour[] = [
  {
    feature: "the gateway router's own routes",
    tables: ['Logical_Router_Static_Route', 'Logical_Router', 'Logical_Router_Port'],
    commands: [
      ...route(ROUTER, 'default', [
        ...['ip_prefix="0.0.0.0/0"', 'nexthop="172.18.0.1"', `output_port=${PORT}`],
      ]),
      ...route(ROUTER, 'cluster', ['ip_prefix="10.244.0.0/16"', 'nexthop="100.64.0.1"']),
      ...route(ROUTER, 'masquerade', [
        ...['ip_prefix="169.254.169.0/29"', 'nexthop="169.254.169.4"', `output_port=${PORT}`],
      ]),
    ],
  },
  {
    feature: 'RouteImport rows',
    tables: ['Logical_Router_Static_Route'],
    commands: ['172.26.0.2', '172.26.0.3'].flatMap((nexthop, i) =>
      route(ROUTER, `import${i}`, [
        ...['ip_prefix="172.26.0.0/16"', `nexthop="${nexthop}"`, `output_port=${PORT}`],
        ...ids('owner-controller=RouteImport'),
      ]),
    ),
  },
  {
    feature: 'multiple external gateways: routes by source with symmetric reply and BFD',
    tables: ['Logical_Router_Static_Route', 'BFD'],
    commands: ['172.18.0.101', '172.18.0.102'].flatMap((nexthop, i) => [
      [
        ...[`--id=@bfd${i}`, 'create', 'BFD', `logical_port=${PORT}`, `dst_ip="${nexthop}"`],
        ...['min_rx=300', 'min_tx=300', 'detect_mult=3'],
      ],
      ...route(ROUTER, `gateway${i}`, [
        ...['ip_prefix="10.244.1.5/32"', `nexthop="${nexthop}"`, 'policy=src-ip'],
        ...[`output_port=${PORT}`, `bfd=@bfd${i}`, 'options:ecmp_symmetric_reply=true'],
      ]),
    ]),
  },
  {
    feature: 'egress IP: policies that reroute, and NAT',
    tables: ['Logical_Router_Policy', 'NAT'],
    commands: [
      [
        ...['--id=@reroute', 'create', 'Logical_Router_Policy', 'priority=100', 'action=reroute'],
        ...['match="ip4.src == 10.244.1.7"', 'nexthops="100.64.0.3"'],
        ...ids('owner-type=EgressIP', 'name=egressip-prod'),
      ],
      ['add', 'Logical_Router', CLUSTER_ROUTER, 'policies', '@reroute'],
      [
        ...['--id=@snat', 'create', 'NAT', 'type=snat', 'external_ip="172.18.0.44"'],
        ...['logical_ip="10.244.1.7"', 'logical_port=k8s-ovn-worker'],
        ...ids('owner-type=EgressIP', 'name=egressip-prod'),
      ],
      ['add', 'Logical_Router', ROUTER, 'nat', '@snat'],
      [
        ...['--id=@cluster', 'create', 'NAT', 'type=snat', 'external_ip="172.18.0.3"'],
        ...['logical_ip="10.244.1.0/24"', 'options:stateless=false'],
      ],
      ['add', 'Logical_Router', ROUTER, 'nat', '@cluster'],
    ],
  },
  {
    feature: 'egress service: policies of the cluster router and of ours',
    tables: ['Logical_Router_Policy'],
    commands: [CLUSTER_ROUTER, ROUTER].flatMap((router, i) => [
      [
        ...[`--id=@service${i}`, 'create', 'Logical_Router_Policy', 'priority=101'],
        ...['action=reroute', 'match="ip4.src == 10.244.1.8"', 'nexthops="10.244.1.2"'],
        ...ids('owner-type=EgressService'),
      ],
      ['add', 'Logical_Router', router, 'policies', `@service${i}`],
    ]),
  },
  {
    feature: 'services: load balancers and their group',
    tables: ['Load_Balancer', 'Load_Balancer_Group', 'Logical_Router', 'Logical_Switch'],
    commands: [
      [
        ...['--id=@balancer', 'create', 'Load_Balancer', 'name=Service_default/web_TCP_cluster'],
        ...['protocol=tcp', 'vips:"172.16.1.10:80"="10.244.1.5:8080,10.244.1.6:8080"'],
        ...['options:reject=true', 'options:event=false'],
        ...ids('kind=Service', 'owner=default/web'),
      ],
      ['add', 'Logical_Router', ROUTER, 'load_balancer', '@balancer'],
      [
        ...['--id=@group', 'create', 'Load_Balancer_Group', 'name=clusterLBGroup'],
        'load_balancer=@balancer',
      ],
      ['add', 'Logical_Router', ROUTER, 'load_balancer_group', '@group'],
      ['add', 'Logical_Switch', SWITCH, 'load_balancer_group', '@group'],
    ],
  },
  {
    feature: 'egress firewall: ACLs, port groups and address sets',
    tables: ['ACL', 'Port_Group', 'Address_Set'],
    commands: [
      [
        ...['--id=@acl', 'create', 'ACL', 'direction=from-lport', 'priority=9999', 'action=drop'],
        ...['match="(ip4.dst == 172.26.0.0/16) && inport == @a123"'],
        ...['options:apply-after-lb=true', ...ids('owner-type=EgressFirewall', 'rule-index=1')],
      ],
      ['create', 'Port_Group', 'name=a123', 'acls=@acl', ...ids('owner-type=Namespace')],
      ['create', 'Address_Set', 'name=a456', 'addresses="10.244.1.5"', 'addresses="10.244.1.6"'],
    ],
  },
  {
    feature: 'egress QoS: rows of the switch',
    tables: ['QoS', 'Logical_Switch'],
    commands: [
      [
        ...['--id=@qos', 'create', 'QoS', 'direction=to-lport', 'priority=1000'],
        ...['match="ip4.dst == 172.26.0.0/16 && ip4.src == 10.244.1.5"', 'action:dscp=48'],
        ...ids('owner-type=EgressQoS'),
      ],
      ['add', 'Logical_Switch', SWITCH, 'qos_rules', '@qos'],
    ],
  },
  {
    feature: 'virtual machines that moved: host routes of the cluster router',
    tables: ['Logical_Router_Static_Route', 'Logical_Router'],
    commands: route(CLUSTER_ROUTER, 'machine', [
      ...['ip_prefix="10.244.7.7/32"', 'nexthop="10.244.7.7"', 'output_port=rtos-ovn-worker'],
      ...ids('zone=local', 'vm=fedora', 'namespace=default'),
    ]),
  },
  {
    feature: "another network's router, filled by another agent",
    tables: ['Logical_Router_Static_Route', 'Logical_Router'],
    commands: [
      ['lr-add', 'GR_blue_ovn-worker'],
      ...route('GR_blue_ovn-worker', 'blue', [
        ...['ip_prefix="20.0.0.0/24"', 'nexthop="172.19.0.2"', 'output_port=rtoe-blue'],
        ...['external_ids:rutter/owner=ovn-worker', 'external_ids:rutter/network=blue'],
      ]),
    ],
  },
];

/** The node's routers and switches, and everything above. */
export function populate(server: OvsdbServer): void {
  transact(server, [
    ['lr-add', ROUTER],
    [
      'set',
      'Logical_Router',
      ROUTER,
      'options:chassis=chassis',
      'options:always_learn_from_arp_request=false',
    ],
    ['lrp-add', ROUTER, PORT, '02:42:ac:12:00:03', '172.18.0.3/16'],
    ['lrp-add', ROUTER, `rtoj-${ROUTER}`, '0a:58:64:40:00:02', '100.64.0.2/16'],
    ['lr-add', CLUSTER_ROUTER],
    ['lrp-add', CLUSTER_ROUTER, 'rtos-ovn-worker', '0a:58:0a:f4:01:01', '10.244.1.1/24'],
    ['ls-add', SWITCH],
    ['lsp-add', SWITCH, 'default_web-0'],
    ['lsp-set-addresses', 'default_web-0', '0a:58:0a:f4:01:05 10.244.1.5'],
    ['ls-add', EXTERNAL_SWITCH],
  ]);
  for (const { commands } of neighbours) transact(server, commands);
}

function transact(server: OvsdbServer, commands: readonly (readonly string[])[]): void {
  server.nbctl(...commands.flatMap((command, i) => (i === 0 ? command : ['--', ...command])));
}

/** Every row of every table as one line, by table, without ours. */
export type Dump = ReadonlyMap<string, readonly string[]>;

export function dumpOthers(dumpText: string, network: string): Dump {
  const tables = new Map(
    dumpText
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as DumpedTable)
      .map((table) => [table.caption.replace(/ table$/, ''), table] as const),
  );
  const ours = new Set(
    rowsOf(tables.get('Logical_Router_Static_Route')!)
      .filter((row) =>
        JSON.stringify(row['external_ids']).includes(`["rutter/network","${network}"]`),
      )
      .map((row) => (row['_uuid'] as [string, string])[1]),
  );
  return new Map(
    [...tables].map(([name, table]) => [
      name,
      rowsOf(table)
        .filter((row) => !ours.has((row['_uuid'] as [string, string])[1]))
        .map((row) => JSON.stringify(withoutOurs(row, ours)))
        .sort(),
    ]),
  );
}

interface DumpedTable {
  readonly caption: string;
  readonly headings: readonly string[];
  readonly data: readonly (readonly unknown[])[];
}
type DumpedRow = Record<string, unknown>;

function rowsOf({ headings, data }: DumpedTable): DumpedRow[] {
  return data.map((cells) => Object.fromEntries(headings.map((name, i) => [name, cells[i]])));
}

/** A router names its routes: of those, the ones that are not ours, in an order of their own. */
function withoutOurs(row: DumpedRow, ours: ReadonlySet<string>): DumpedRow {
  if (!('static_routes' in row)) return row;
  const value = row['static_routes'] as [string, unknown];
  const uuids = value[0] === 'set' ? (value[1] as [string, string][]) : [value as [string, string]];
  const others = uuids.map(([, uuid]) => uuid).filter((uuid) => !ours.has(uuid));
  return { ...row, static_routes: others.sort() };
}
