// What OVN's rows give reason to announce, and when it is in place.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatPrefix } from '../../../src/net/prefix.ts';
import type { Candidate } from '../../../src/networks/announcements/announcement.ts';
import { OvnCandidates } from '../../../src/networks/announcements/ovn-candidates.ts';
import type { OvnRequest } from '../../../src/networks/announcements/ovn-request.ts';
import type { Value } from '../../../src/ovsdb/values.ts';
import { OvnModel } from './ovn-model.ts';

const CHASSIS = 'node';
const CHASSIS_UUID = 'chassis-1';

type Asked = Pick<OvnRequest, 'kind' | 'what' | 'name'> & { readonly gatewayRouter?: string };

function request({ kind, what, name, gatewayRouter }: Asked): OvnRequest {
  return {
    id: `${kind} ${what} ${name}`,
    network: 'default',
    gatewayRouter,
    kind,
    what,
    name,
  } as OvnRequest;
}

/** Candidates as they are kept by subject; a line each: prefix, source, and why it is not ready. */
class Followed {
  readonly model = new OvnModel();
  readonly #bySubject = new Map<string, readonly Candidate[]>();
  readonly #candidates: OvnCandidates;
  /** Subjects touched by the last change. */
  touched: string[] = [];

  constructor(requests: readonly Asked[], chassisUuid: string | undefined = CHASSIS_UUID) {
    this.#candidates = new OvnCandidates(requests.map(request), CHASSIS);
    if (chassisUuid) this.#candidates.setChassis(chassisUuid);
  }

  put(table: string, uuid: string, columns: Readonly<Record<string, Value>>): this {
    this.#candidates.take([this.model.put(table, uuid, columns)]);
    return this.#follow();
  }

  remove(uuid: string): this {
    this.#candidates.take(this.model.remove(uuid));
    return this.#follow();
  }

  setChassis(uuid: string | undefined): this {
    this.#candidates.setChassis(uuid);
    return this.#follow();
  }

  takeAll(model: OvnModel): this {
    this.#candidates.take(model.snapshot());
    return this.#follow();
  }

  problem(asked: Asked): string | undefined {
    return this.#candidates.problem(request(asked));
  }

  get lines(): string[] {
    return [...this.#bySubject.values()]
      .flat()
      .map(
        ({ prefix, source, notReady = 'ready' }) =>
          `${formatPrefix(prefix)} ${source}: ${notReady}`,
      )
      .sort();
  }

  #follow(): this {
    const touched = this.#candidates.takeTouched();
    this.touched = [...touched.keys()];
    for (const [subject, candidates] of touched) {
      if (candidates.length === 0) this.#bySubject.delete(subject);
      else this.#bySubject.set(subject, candidates);
    }
    return this;
  }
}

function bound(port: string, more: Readonly<Record<string, Value>> = {}): Record<string, Value> {
  return { logical_port: port, chassis: CHASSIS_UUID, up: true, type: '', ...more };
}

function gatewayRouter(followed: Followed, more: Readonly<Record<string, Value>> = {}): Followed {
  return followed
    .put('Logical_Router_Port', 'lrp1', {
      name: 'in',
      networks: new Set(['10.0.0.1/24', 'fe80::1/64']),
    })
    .put('Logical_Router', 'lr1', {
      name: 'GR',
      options: new Map([['chassis', CHASSIS]]),
      ports: new Set(['lrp1']),
      ...more,
    })
    .put('Port_Binding', 'pb-in', bound('in', { type: 'l3gateway' }));
}

describe('ports of a switch', () => {
  const ports: Asked = { kind: 'switch', what: 'ports', name: 'blue' };
  const followed = (addresses: readonly string[], more: Record<string, Value> = {}) =>
    new Followed([ports])
      .put('Logical_Switch_Port', 'p1', {
        name: 'vm1',
        up: true,
        addresses: new Set(addresses),
        ...more,
      })
      .put('Logical_Switch', 's1', { name: 'blue', ports: new Set(['p1']) })
      .put('Port_Binding', 'b1', bound('vm1'));

  it.each<[string, readonly string[], string | undefined, readonly string[]]>([
    [
      'one of each family',
      ['02:00:00:00:00:01 10.0.0.5 fd00::5'],
      undefined,
      ['10.0.0.5/32', 'fd00::5/128'],
    ],
    [
      'several in several texts',
      ['02:00:00:00:00:01 10.0.0.5', '02:00:00:00:00:01 10.0.0.6'],
      undefined,
      ['10.0.0.5/32', '10.0.0.6/32'],
    ],
    [
      'the same twice',
      ['02:00:00:00:00:01 10.0.0.5', '02:00:00:00:00:02 10.0.0.5'],
      undefined,
      ['10.0.0.5/32'],
    ],
    ['dynamic', ['dynamic'], '02:00:00:00:00:01 10.0.0.7 fd00::7', ['10.0.0.7/32', 'fd00::7/128']],
    [
      'a MAC and dynamic',
      ['02:00:00:00:00:01 dynamic'],
      '02:00:00:00:00:01 10.0.0.7',
      ['10.0.0.7/32'],
    ],
    [
      'dynamic columns that nobody asked for',
      ['02:00:00:00:00:01'],
      '02:00:00:00:00:01 10.0.0.7',
      [],
    ],
    ['unknown and a MAC alone', ['unknown', '02:00:00:00:00:01'], undefined, []],
    [
      'what is no address of others',
      ['02:00:00:00:00:01 169.254.1.1 fe80::1 127.0.0.1 224.0.0.1 ff02::1 0.0.0.0 ::'],
      undefined,
      [],
    ],
    [
      'hostile text',
      ['02:00:00:00:00:01 10.0.0.999 $(reboot) 10.0.0.5/33/1 ::ffff:x', '\n'],
      undefined,
      [],
    ],
  ])('%s', (_name, addresses, dynamic, expected) => {
    expect(followed(addresses, { dynamic_addresses: dynamic }).lines).toEqual(
      expected.map((prefix) => `${prefix} port vm1 of switch blue: ready`),
    );
  });

  const one = ['02:00:00:00:00:01 10.0.0.5'];
  const only = (reason: string) => [`10.0.0.5/32 port vm1 of switch blue: ${reason}`];

  it.each<[string, (it: Followed) => Followed, string]>([
    [
      'is not up in NB',
      (it) => it.put('Logical_Switch_Port', 'p1', { up: false }),
      'port vm1 is not up',
    ],
    [
      'was never up',
      (it) => it.put('Logical_Switch_Port', 'p1', { up: undefined }),
      'port vm1 is not up',
    ],
    [
      'is disabled',
      (it) => it.put('Logical_Switch_Port', 'p1', { enabled: false }),
      'port vm1 is disabled',
    ],
    [
      'has no flows yet',
      (it) => it.put('Port_Binding', 'b1', { up: false }),
      'port vm1 is not bound and up on chassis node',
    ],
    [
      'is bound elsewhere',
      (it) => it.put('Port_Binding', 'b1', { chassis: 'chassis-2' }),
      'port vm1 is not bound and up on chassis node',
    ],
    [
      'is bound to nothing',
      (it) => it.put('Port_Binding', 'b1', { chassis: undefined }),
      'port vm1 is not bound and up on chassis node',
    ],
    [
      'has lost its binding',
      (it) => it.remove('b1'),
      'port vm1 is not bound and up on chassis node',
    ],
    [
      'is on a chassis that went',
      (it) => it.setChassis(undefined),
      'port vm1 is not bound and up on chassis node',
    ],
  ])('a port that %s is not ready', (_name, change, reason) => {
    const it = followed(one);
    expect(it.lines).toEqual(only('ready'));
    expect(change(it).lines).toEqual(only(reason));
  });

  it.each<[string, (it: Followed) => Followed]>([
    ['is deleted', (it) => it.remove('p1')],
    ['leaves the switch', (it) => it.put('Logical_Switch', 's1', { ports: new Set() })],
    ['becomes a router port', (it) => it.put('Logical_Switch_Port', 'p1', { type: 'router' })],
    ['has its switch deleted', (it) => it.remove('s1')],
    ['has its switch renamed', (it) => it.put('Logical_Switch', 's1', { name: 'red' })],
  ])('a port that %s gives no reason', (_name, change) => {
    expect(change(followed(one)).lines).toEqual([]);
  });

  it('costs a port that changes itself alone', () => {
    const it = followed(one);
    for (let i = 2; i < 50; i++) {
      it.put('Logical_Switch_Port', `p${i}`, { name: `vm${i}`, up: true, addresses: new Set(one) });
    }
    it.put('Logical_Switch', 's1', {
      ports: new Set(Array.from({ length: 49 }, (_, i) => `p${i + 1}`)),
    });
    expect(it.put('Port_Binding', 'b7', bound('vm7')).touched).toEqual(['port p7']);
    expect(it.put('Logical_Switch_Port', 'p8', { up: false }).touched).toEqual(['port p8']);
  });
});

describe('subnet of a switch', () => {
  const subnet: Asked = { kind: 'switch', what: 'subnet', name: 'blue' };
  const attached = (followed: Followed, otherConfig: readonly (readonly [string, string])[]) =>
    followed
      .put('Logical_Switch_Port', 'att', {
        name: 'att',
        type: 'router',
        options: new Map([['router-port', 'in']]),
      })
      .put('Logical_Switch', 's1', {
        name: 'blue',
        other_config: new Map(otherConfig),
        ports: new Set(['att']),
      });

  it('is what the switch says, IPv6 as a /64', () => {
    const it = attached(gatewayRouter(new Followed([subnet])), [
      ['subnet', '10.0.0.0/24'],
      ['ipv6_prefix', 'fd00:7::'],
    ]);
    expect(it.lines).toEqual(['10.0.0.0/24 switch blue: ready', 'fd00:7::/64 switch blue: ready']);
  });

  it('is what its router port says where the switch says nothing', () => {
    const it = attached(gatewayRouter(new Followed([subnet])), []);
    expect(it.lines).toEqual(['10.0.0.0/24 switch blue: ready']);
  });

  it('waits for a router', () => {
    const it = new Followed([subnet]).put('Logical_Switch', 's1', {
      name: 'blue',
      other_config: new Map([['subnet', '10.0.0.0/24']]),
    });
    expect(it.lines).toEqual(['10.0.0.0/24 switch blue: no router is attached to switch blue']);
  });

  it.each<[string, Record<string, Value>, string | undefined, string]>([
    ['a distributed router', {}, undefined, 'router GR has neither a chassis nor a gateway port'],
    ['a distributed router behind a gateway router that is here', {}, 'edge', 'ready'],
    [
      'a gateway router elsewhere',
      { options: new Map([['chassis', 'other']]) },
      'edge',
      'router GR is on chassis other',
    ],
    ['a disabled router', { enabled: false }, undefined, 'router GR is disabled'],
  ])('behind %s', (_name, router, edge, expected) => {
    const it = new Followed([edge === undefined ? subnet : { ...subnet, gatewayRouter: edge }]);
    gatewayRouter(it, { options: new Map(), ...router });
    it.put('Logical_Router_Port', 'lrp2', { name: 'edge-in' })
      .put('Logical_Router', 'lr2', {
        name: 'edge',
        options: new Map([['chassis', CHASSIS]]),
        ports: new Set(['lrp2']),
      })
      .put('Port_Binding', 'pb2', bound('edge-in', { type: 'l3gateway' }));
    expect(attached(it, [['subnet', '10.0.0.0/24']]).lines).toEqual([
      `10.0.0.0/24 switch blue: ${expected}`,
    ]);
  });

  it('follows a distributed gateway port from chassis to chassis', () => {
    const it = gatewayRouter(new Followed([subnet]), { options: new Map() });
    it.put('Logical_Router_Port', 'lrp1', { gateway_chassis: new Set(['g1']) });
    attached(it, [['subnet', '10.0.0.0/24']]);
    expect(it.lines).toEqual([
      '10.0.0.0/24 switch blue: router port in is not claimed by chassis node',
    ]);
    it.put('Port_Binding', 'cr', bound('cr-in', { type: 'chassisredirect' }));
    expect(it.lines).toEqual(['10.0.0.0/24 switch blue: ready']);
    it.remove('cr');
    expect(it.lines).toEqual([
      '10.0.0.0/24 switch blue: router port in is not claimed by chassis node',
    ]);
  });
});

describe('a router', () => {
  it('gives the networks of its ports, or their addresses', () => {
    const it = gatewayRouter(
      new Followed([
        { kind: 'router', what: 'networks', name: 'GR' },
        { kind: 'router', what: 'addresses', name: 'GR' },
      ]),
    );
    expect(it.lines).toEqual([
      '10.0.0.0/24 port in of router GR: ready',
      '10.0.0.1/32 port in of router GR: ready',
    ]);
    it.put('Logical_Router', 'lr1', { options: new Map([['chassis', 'other']]) });
    expect(it.lines).toEqual([
      '10.0.0.0/24 port in of router GR: router GR is on chassis other',
      '10.0.0.1/32 port in of router GR: router GR is on chassis other',
    ]);
  });

  it('says that it does not exist, or exists twice', () => {
    const asked: Asked = { kind: 'nat', what: 'egress-ips', name: 'GR' };
    const it = new Followed([asked]);
    expect(it.problem(asked)).toBe('router GR does not exist');
    it.put('Logical_Router', 'a', { name: 'GR' });
    expect(it.problem(asked)).toBeUndefined();
    it.put('Logical_Router', 'b', { name: 'GR' });
    expect(it.problem(asked)).toBe('router GR exists 2 times');
  });
});

describe('NAT rows', () => {
  const floating: Asked = { kind: 'nat', what: 'floating-ips', name: 'GR' };
  const egress: Asked = { kind: 'nat', what: 'egress-ips', name: 'GR' };

  it('floating IPs are dnat_and_snat, egress IPs snat, but not the address of the router itself', () => {
    const it = gatewayRouter(new Followed([floating, egress]), { nat: new Set(['n1', 'n2', 'n3']) })
      .put('NAT', 'n1', { type: 'dnat_and_snat', external_ip: '198.51.100.1' })
      .put('NAT', 'n2', { type: 'snat', external_ip: '2001:db8::2' })
      .put('NAT', 'n3', { type: 'snat', external_ip: '10.0.0.1' });
    expect(it.lines).toEqual([
      '10.0.0.1/32 snat of router GR: is an address of router GR itself',
      '198.51.100.1/32 dnat_and_snat of router GR: ready',
      '2001:db8::2/128 snat of router GR: ready',
    ]);
    expect(it.put('NAT', 'n1', { external_ip: '198.51.100.9' }).touched).toEqual(['nat n1']);
    it.put('Logical_Router', 'lr1', { nat: new Set(['n2']) });
    expect(it.touched).toEqual(['nat n1', 'nat n3']);
    expect(it.lines).toEqual(['2001:db8::2/128 snat of router GR: ready']);
  });

  it('a distributed one is where its port is, on a distributed router only', () => {
    const nat = {
      type: 'dnat_and_snat',
      external_ip: '198.51.100.1',
      logical_port: 'vm1',
      external_mac: '02:00:00:00:00:01',
    };
    const distributed = gatewayRouter(new Followed([floating]), {
      nat: new Set(['n1']),
      options: new Map(),
    });
    distributed.put('NAT', 'n1', nat);
    expect(distributed.lines).toEqual([
      '198.51.100.1/32 dnat_and_snat of router GR: port vm1 is not bound and up on this chassis',
    ]);
    distributed.put('Port_Binding', 'b1', bound('vm1'));
    expect(distributed.lines).toEqual(['198.51.100.1/32 dnat_and_snat of router GR: ready']);
    const central = gatewayRouter(new Followed([floating]), { nat: new Set(['n1']) });
    expect(central.put('NAT', 'n1', nat).lines).toEqual([
      '198.51.100.1/32 dnat_and_snat of router GR: ready',
    ]);
  });

  it('one of a gateway port is where that port is', () => {
    const it = gatewayRouter(new Followed([floating]), {
      options: new Map(),
      ports: new Set(['lrp1', 'lrp2']),
      nat: new Set(['n1']),
    })
      .put('Logical_Router_Port', 'lrp1', { gateway_chassis: new Set(['g1']) })
      .put('Logical_Router_Port', 'lrp2', { name: 'second', gateway_chassis: new Set(['g2']) })
      .put('Port_Binding', 'cr', bound('cr-in', { type: 'chassisredirect' }))
      .put('NAT', 'n1', {
        type: 'dnat_and_snat',
        external_ip: '198.51.100.1',
        gateway_port: 'lrp2',
      });
    expect(it.lines).toEqual([
      '198.51.100.1/32 dnat_and_snat of router GR: router port second is not claimed by chassis node',
    ]);
    it.put('NAT', 'n1', { gateway_port: 'lrp1' });
    expect(it.lines).toEqual(['198.51.100.1/32 dnat_and_snat of router GR: ready']);
  });

  it('sees a router that moves while its NAT rows change', () => {
    const it = gatewayRouter(new Followed([floating]), { nat: new Set(['n1']) });
    it.put('NAT', 'n1', { type: 'dnat_and_snat', external_ip: '198.51.100.1' });
    it.put('NAT', 'n2', { type: 'dnat_and_snat', external_ip: '198.51.100.2' });
    it.put('Logical_Router', 'lr1', {
      nat: new Set(['n1', 'n2']),
      options: new Map([['chassis', 'other']]),
    });
    expect(it.lines).toEqual([
      '198.51.100.1/32 dnat_and_snat of router GR: router GR is on chassis other',
      '198.51.100.2/32 dnat_and_snat of router GR: router GR is on chassis other',
    ]);
  });
});

describe('load balancers', () => {
  it('gives the virtual IPs of those attached to the router, directly and by group, with a backend', () => {
    const asked: Asked = { kind: 'loadBalancers', what: 'vips', name: 'GR' };
    const it = gatewayRouter(new Followed([asked]), {
      load_balancer: new Set(['l1']),
      load_balancer_group: new Set(['g1']),
    })
      .put('Load_Balancer', 'l1', {
        name: 'web',
        vips: new Map([
          ['198.51.100.1:80', '10.0.0.5:80'],
          ['[2001:db8::1]:80', '[fd00::5]:80'],
          ['198.51.100.2', '10.0.0.5'],
          ['198.51.100.3:80', ''],
          ['nonsense', '10.0.0.5'],
        ]),
      })
      .put('Load_Balancer', 'l2', { name: 'group', vips: new Map([['2001:db8::2', 'fd00::5']]) })
      .put('Load_Balancer', 'l3', {
        name: 'other',
        vips: new Map([['198.51.100.9:1', '10.0.0.5:1']]),
      })
      .put('Load_Balancer_Group', 'g1', { load_balancer: new Set(['l2']) });
    expect(it.lines).toEqual([
      '198.51.100.1/32 load balancer web of router GR: ready',
      '198.51.100.2/32 load balancer web of router GR: ready',
      '198.51.100.3/32 load balancer web of router GR: 198.51.100.3:80 has no backend',
      '2001:db8::1/128 load balancer web of router GR: ready',
      '2001:db8::2/128 load balancer group of router GR: ready',
    ]);
    it.put('Load_Balancer_Group', 'g1', { load_balancer: new Set() }).remove('l1');
    expect(it.lines).toEqual([]);
  });
});

describe('any sequence of changes', () => {
  const all: readonly Asked[] = [
    { kind: 'switch', what: 'ports', name: 'blue' },
    { kind: 'switch', what: 'subnet', name: 'blue', gatewayRouter: 'GR' },
    { kind: 'router', what: 'networks', name: 'GR' },
    { kind: 'router', what: 'addresses', name: 'DR' },
    { kind: 'nat', what: 'floating-ips', name: 'GR' },
    { kind: 'nat', what: 'egress-ips', name: 'DR' },
    { kind: 'loadBalancers', what: 'vips', name: 'DR' },
  ];
  const pick = <T>(...values: T[]) => fc.constantFrom(...values);
  const subset = (...values: string[]) => fc.subarray(values).map((list) => new Set(list));
  const flag = pick(undefined, true, false);
  const rows = fc.oneof(
    fc.tuple(
      pick('Logical_Switch'),
      pick('s1', 's2'),
      fc.record(
        {
          name: pick('blue', 'red'),
          ports: subset('p1', 'p2', 'att'),
          other_config: pick(new Map(), new Map([['subnet', '10.0.0.0/24']])),
        },
        { requiredKeys: [] },
      ),
    ),
    fc.tuple(
      pick('Logical_Switch_Port'),
      pick('p1', 'p2'),
      fc.record(
        {
          name: pick('vm1', 'vm2'),
          up: flag,
          enabled: flag,
          addresses: subset('02:00:00:00:00:01 10.0.0.5', 'dynamic'),
          dynamic_addresses: pick(undefined, '02:00:00:00:00:01 10.0.0.9'),
        },
        { requiredKeys: [] },
      ),
    ),
    fc.tuple(
      pick('Logical_Switch_Port'),
      pick('att'),
      fc.record({
        name: pick('att'),
        type: pick('router'),
        options: pick(
          new Map(),
          new Map([['router-port', 'in']]),
          new Map([['router-port', 'out']]),
        ),
      }),
    ),
    fc.tuple(
      pick('Logical_Router'),
      pick('lr1', 'lr2'),
      fc.record(
        {
          name: pick('GR', 'DR'),
          enabled: flag,
          options: pick(
            new Map(),
            new Map([['chassis', CHASSIS]]),
            new Map([['chassis', 'other']]),
          ),
          ports: subset('lrp1', 'lrp2'),
          nat: subset('n1', 'n2'),
          load_balancer: subset('l1'),
          load_balancer_group: subset('g1'),
        },
        { requiredKeys: [] },
      ),
    ),
    fc.tuple(
      pick('Logical_Router_Port'),
      pick('lrp1', 'lrp2'),
      fc.record(
        {
          name: pick('in', 'out'),
          networks: subset('10.0.0.1/24', '10.1.0.1/24'),
          enabled: flag,
          gateway_chassis: subset('gc'),
        },
        { requiredKeys: [] },
      ),
    ),
    fc.tuple(
      pick('NAT'),
      pick('n1', 'n2'),
      fc.record(
        {
          type: pick('snat', 'dnat_and_snat'),
          external_ip: pick('198.51.100.1', '10.0.0.1'),
          logical_port: pick(undefined, 'vm1'),
          external_mac: pick(undefined, '02:00:00:00:00:09'),
          gateway_port: pick(undefined, 'lrp1', 'lrp2'),
        },
        { requiredKeys: [] },
      ),
    ),
    fc.tuple(
      pick('Load_Balancer'),
      pick('l1', 'l2'),
      fc.record({ vips: pick(new Map(), new Map([['198.51.100.7:80', '10.0.0.5:80']])) }),
    ),
    fc.tuple(
      pick('Load_Balancer_Group'),
      pick('g1'),
      fc.record({ load_balancer: subset('l1', 'l2') }),
    ),
    fc.tuple(
      pick('Port_Binding'),
      pick('b1', 'b2', 'b3'),
      fc.record(
        {
          logical_port: pick('vm1', 'vm2', 'in', 'out', 'cr-in', 'cr-out'),
          chassis: pick(CHASSIS_UUID, 'chassis-2', undefined),
          up: flag,
          type: pick('', 'l3gateway', 'chassisredirect', 'patch'),
        },
        { requiredKeys: [] },
      ),
    ),
  ) as fc.Arbitrary<[string, string, Record<string, Value>]>;
  const step = fc.oneof(
    { weight: 8, arbitrary: rows },
    {
      weight: 2,
      arbitrary: pick(
        's1',
        's2',
        'p1',
        'p2',
        'att',
        'lr1',
        'lr2',
        'lrp1',
        'lrp2',
        'n1',
        'n2',
        'l1',
        'g1',
        'b1',
        'b2',
        'b3',
      ),
    },
  );

  it('ends as a fresh reading of the same rows', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 30, maxLength: 120 }), (steps) => {
        const followed = new Followed(all);
        for (const each of steps) {
          if (typeof each === 'string') followed.remove(each);
          // A logical port keeps its name: northd makes another binding for another port
          else if (each[0] === 'Port_Binding' && followed.model.has(each[1])) {
            const { logical_port: _, type: __, ...changes } = each[2];
            followed.put(each[0], each[1], changes);
          } else followed.put(...each);
        }
        expect(followed.lines).toEqual(new Followed(all).takeAll(followed.model).lines);
      }),
      { numRuns: 500 },
    );
  });
});
