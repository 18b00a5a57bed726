// Rows of OVN's databases → candidates, and which of them a change touches.
//
// A subject is what candidates are made from at once: a switch port, a NAT row, or everything of a request whose parts hang
// together (a switch's subnet, a router's ports, a router's load balancers). A port or NAT row that changes costs itself; a
// gateway that moves costs all that is behind it.
//
// Pure but for its memory: changes in, subjects with their candidates out.
import { comparePrefixes, type Prefix } from '../../net/prefix.ts';
import type { Row, RowChange } from '../../ovsdb/monitor.ts';
import type { Candidate } from './announcement.ts';
import {
  connectedPrefixes,
  hostPrefixes,
  portPrefixes,
  subnetPrefixes,
  virtualIp,
} from './ovn-addresses.ts';
import { carrierOf, type OvnRequest, workloadPortTypes } from './ovn-request.ts';
import { type NamedRow, OvnRows } from './ovn-rows.ts';
import { Readiness } from './readiness.ts';

/** To read a row costs a fraction of what it costs to find a subject's candidates. */
const ROWS_PER_SUBJECT = 4;

type Subject = `port ${string}` | `nat ${string}` | `request ${string}`;

/** A prefix of a subject before it belongs to a request. */
interface Found {
  readonly prefix: Prefix;
  readonly source: string;
  readonly notReady: string | undefined;
}

/** The Chassis row of this node is another, or is gone. */
interface ChassisChange {
  readonly chassis: string | undefined;
}

const natTypes = { 'floating-ips': 'dnat_and_snat', 'egress-ips': 'snat' } as const;

export class OvnCandidates {
  readonly #requests: ReadonlyMap<string, OvnRequest>;
  readonly #rows = new OvnRows();
  readonly #readiness: Readiness;
  /** What came, in its order; of the first, so many rows have been read. */
  readonly #unread: (readonly RowChange[] | ChassisChange)[] = [];
  #readCount = 0;
  readonly #isKnown: (subject: string) => boolean;
  /** Touched subjects that had candidates: what they say now may be bad news. */
  readonly #urgent = new Set<Subject>();
  readonly #touched = new Set<Subject>();
  readonly #switchNames = new Map<string, string>();
  /** Of each router, what of its own columns decides where it is. */
  readonly #routerPlaces = new Map<string, string>();

  /** `isKnown`: whether the subject's candidates are in use. */
  constructor(
    requests: readonly OvnRequest[],
    chassis: string,
    isKnown: (subject: string) => boolean = () => false,
  ) {
    this.#isKnown = isKnown;
    this.#requests = new Map(requests.map((request) => [request.id, request]));
    this.#readiness = new Readiness(this.#rows, chassis);
  }

  /** Takes changes of either database; they are read by takeTouched(). */
  take(changes: readonly RowChange[]): void {
    if (changes.length > 0) this.#unread.push(changes);
  }

  /** takeTouched() has work to do. */
  get hasTouched(): boolean {
    return this.#unread.length + this.#urgent.size + this.#touched.size > 0;
  }

  /** In their order. A row is what it is now, whenever its change is read: in the end that is the same. */
  #readRows(most: number): void {
    for (let left = most; left > 0 && this.#unread.length > 0; ) {
      const changes = this.#unread[0]!;
      if ('chassis' in changes) {
        this.#moveTo(changes.chassis);
        this.#unread.shift();
        continue;
      }
      const next = changes.slice(this.#readCount, this.#readCount + left);
      this.#rows.take(next);
      for (const change of next) this.#touch(change);
      left -= next.length;
      this.#readCount += next.length;
      if (this.#readCount < changes.length) return;
      this.#unread.shift();
      this.#readCount = 0;
    }
  }

  /** The Chassis row of this node is another, or is gone: what is bound to it comes as changes. */
  setChassis(uuid: string | undefined): void {
    this.#unread.push({ chassis: uuid });
  }

  #moveTo(uuid: string | undefined): void {
    this.#rows.setChassis(uuid);
    for (const port of this.#rows.all('Logical_Switch_Port')) this.#add(`port ${port.uuid}`);
    this.#touchGateways();
  }

  /**
   * Touched subjects with the candidates they have now, at most so many; those that had candidates first, the others when every row
   * has been read.
   */
  takeTouched(most = Number.POSITIVE_INFINITY): Map<string, readonly Candidate[]> {
    this.#readRows(most * ROWS_PER_SUBJECT);
    const result = new Map<string, readonly Candidate[]>();
    const isRead = this.#unread.length === 0;
    for (const subjects of isRead ? [this.#urgent, this.#touched] : [this.#urgent]) {
      for (const subject of subjects) {
        if (result.size >= most) return result;
        subjects.delete(subject);
        result.set(subject, this.#candidates(subject));
      }
    }
    return result;
  }

  /** Subjects that another's word was taken for: what they are here is looked at too. */
  touch(subjects: Iterable<string>): void {
    for (const subject of subjects) this.#add(subject as Subject);
  }

  #add(subject: Subject): void {
    (this.#isKnown(subject) ? this.#urgent : this.#touched).add(subject);
  }

  /** Why a request finds nothing at all; undefined: its object is there. */
  problem({ kind, name }: OvnRequest): string | undefined {
    const isSwitch = kind === 'switch';
    const { length } = this.#rows.named(isSwitch ? 'Logical_Switch' : 'Logical_Router', name);
    const what = isSwitch ? 'switch' : 'router';
    if (length === 1) return undefined;
    return length === 0
      ? `${what} ${name} does not exist`
      : `${what} ${name} exists ${length} times`;
  }

  #touch({ table, uuid, kind, row, setChanges }: RowChange): void {
    switch (table) {
      case 'Logical_Switch':
        this.#touchSwitch(uuid, kind, row, setChanges);
        break;
      case 'Logical_Switch_Port':
        this.#add(`port ${uuid}`);
        if (row['type'] === 'router') this.#touchRequests('switch');
        break;
      case 'Logical_Router':
        this.#touchRouter(uuid, kind, row, setChanges);
        break;
      case 'NAT':
        this.#add(`nat ${uuid}`);
        break;
      case 'Port_Binding':
        this.#touchBinding(row);
        break;
      case 'Load_Balancer':
      case 'Load_Balancer_Group':
        this.#touchRequests('loadBalancers');
        break;
      default:
        this.#touchGateways();
    }
  }

  #touchSwitch(
    uuid: string,
    kind: RowChange['kind'],
    row: Row,
    setChanges: RowChange['setChanges'],
  ): void {
    const name = row['name'] as string;
    const isRenamed = kind === 'modify' && this.#switchNames.get(uuid) !== name;
    const stayed = isRenamed ? (row['ports'] as ReadonlySet<string>) : [];
    const ports = [...stayed, ...changedMembers('ports', kind, row, setChanges)];
    for (const port of ports) this.#add(`port ${port}`);
    if (kind === 'delete') this.#switchNames.delete(uuid);
    else this.#switchNames.set(uuid, name);
    this.#touchRequests('switch');
  }

  #touchRouter(
    uuid: string,
    kind: RowChange['kind'],
    row: Row,
    setChanges: RowChange['setChanges'],
  ): void {
    for (const nat of changedMembers('nat', kind, row, setChanges)) {
      this.#add(`nat ${nat}`);
    }
    const options = row['options'] as ReadonlyMap<string, string>;
    const place = `${row['name']} ${row['enabled']} ${options.get('chassis')}`;
    const isNatOnly = setChanges.size === 1 && setChanges.has('nat');
    if (isNatOnly && this.#routerPlaces.get(uuid) === place) return;
    if (kind === 'delete') this.#routerPlaces.delete(uuid);
    else this.#routerPlaces.set(uuid, place);
    this.#touchGateways();
  }

  #touchBinding(row: Row): void {
    const name = row['logical_port'] as string;
    for (const { uuid } of this.#rows.named('Logical_Switch_Port', name)) {
      this.#add(`port ${uuid}`);
    }
    for (const uuid of this.#rows.natsOfPort(name)) this.#add(`nat ${uuid}`);
    if (carrierOf(row['type'] as string) === 'gateway') this.#touchGateways();
  }

  /** A gateway may have moved: everything behind gateways. */
  #touchGateways(): void {
    for (const { uuid } of this.#rows.all('NAT')) this.#add(`nat ${uuid}`);
    for (const kind of ['switch', 'router', 'loadBalancers'] as const) this.#touchRequests(kind);
  }

  #touchRequests(kind: OvnRequest['kind']): void {
    for (const request of this.#requests.values()) {
      if (request.kind === kind && request.what !== 'ports') this.#add(`request ${request.id}`);
    }
  }

  #candidates(subject: Subject): Candidate[] {
    const separator = subject.indexOf(' ');
    const id = subject.slice(separator + 1);
    switch (subject.slice(0, separator)) {
      case 'port':
        return this.#portCandidates(id);
      case 'nat':
        return this.#natCandidates(id);
      default:
        return this.#requestCandidates(this.#requests.get(id));
    }
  }

  #portCandidates(uuid: string): Candidate[] {
    const row = this.#rows.row('Logical_Switch_Port', uuid);
    if (row === undefined || !workloadPortTypes.includes(row['type'] as string)) return [];
    return this.#rows.parents('Logical_Switch.ports', uuid).flatMap((parent) => {
      const name = parent.row['name'] as string;
      const requests = this.#requestsOf('switch', 'ports', name);
      if (requests.length === 0) return [];
      const source = `port ${row['name']} of switch ${name}`;
      const notReady = this.#readiness.workload({ uuid, row });
      const prefixes = portPrefixes(
        row['addresses'] as ReadonlySet<string>,
        row['dynamic_addresses'] as string | undefined,
      );
      const found = prefixes.map((prefix) => ({ prefix, source, notReady }));
      return requests.flatMap((request) => answers(request, found));
    });
  }

  #natCandidates(uuid: string): Candidate[] {
    const row = this.#rows.row('NAT', uuid);
    if (row === undefined) return [];
    const what = row['type'] === natTypes['egress-ips'] ? 'egress-ips' : 'floating-ips';
    return this.#rows.parents('Logical_Router.nat', uuid).flatMap((router) => {
      const requests = this.#requestsOf('nat', what, router.row['name'] as string);
      if (requests.length === 0) return [];
      const source = `${row['type']} of router ${router.row['name']}`;
      const notReady = this.#readiness.nat({ uuid, row }, router);
      const found = hostPrefixes([row['external_ip'] as string]).map((prefix) => ({
        prefix,
        source,
        notReady: notReady ?? this.#ownAddress(router, prefix),
      }));
      return requests.flatMap((request) => answers(request, found));
    });
  }

  /** A cluster's own SNAT hides behind an address of the router: that is the node's, and reached without our help. */
  #ownAddress(router: NamedRow, prefix: Prefix): string | undefined {
    const networks = this.#portsOf(router).flatMap(({ row }) => [...networksOf(row)]);
    const isOwn = hostPrefixes(networks).some((own) => comparePrefixes(own, prefix) === 0);
    return isOwn ? `is an address of router ${router.row['name']} itself` : undefined;
  }

  #requestCandidates(request: OvnRequest | undefined): Candidate[] {
    if (request === undefined) return [];
    const table = request.kind === 'switch' ? 'Logical_Switch' : 'Logical_Router';
    const objects = this.#rows.named(table, request.name);
    return objects.flatMap((object) => answers(request, this.#found(request, object)));
  }

  #found({ kind, what, gatewayRouter }: OvnRequest, object: NamedRow): Found[] {
    if (kind === 'switch') return this.#subnets(object, gatewayRouter);
    return kind === 'router' ? this.#connected(object, what) : this.#virtualIps(object);
  }

  /** What the switch says is its subnet, or else what the routers attached to it say. */
  #subnets({ uuid, row }: NamedRow, gatewayRouter: string | undefined): Found[] {
    const source = `switch ${row['name']}`;
    const ports = this.#rows.routerPortsOf(uuid);
    const declared = subnetPrefixes(row['other_config'] as ReadonlyMap<string, string>);
    const prefixes =
      declared.length > 0
        ? declared
        : connectedPrefixes(ports.flatMap((port) => [...networksOf(port.row)]));
    const reasons = ports.map((port) => this.#readiness.routerPortOrGateway(port, gatewayRouter));
    const notReady = reasons.includes(undefined)
      ? undefined
      : (reasons[0] ?? `no router is attached to switch ${row['name']}`);
    return prefixes.map((prefix) => ({ prefix, source, notReady }));
  }

  #connected(router: NamedRow, what: 'networks' | 'addresses'): Found[] {
    return this.#portsOf(router).flatMap((port) => {
      const networks = networksOf(port.row);
      const prefixes = what === 'networks' ? connectedPrefixes(networks) : hostPrefixes(networks);
      const notReady = this.#readiness.routerPort(port);
      const source = `port ${port.row['name']} of router ${router.row['name']}`;
      return prefixes.map((prefix) => ({ prefix, source, notReady }));
    });
  }

  #virtualIps(router: NamedRow): Found[] {
    const groups = this.#rows.children(
      'Logical_Router.load_balancer_group',
      router,
      'Load_Balancer_Group',
    );
    const balancers = [
      ...this.#rows.children('Logical_Router.load_balancer', router, 'Load_Balancer'),
      ...groups.flatMap((group) =>
        this.#rows.children('Load_Balancer_Group.load_balancer', group, 'Load_Balancer'),
      ),
    ];
    const wayIn = this.#readiness.router(router);
    return balancers.flatMap(({ row }) => {
      const source = `load balancer ${row['name']} of router ${router.row['name']}`;
      return [...(row['vips'] as ReadonlyMap<string, string>)].flatMap(([vip, backends]) => {
        const prefix = virtualIp(vip);
        const notReady = wayIn ?? (backends === '' ? `${vip} has no backend` : undefined);
        return prefix === undefined ? [] : [{ prefix, source, notReady }];
      });
    });
  }

  #portsOf(router: NamedRow): NamedRow[] {
    return this.#rows.children('Logical_Router.ports', router, 'Logical_Router_Port');
  }

  #requestsOf(kind: OvnRequest['kind'], what: OvnRequest['what'], name: string): OvnRequest[] {
    return [...this.#requests.values()].filter(
      (request) => request.kind === kind && request.what === what && request.name === name,
    );
  }
}

function answers({ id, network }: OvnRequest, found: readonly Found[]): Candidate[] {
  return found.map((each) => ({ network, request: id, ...each }));
}

function networksOf(port: Row): ReadonlySet<string> {
  return port['networks'] as ReadonlySet<string>;
}

/** Members that came or went; all of them where the row itself did. */
function changedMembers(
  column: string,
  kind: RowChange['kind'],
  row: Row,
  setChanges: RowChange['setChanges'],
): readonly string[] {
  if (kind !== 'modify') return [...((row[column] ?? []) as ReadonlySet<string>)];
  const change = setChanges.get(column);
  return [...(change?.added ?? []), ...(change?.removed ?? [])] as string[];
}
