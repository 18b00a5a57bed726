// The lab for a machine where nothing can be set up: the same agent in a dry run, and a built-in peer that announces a sample.
import { ControlClient } from '../control/client.ts';
import { askAgent, startAgent } from './agent.ts';
import { claimLab, type LabRecord, writeLab } from './lab-record.ts';
import { processIdentity } from './process-identity.ts';
import { Processes, waitUntil } from './processes.ts';
import { type LabRun, quoteAgentLog, runAndCleanUp, sayCommands, stayUp, typed } from './run.ts';
import { startSamplePeer } from './sample-peer.ts';
import { sampleAsn, sampleRoutes } from './sample-routes.ts';

/** Resolves with true when every sample route was learned. */
export async function runSampleLab(run: LabRun): Promise<boolean> {
  const { name, steps, stopped } = run;
  const record = await claimLab({ name, kind: 'sample', namespaces: [] });
  return runAndCleanUp(run, record, async (cleanup) => {
    const groups = sampleRoutes();
    const expected = groups.reduce((sum, { prefixes }) => sum + prefixes.length, 0);
    const peer = await steps.run(
      'built-in peer',
      async () => cleanup.use(await startSamplePeer(groups)),
      ({ port }) => `AS ${sampleAsn} on 127.0.0.1 port ${port}, ${expected} routes`,
    );
    const processes = cleanup.use(new Processes(record.directory));
    const configuration = sampleConfiguration(record, peer.port);
    const agent = await steps.run(
      'agent',
      () => startAgent({ record, configuration, processes, args: ['--dry-run'] }),
      () => 'a dry run: it programs nothing',
    );
    await writeLab({ ...record, processes: [await processIdentity(agent.pid)] });
    await steps
      .run('routes learned', () => untilLearned(record, expected, stopped), String)
      .catch(async (error: Error) => {
        await quoteAgentLog(steps, agent);
        throw error;
      });
    steps.say(`\n  The longest matches (${typed(record, 'lookup 198.18.2.1')}):\n`);
    for (const address of ['198.18.2.1', '2001:db8:101::1']) {
      steps.quote(await askAgent(record, 'lookup', address));
    }
    if (run.once || stopped.aborted) return true;
    sayCommands(steps, [
      ['the session', typed(record, 'peers')],
      ['everything that was learned', typed(record, 'routes')],
      ['one prefix and what is in it', typed(record, 'routes 198.18.0.0/16 --longer')],
      ['the same as JSON', typed(record, 'routes -o json')],
    ]);
    await stayUp(run, agent);
    return true;
  });
}

function sampleConfiguration(record: LabRecord, port: number): string {
  return [
    'node: sample',
    'bgp:',
    '  asn: 64512',
    '  routerId: 192.0.2.254',
    '  listen: []',
    '  peers:',
    `    - { name: sample, address: 127.0.0.1, port: ${port}, asn: ${sampleAsn}, import: accept, connectRetryTime: 1s }`,
    'networks:',
    '  - name: default',
    '    ovn: { router: GR_sample, outputPort: rtoe-GR_sample }   # in a dry run a memory of our own',
    '    advertise: [10.244.1.0/24, "fd00:10:244:1::/64"]',
    `control: { socket: "${record.controlSocket}" }`,
    '',
  ].join('\n');
}

async function untilLearned(
  record: LabRecord,
  expected: number,
  stopped: AbortSignal,
): Promise<number> {
  const client = new ControlClient(record.controlSocket);
  let count = 0;
  const hasAll = async () => {
    count = 0;
    for await (const _route of client.stream('/v1/routes', { peer: 'sample' })) count++;
    return count >= expected;
  };
  await waitUntil(hasAll, {
    what: `${expected} routes`,
    timeoutMs: 30_000,
    intervalMs: 50,
    stopped,
  });
  return count;
}
