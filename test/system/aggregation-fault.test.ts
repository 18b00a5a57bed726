// The real agent finds its aggregation at fault while OVN and the kernel are programmed: what it says, what it keeps, and that the target goes on
// without, forwarding right again, while the other one notices nothing. The core is spoilt by hand: the product has no way to do so.
import { readdir, readFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { AgentSite, BIRD, FRR, isRoot, OUTPUT_PORT, ROUTER, TABLE } from './agent-site.ts';

const FIRST = '10.200.0.0/24';
const SECOND = '10.200.1.0/24';
const WITHIN = '10.200.1.128/25';
const BOTH = '10.200.0.0/23';

it.runIf(isRoot)(
  'ends aggregation in OVN at a fault, tells of it, and forwards right',
  async () => {
    await using site = await AgentSite.open();
    await site.startNorthbound();
    await site.addRouter();
    await site.frr([
      ' address-family ipv4 unicast',
      ...[FIRST, SECOND].map((prefix) => `  network ${prefix}`),
      ' exit-address-family',
    ]);
    await site.bird([WITHIN]);
    const dumpDirectory = join(site.directory, 'dumps');
    await site.configure({
      networks: [
        {
          name: 'default',
          table: TABLE,
          hostAggregation: 'exact',
          ovn: { router: ROUTER, outputPort: OUTPUT_PORT, aggregation: 'exact' },
        },
      ],
      verify: { interval: '1s', dumpDirectory },
    });
    const agent = await site.processes.start({
      name: 'agent',
      command: process.execPath,
      args: [
        fileURLToPath(new URL('./spoilt-agent.ts', import.meta.url)),
        'agent',
        '--config',
        site.configFile,
      ],
      namespace: site.node,
      env: { SPOIL: `${WITHIN} ${BOTH}` },
      ready: async () => (await site.ask('status')) !== undefined,
      readyTimeoutMs: 60_000,
    });
    const fewest = [`${BOTH} via ${FRR}`, `${WITHIN} via ${BIRD}`].sort();
    const untilRows = (what: string, rows: readonly string[]) =>
      site.until(what, async () => JSON.stringify(await site.rows()) === JSON.stringify(rows));
    const verify = () => site.rutterInNode('verify', '--socket', site.socket);
    const green = { code: 0, stdout: '', stderr: '' };
    await untilRows('two rows', fewest);
    await site.until(
      'two routes',
      async () => JSON.stringify(await site.kernelRoutes()) === JSON.stringify(fewest),
    );
    await site.until('OVN verified', async () => 'verifiedAt' in (await site.target('ovn')));
    expect(await verify()).toEqual(green);
    const { writtenCount } = await site.target('host');

    agent.signal('SIGUSR2');
    const everyRoute = [...fewest.slice(1), `${FIRST} via ${FRR}`, `${SECOND} via ${FRR}`].sort();
    await untilRows('a row for each route', everyRoute);
    expect(await site.target('ovn')).toMatchObject({ aggregation: 'ended', aggregationFaults: 1 });
    expect(await verify()).toEqual(green);
    expect(await site.target('host')).toMatchObject({
      ...{ aggregation: 'exact', aggregationFaults: 0, writtenCount },
    });
    const range = {
      ...{ first: '10.200.1.128', last: '10.200.1.255', expected: BIRD, actual: FRR },
    };
    const alarms = await site.logged(agent, 'aggregation was at fault and has ended');
    expect(alarms).toMatchObject([{ network: 'default', target: 'ovn', rangeCount: 1, range }]);
    const [dump] = await readdir(dumpDirectory);
    expect(alarms[0]).toHaveProperty('dump', join(dumpDirectory, dump!));
    const told = JSON.parse(await readFile(join(dumpDirectory, dump!), 'utf8'));
    expect(told).toMatchObject({ network: 'default', target: 'ovn', ranges: [range] });
    expect(await metricsOf(site.socket)).toMatch(
      /^rutter_target_aggregation_ended\{[^}]*target="ovn"[^}]*\} 1$/m,
    );
    const { stdout } = await site.asked('networks');
    expect(stdout).toContain('aggregation was at fault and has ended (log)');

    agent.signal('SIGHUP');
    await untilRows('as few rows as before', fewest);
    expect(await site.target('ovn')).toMatchObject({ aggregation: 'exact' });
    expect(await verify()).toEqual(green);
  },
);

async function metricsOf(socketPath: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  get({ socketPath, path: '/metrics' }, resolve).once('error', reject);
  return text(await promise);
}
