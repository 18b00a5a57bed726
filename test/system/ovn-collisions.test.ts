// Every kind of row that somebody else may have at our prefix, under every policy: there before ours, coming later, going again.
//
// Routes that a router learned itself (Southbound Learned_Route, OVN 25.03) are not in the table: they are no rows of ours to share a group with, and a
// static route of the same prefix wins over them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OvsdbServer, waitFor } from '../../bench/ovsdb-server.ts';
import { dumpRow, SinkFixture } from './ovn-sink-fixture.ts';

/** A prefix of ours, and what somebody else puts there. */
interface Kind {
  readonly name: string;
  readonly prefix?: string;
  readonly text?: string;
  readonly nexthop?: string;
  readonly columns?: readonly string[];
  /** What its being there means under skip and under share; default collision and nothing. */
  readonly skip?: 'free';
  readonly share?: 'collision';
}

const OWN_PREFIX = '10.7.0.0/16';
const kinds: readonly Kind[] = [
  { name: 'a static route of the CMS', columns: ['output_port=out'] },
  { name: 'a row that names nobody, without a port' },
  {
    name: "OVN-Kubernetes' RouteImport row",
    columns: ['output_port=out', 'external_ids:k8s.ovn.org/owner-controller=RouteImport'],
  },
  { name: 'a row by destination, in words', columns: ['policy=dst-ip'] },
  {
    name: 'a row with ecmp_symmetric_reply',
    columns: ['options:ecmp_symmetric_reply=true', 'output_port=out'],
  },
  { name: 'a discard', nexthop: 'discard', share: 'collision' },
  { name: 'host bits set', text: '10.7.0.5/16' },
  { name: 'a mask for the length', text: '10.7.0.0/255.255.0.0' },
  { name: 'a host without a length', prefix: '10.7.0.5/32', text: '10.7.0.5' },
  {
    name: 'IPv6 in other letters',
    prefix: '2001:db8::/32',
    text: '2001:0DB8:0::/32',
    nexthop: 'fd00::9',
  },
  { name: 'a default route', prefix: '0.0.0.0/0' },
  {
    name: 'a row of another node',
    columns: ['external_ids:rutter/owner=other', 'external_ids:rutter/network=default'],
  },
  {
    name: 'a row of another network',
    columns: ['external_ids:rutter/owner=node', 'external_ids:rutter/network=blue'],
  },
  {
    name: 'a policy by source, as of an external gateway',
    columns: ['policy=src-ip', 'options:ecmp_symmetric_reply=true'],
    skip: 'free',
  },
  { name: 'another route table', columns: ['route_table=blue'], skip: 'free' },
  { name: 'a prefix that covers ours', text: '10.0.0.0/8', skip: 'free' },
  { name: 'a prefix that ours covers', text: '10.7.1.0/24', skip: 'free' },
  { name: 'no prefix at all', text: 'nonsense', skip: 'free' },
];
const policies = ['skip', 'replace-when-gone', 'share'] as const;

const cases = kinds.flatMap((kind) => policies.map((policy) => ({ kind, policy, at: kind.name })));

let server: OvsdbServer;
let count = 0;
beforeAll(async () => {
  server = await OvsdbServer.start();
});
afterAll(() => server.stop());

/** A router of its own for each case, with a sink on it. */
function place(policy: (typeof policies)[number]): Place {
  const router = `gr${++count}`;
  const port = `out${count}`;
  server.nbctl(
    ...['lr-add', router],
    ...['--', 'lrp-add', router, port, '02:00:00:00:00:01', '172.18.0.254/16'],
  );
  const fixture = new SinkFixture({
    remotes: [server.remote],
    router,
    outputPort: port,
    collision: policy,
  });
  return new Place(router, port, fixture);
}

class Place implements AsyncDisposable {
  readonly router: string;
  readonly port: string;
  readonly fixture: SinkFixture;

  constructor(router: string, port: string, fixture: SinkFixture) {
    this.router = router;
    this.port = port;
    this.fixture = fixture;
  }

  add({ prefix = OWN_PREFIX, text = prefix, nexthop = '172.18.0.9', columns = [] }: Kind): string {
    const row = [`ip_prefix="${text}"`, `nexthop="${nexthop}"`, ...columns];
    const create = ['--id=@r', 'create', 'Logical_Router_Static_Route', ...row];
    const add = ['add', 'Logical_Router', this.router, 'static_routes', '@r'];
    return server.nbctl(...create, '--', ...add).trim();
  }

  remove(uuid: string): void {
    server.nbctl('remove', 'Logical_Router', this.router, 'static_routes', uuid);
  }

  /** uuids of our rows on the router. */
  ours(): string[] {
    const routes = server.nbctl('--bare', 'get', 'Logical_Router', this.router, 'static_routes');
    const mine = server.nbctl(
      ...['--bare', '--columns=_uuid', 'find', 'Logical_Router_Static_Route'],
      ...['external_ids:rutter/owner=node', 'external_ids:rutter/network=default'],
    );
    return mine.split('\n').filter((uuid) => uuid !== '' && routes.includes(uuid));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.fixture.sink.close();
  }
}

describe('rows of others at our prefix', () => {
  it.each(cases)('$at, under $policy', async ({ kind, policy }) => {
    await using here = place(policy);
    const { fixture } = here;
    const prefix = kind.prefix ?? OWN_PREFIX;
    const ours = [{ prefix, to: prefix.includes(':') ? ['fd00::2'] : ['172.18.0.2'] }];
    const code =
      kind.skip === 'free' || (policy === 'share' && kind.share !== 'collision')
        ? undefined
        : policy === 'replace-when-gone'
          ? 'waiting-for-foreign'
          : 'collision';

    const before = here.add(kind);
    const dump = dumpRow(server, before);
    await fixture.open();
    expect((await fixture.apply(ours)).failures.map((failure) => failure.code)).toEqual(
      code === undefined ? [] : [code],
    );
    expect(here.ours()).toHaveLength(code === undefined ? 1 : 0);
    expect(dumpRow(server, before)).toBe(dump);
    here.remove(before);
    if (code !== undefined) {
      await waitFor(() => fixture.heard('released').length === 1, 'release', 5000);
      expect(fixture.heard('released')[0]!.prefixes).toEqual([prefix]);
      expect((await fixture.apply(ours)).failures).toEqual([]);
    }
    expect(here.ours()).toHaveLength(1);

    fixture.forgetEvents();
    const after = here.add(kind);
    if (code !== undefined) {
      await waitFor(() => fixture.heard('refused').length === 1, 'refusal', 5000);
      expect(fixture.heard('refused')[0]).toMatchObject({ code, prefixes: [prefix] });
      expect(here.ours()).toEqual([]);
      here.remove(after);
      await waitFor(() => fixture.heard('released').length === 1, 'release', 5000);
      expect((await fixture.apply(ours)).failures).toEqual([]);
    } else {
      // A transaction of our own comes after all that was heard before it.
      await fixture.apply([{ prefix: '203.0.113.0/24', to: ['172.18.0.2'] }]);
      await fixture.apply([{ prefix: '203.0.113.0/24' }]);
      expect(fixture.heard('refused')).toEqual([]);
    }
    expect(here.ours()).toHaveLength(1);
  });

  it.each(policies)('a network of the router itself, under %s', async (policy) => {
    await using here = place(policy);
    const { fixture, port } = here;
    const networks = (...list: readonly string[]): void => {
      const values = ['172.18.0.254/16', ...list].map((each) => `"${each}"`).join(',');
      server.nbctl('set', 'Logical_Router_Port', port, `networks=[${values}]`);
    };
    const ours = [{ prefix: OWN_PREFIX, to: ['172.18.0.2'] }];
    networks('10.7.3.4/16');
    await fixture.open();
    expect((await fixture.apply(ours)).failures).toMatchObject([{ code: 'connected' }]);
    networks();
    await waitFor(() => fixture.heard('released').length === 1, 'release', 5000);
    expect((await fixture.apply(ours)).failures).toEqual([]);
    networks('10.7.3.4/16');
    await waitFor(() => fixture.heard('refused').length === 1, 'refusal', 5000);
    expect(fixture.heard('refused')[0]).toMatchObject({ code: 'connected' });
    expect(here.ours()).toEqual([]);
    networks();
    await waitFor(() => fixture.heard('released').length === 2, 'release', 5000);
    expect((await fixture.apply(ours)).failures).toEqual([]);
  });

  it('of a discard of ours, under share', async () => {
    await using here = place('share');
    const { fixture } = here;
    await fixture.open();
    const discard = [{ prefix: OWN_PREFIX, to: 'discard' as const }];
    expect((await fixture.apply(discard)).failures).toEqual([]);
    const foreign = here.add({ name: 'a row' });
    await waitFor(() => fixture.heard('refused').length === 1, 'refusal', 5000);
    expect(here.ours()).toEqual([]);
    expect((await fixture.apply(discard)).failures).toMatchObject([{ code: 'collision' }]);
    // It may share as soon as it forwards.
    expect((await fixture.apply([{ prefix: OWN_PREFIX, to: ['172.18.0.2'] }])).failures).toEqual(
      [],
    );
    here.remove(foreign);
  });

  it('change into something else: another policy frees the prefix, none takes it back', async () => {
    await using here = place('skip');
    const { fixture } = here;
    const ours = [{ prefix: OWN_PREFIX, to: ['172.18.0.2'] }];
    const foreign = here.add({ name: 'a row' });
    await fixture.open();
    expect((await fixture.apply(ours)).failures).toMatchObject([{ code: 'collision' }]);
    server.nbctl('set', 'Logical_Router_Static_Route', foreign, 'policy=src-ip');
    await waitFor(() => fixture.heard('released').length === 1, 'release', 5000);
    expect((await fixture.apply(ours)).failures).toEqual([]);
    server.nbctl('clear', 'Logical_Router_Static_Route', foreign, 'policy');
    await waitFor(() => fixture.heard('refused').length === 1, 'refusal', 5000);
    expect(here.ours()).toEqual([]);
  });
});
