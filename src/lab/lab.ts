// The whole lab: routers, OVN node, pod and agent in network namespaces; up, checked, shown, and down again.
import { askAgent, configPath, startAgent } from './agent.ts';
import {
  type Ping,
  pingsFromPod,
  pingsToPod,
  untilAnnounced,
  untilInKernel,
  untilInOvn,
} from './checks.ts';
import { execute } from './execute.ts';
import { claimLab, type LabRecord } from './lab-record.ts';
import { NetworkNamespaces, namespaceName } from './namespaces.ts';
import { buildNetwork, type LabNetwork, namespaceNames } from './network.ts';
import { Processes } from './processes.ts';
import { type LabRun, quoteAgentLog, runAndCleanUp, sayCommands, stayUp, typed } from './run.ts';
import { agentAsn, agentConfiguration, gatewayRouter } from './topology.ts';

/** Resolves with whether everything that was checked held. */
export async function runLab(run: LabRun): Promise<boolean> {
  const { name, steps, stopped } = run;
  const namespaceList = namespaceNames.map((each) => namespaceName(name, each));
  const record = await claimLab({ name, kind: 'namespaces', namespaces: namespaceList });
  return runAndCleanUp(run, record, async (cleanup) => {
    steps.say('Two provider routers, an OVN node with one pod, and the agent between them:\n');
    const namespaces = cleanup.use(new NetworkNamespaces(name));
    const processes = cleanup.use(new Processes(record.directory));
    const { directory } = record;
    const network = await buildNetwork({ namespaces, processes, directory, steps });
    const configuration = agentConfiguration({
      northbound: network.ovn.northbound,
      controlSocket: record.controlSocket,
    });
    const namespace = network.nodeNamespace;
    const agent = await steps.run(
      'agent',
      () => startAgent({ record, configuration, processes, namespace }),
      () => `AS ${agentAsn}, configuration ${configPath(record)}`,
    );
    const holds = await check(run, record, network).catch(async (error: Error) => {
      await quoteAgentLog(steps, agent);
      throw error;
    });
    if (!holds) await quoteAgentLog(steps, agent);
    if (run.once || stopped.aborted) return holds;
    sayCommands(steps, commands(record, network));
    await stayUp(run, agent);
    return holds;
  });
}

/** Shows the routes on their way through: learned, in OVN, in the kernel, announced; then pings across them. */
async function check(run: LabRun, record: LabRecord, network: LabNetwork): Promise<boolean> {
  const { steps, stopped } = run;
  const same = (text: string) => text;
  await steps.run('routes in OVN', () => untilInOvn(network, stopped), same);
  await steps.run("routes in the node's kernel", () => untilInKernel(network, stopped), same);
  await steps.run('announced to both routers', () => untilAnnounced(network, stopped), same);

  steps.say(`\n  What the agent learned (${typed(record, 'routes')}):\n`);
  steps.quote(await askAgent(record, 'routes'));
  steps.say(`\n  What OVN has (ovn-nbctl lr-route-list ${gatewayRouter.name}):\n`);
  steps.quote(await network.ovn.nbctl('lr-route-list', gatewayRouter.name));
  steps.say("\n  What the node's kernel has (ip route show proto 114):\n");
  for (const family of ['-4', '-6']) {
    const args = ['-n', network.nodeNamespace, family, 'route', 'show', 'proto', '114'];
    steps.quote(await execute('ip', args));
  }
  steps.say('');
  const sent = await steps.run('pings from the pod', () => pingsFromPod(network), countAnswered);
  sayPings(run, sent);
  const received = await steps.run('pings to the pod', () => pingsToPod(network), countAnswered);
  sayPings(run, received);
  return [...sent, ...received].every(({ succeeded }) => succeeded);
}

function countAnswered(pings: readonly Ping[]): string {
  return `${pings.filter(({ succeeded }) => succeeded).length} of ${pings.length} answered`;
}

function sayPings({ steps }: LabRun, pings: readonly Ping[]): void {
  for (const { from, to, text, succeeded } of pings) {
    steps.quote(`${succeeded ? '✓' : '✗'} ${from} → ${to}: ${text}`);
  }
}

function commands(record: LabRecord, network: LabNetwork): (readonly [string, string])[] {
  const torA = network.routers[0]!;
  const inRouter = (command: string) =>
    `ip netns exec ${torA.namespace} vtysh --vty_socket ${record.directory}/tor-a -c '${command}'`;
  return [
    ['the sessions', typed(record, 'peers')],
    ['why tor-a is preferred', typed(record, 'lookup 198.18.0.1 --why')],
    ['is everything where it should be?', typed(record, 'drift')],
    ['withdraw a prefix at tor-a, then look again', inRouter(torAWithout('203.0.113.0/24'))],
    [
      "delete one of the agent's rows and see it come back",
      `ovn-nbctl --db=${network.ovn.northbound} lr-route-del ${gatewayRouter.name} 198.18.0.0/16`,
    ],
    ['follow the kernel', `ip -n ${network.nodeNamespace} -timestamp monitor route`],
    ["the agent's log", `tail -f ${record.directory}/agent.log`],
  ];
}

function torAWithout(prefix: string): string {
  return ['conf t', 'router bgp 65001', 'address-family ipv4', `no network ${prefix}`].join(
    "' -c '",
  );
}
