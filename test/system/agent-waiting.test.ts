// Two networks of a running agent: what one of them waits for is said, and concerns the other in nothing.
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentSite, BIRD, FRR, isRoot, OUTPUT_PORT, peer, ROUTER, TABLE } from './agent-site.ts';

const BLUE_ROUTER = 'GR_blue_node';
const BLUE_PORT = 'rtoe-GR_blue_node';
const IN_DEFAULT = '203.0.113.0/24';
const IN_BLUE = '198.51.100.0/24';

describe.runIf(isRoot)('an agent of two networks', () => {
  let site: AgentSite;

  beforeAll(async () => {
    site = await AgentSite.open();
    await site.startNorthbound();
    await site.addRouter();
    await site.frr([
      ' address-family ipv4 unicast',
      `  network ${IN_DEFAULT}`,
      ' exit-address-family',
    ]);
    await site.bird([IN_BLUE]);
    await site.agent({
      config: {
        bgp: {
          peers: [peer('tor-a', FRR, 65001), peer('tor-b', BIRD, 65002, { network: 'blue' })],
        },
        networks: [
          { name: 'default', table: TABLE, ovn: { router: ROUTER, outputPort: OUTPUT_PORT } },
          { name: 'blue', ovn: { router: BLUE_ROUTER, outputPort: BLUE_PORT } },
        ],
      },
    });
    await site.until('rows of default', async () => (await inDefault()) === VIA_FRR);
  }, 60_000);

  afterAll(() => site?.[Symbol.asyncDispose]());

  const VIA_FRR = `${IN_DEFAULT} via ${FRR}`;
  const VIA_BIRD = `${IN_BLUE} via ${BIRD}`;

  /** `prefix via nexthop` of a router's rows. */
  async function rowsOn(router: string): Promise<string> {
    const names = ['--bare', '--columns=static_routes', 'find', 'Logical_Router', `name=${router}`];
    const uuids = (await site.nbctl(...names)).split(/\s+/).filter(Boolean);
    const rows = uuids.map(async (uuid) =>
      (
        await site.nbctl(
          ...['--bare', '--columns=ip_prefix,nexthop', 'list', 'Logical_Router_Static_Route', uuid],
        )
      )
        .trim()
        .replace('\n', ' via '),
    );
    return (await Promise.all(rows)).sort().join();
  }
  const inDefault = (): Promise<string> => rowsOn(ROUTER);
  const inBlue = (): Promise<string> => rowsOn(BLUE_ROUTER);

  async function targetOf(name: string): Promise<Record<string, unknown>> {
    const network = (await site.list('networks')).find((each) => each['network'] === name)!;
    const targets = network['targets'] as Record<string, unknown>[];
    return targets.find(({ target }) => target === 'ovn')!;
  }
  const untilBlue = (state: string, reason: string): Promise<void> =>
    site.until(`blue ${state}: ${reason}`, async () => {
      const target = await targetOf('blue');
      return target['state'] === state && target['reason'] === reason;
    });

  /** default goes on as if nothing were: a change of its own gets through. */
  async function defaultRuns(): Promise<void> {
    expect(await targetOf('default')).toMatchObject({ state: 'ready', pendingCount: 0 });
    const row = ['find', 'Logical_Router_Static_Route', `ip_prefix="${IN_DEFAULT}"`];
    const uuid = (await site.nbctl('--bare', '--columns=_uuid', ...row)).trim();
    await site.nbctl('remove', 'Logical_Router', ROUTER, 'static_routes', uuid);
    await site.until('the row put back', async () => (await inDefault()) === VIA_FRR);
  }

  /** network → value of rutter_target_ready. */
  async function ready(): Promise<Record<string, string>> {
    const lines = [
      ...(await metrics()).matchAll(/^rutter_target_ready\{network="(\w+)",target="ovn"\} (\d)/gm),
    ];
    return Object.fromEntries(lines.map(([, network, value]) => [network!, value!]));
  }

  async function metrics(): Promise<string> {
    const outgoing = request({ socketPath: site.socket, path: '/metrics' }).end();
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    return text(response);
  }

  it('says which of them waits for a router, in networks and in metrics, while the other runs', async () => {
    await untilBlue('waiting', `no Logical_Router named ${BLUE_ROUTER}`);
    expect(await ready()).toEqual({ default: '1', blue: '0' });
    const { stdout } = await site.asked('networks');
    expect(stdout).toMatch(
      new RegExp(`blue +ovn +waiting .*no Logical_Router named ${BLUE_ROUTER}`),
    );
    await defaultRuns();
  });

  it('waits for the port, and starts by itself when it comes', async () => {
    await site.nbctl('lr-add', BLUE_ROUTER);
    await untilBlue('waiting', `router ${BLUE_ROUTER} has no port ${BLUE_PORT}`);
    await site.nbctl('lrp-add', BLUE_ROUTER, BLUE_PORT, '02:00:00:78:00:02', '10.78.10.1/24');
    await site.until('rows of blue', async () => (await inBlue()) === VIA_BIRD);
    expect(await ready()).toEqual({ default: '1', blue: '1' });
    expect(await inDefault()).toBe(VIA_FRR);
  });

  it('keeps the rows while the port is away, and goes on when it is back', async () => {
    await site.nbctl('lrp-del', BLUE_PORT);
    await untilBlue('waiting', `router ${BLUE_ROUTER} has no port ${BLUE_PORT}`);
    expect(await inBlue()).toBe(VIA_BIRD);
    await defaultRuns();
    await site.nbctl('lrp-add', BLUE_ROUTER, BLUE_PORT, '02:00:00:78:00:02', '10.78.10.1/24');
    await untilBlue('ready', '');
    expect(await inBlue()).toBe(VIA_BIRD);
  });

  it('loses the rows with the router, and fills a new one of the same name', async () => {
    await site.nbctl('lr-del', BLUE_ROUTER);
    await untilBlue('waiting', `no Logical_Router named ${BLUE_ROUTER}`);
    expect(await site.rows()).toEqual([VIA_FRR]);
    await defaultRuns();
    await site.addRouter(BLUE_ROUTER, BLUE_PORT);
    await site.until('rows of blue', async () => (await inBlue()) === VIA_BIRD);
    expect(await inDefault()).toBe(VIA_FRR);
  });

  it('shows the drift of both networks side by side, or of one', async () => {
    expect(await site.asked('drift')).toMatchObject({ code: 0, stdout: '' });
    await site.nbctl('--ecmp', 'lr-route-add', ROUTER, IN_DEFAULT, '10.78.9.9');
    await site.nbctl('--ecmp', 'lr-route-add', BLUE_ROUTER, IN_BLUE, '10.78.9.9');
    const refused = async (): Promise<unknown[]> =>
      (await site.list('drift')).map(({ network, target, prefix, installed, failure }) => [
        ...[network, target, prefix, installed, (failure as { code?: string } | undefined)?.code],
      ]);
    const theirs = [
      ['default', 'ovn', IN_DEFAULT, 'refused', 'collision'],
      ['blue', 'ovn', IN_BLUE, 'refused', 'collision'],
    ];
    await site.until('both', async () => (await refused()).join('|') === theirs.join('|'));
    const both = await site.asked('drift');
    expect(both.code).toBe(3);
    expect(both.stdout).toMatch(/default +203\.0\.113\.0\/24.*\nblue +198\.51\.100\.0\/24/);
    const one = await site.asked('drift', '--network', 'blue');
    expect(one.code).toBe(3);
    expect(one.stdout).not.toContain('default');
    expect(await metrics()).toContain(
      'rutter_target_refused_entries_by_code{network="blue",target="ovn",code="collision"} 1',
    );
    await site.nbctl('lr-route-del', ROUTER, IN_DEFAULT);
    await site.nbctl('lr-route-del', BLUE_ROUTER, IN_BLUE);
    await site.until('rows of both', async () => {
      return (await inDefault()) === VIA_FRR && (await inBlue()) === VIA_BIRD;
    });
  });

  it('waits while two routers have the name, and fills neither', async () => {
    await site.nbctl('lr-add', 'second');
    await site.nbctl('set', 'Logical_Router', 'second', `name=${BLUE_ROUTER}`);
    await untilBlue('waiting', `2 Logical_Routers named ${BLUE_ROUTER}, expected one`);
    await defaultRuns();
  });
});
