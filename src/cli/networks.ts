// `rutter networks`: the networks of the running agent; and, until its file is read again, others.
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { parse } from 'yaml';
import { ControlClient } from '../control/client.ts';
import { type Answer, type AskOptions, asking, count, text } from './asking.ts';
import { type Listing, printList, printObject } from './output.ts';

export function networksCommand(): Command {
  return asking('networks', 'networks, what they import, and the state of their targets')
    .addCommand(addCommand())
    .addCommand(removeCommand())
    .action(async (options: AskOptions) => {
      const networks = (await new ControlClient(options.socket).get('/v1/networks')) as Answer[];
      const isFlat = options.output === 'table' || options.output === 'csv';
      const rows = isFlat ? networks.flatMap(targetRows) : networks;
      await printList(rows, networkListing, options.output);
    });
}

function addCommand(): Command {
  return asking('add', 'add a network, or change it, as an entry of `networks` in a file says')
    .argument('<file>', 'YAML or JSON: one network')
    .action(async (file: string, _: unknown, command: Command) => {
      const { output, socket } = command.optsWithGlobals<AskOptions>();
      const network = parse(await readFile(file, 'utf8')) as { readonly name?: unknown } | null;
      if (typeof network?.name !== 'string') {
        throw new Error(`${file}: expected one network with a name`);
      }
      const path = `/v1/networks/${encodeURIComponent(network.name)}`;
      await printObject((await new ControlClient(socket).put(path, network)) as object, output);
    });
}

function removeCommand(): Command {
  return asking('remove', 'remove a network and every route of ours in its targets')
    .argument('<name>', 'name of the network')
    .action(async (name: string, _: unknown, command: Command) => {
      const { output, socket } = command.optsWithGlobals<AskOptions>();
      const path = `/v1/networks/${encodeURIComponent(name)}`;
      await printObject((await new ControlClient(socket).delete(path)) as object, output);
    });
}

const networkListing: Listing<Answer> = {
  columns: [
    text('NETWORK', 'network'),
    text('TARGET', 'target'),
    text('STATE', 'state'),
    text('FIRST SYNC', 'firstSync'),
    { heading: 'IMPORTS', text: importsOf },
    count('INSTALLED', 'installedCount'),
    count('PENDING', 'pendingCount'),
    count('REFUSED', 'refusedCount'),
    count('HELD', 'heldCount'),
    count('ADVERTISED', 'advertised'),
    { heading: 'REASON', text: whyNot },
  ],
  fields: [
    'network',
    'target',
    'state',
    'firstSync',
    'waiting',
    'waitingFor',
    'imports',
    'importedBy',
    'installedCount',
    'pendingCount',
    'refusedCount',
    'heldCount',
    'advertised',
    'notReady',
    'suppressed',
    'overlapping',
    'foreignCount',
    'aggregation',
    'verifiedAt',
    'aggregationFaults',
    'reason',
    'removalsHeld',
  ],
};

/** One line per target; a network that writes nowhere still has its line. */
function targetRows(network: Answer): Answer[] {
  const targets = network['targets'] as Answer[];
  return targets.length === 0 ? [network] : targets.map((target) => ({ ...network, ...target }));
}

/** What an operator should know first: a VRF device that is missing, removals that wait for a word, whom the first sync waits for, a refusal, else the state's reason. */
function whyNot(target: Answer): string {
  const {
    waiting,
    removalsHeld,
    waitingFor = [],
    sources = [],
    failures = [],
    problems = [],
    reason = problems[0],
  } = target as {
    waiting?: string;
    removalsHeld?: string;
    waitingFor?: readonly string[];
    sources?: readonly { readonly source: string; readonly state: string; reason?: string }[];
    failures?: readonly { readonly prefix: string; readonly message: string }[];
    problems?: readonly string[];
    reason?: string;
  };
  if (waiting !== undefined) return waiting;
  if (removalsHeld !== undefined) return `removals held: ${removalsHeld}; rutter release`;
  if (target['state'] !== 'ready') return reason ?? '';
  if (target['aggregation'] === 'ended') return 'aggregation was at fault and has ended (log)';
  const lost = sources.find(({ state }) => state !== 'following');
  if (lost !== undefined) return `${lost.source} ${lost.state}: ${lost.reason ?? ''}`;
  if (target['firstSync'] === 'waiting') return `waiting for ${waitingFor.join(', ')}`;
  const [failure] = failures;
  return failure === undefined ? (reason ?? '') : `${failure.prefix}: ${failure.message}`;
}

/** `default (10000)`: the source and how many routes of it are here. */
function importsOf(network: Answer): string {
  const imports = (network['imports'] ?? []) as readonly { from: string; routes: number }[];
  return imports.map(({ from, routes }) => `${from} (${routes})`).join(' ');
}
