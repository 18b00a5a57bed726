// `rutter status`, `peers`, `networks`: what the running agent is doing.
import { Command } from 'commander';
import { ControlClient } from '../control/client.ts';
import {
  type Column,
  flatText,
  type Listing,
  type OutputFormat,
  outputOption,
  printList,
  printObject,
} from './output.ts';
import { socketOption } from './socket-option.ts';

interface AskOptions {
  readonly output: OutputFormat;
  readonly socket: string;
}

type Answer = Record<string, unknown>;

export function statusCommand(): Command {
  return asking('status', 'what the running agent is doing').action(async (options: AskOptions) => {
    const status = (await new ControlClient(options.socket).get('/v1/status')) as Answer;
    await printObject(status, options.output);
  });
}

export function peersCommand(): Command {
  return asking('peers', 'BGP sessions, and what came over them').action(
    async (options: AskOptions) => {
      const peers = (await new ControlClient(options.socket).get('/v1/peers')) as Answer[];
      await printList(peers, peerListing, options.output);
    },
  );
}

export function networksCommand(): Command {
  return asking('networks', 'networks, and the state of their targets').action(
    async (options: AskOptions) => {
      const networks = (await new ControlClient(options.socket).get('/v1/networks')) as Answer[];
      const isFlat = options.output === 'table' || options.output === 'csv';
      const rows = isFlat ? networks.flatMap(targetRows) : networks;
      await printList(rows, networkListing, options.output);
    },
  );
}

function asking(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .addOption(outputOption())
    .addOption(socketOption());
}

function text(heading: string, field: string): Column<Answer> {
  return { heading, text: (item) => flatText(item[field]) };
}

function count(heading: string, field: string): Column<Answer> {
  return { heading, text: (item) => flatText(item[field]), align: 'right' };
}

const peerListing: Listing<Answer> = {
  columns: [
    text('PEER', 'name'),
    text('ADDRESS', 'address'),
    count('ASN', 'asn'),
    text('NETWORK', 'network'),
    text('STATE', 'state'),
    { heading: 'UP', text: ({ uptimeMs }) => formatUptime(uptimeMs), align: 'right' },
    count('RECEIVED', 'receivedPrefixes'),
    count('ACCEPTED', 'acceptedPrefixes'),
    count('BEST', 'bestPrefixes'),
    count('ADVERTISED', 'advertisedCount'),
    { heading: 'LAST ERROR', text: lastError },
  ],
  fields: [
    'name',
    'address',
    'asn',
    'network',
    'state',
    'uptimeMs',
    'receivedPrefixes',
    'acceptedPrefixes',
    'bestPrefixes',
    'advertisedCount',
  ],
};

const networkListing: Listing<Answer> = {
  columns: [
    text('NETWORK', 'network'),
    text('TARGET', 'target'),
    text('STATE', 'state'),
    text('FIRST SYNC', 'firstSync'),
    count('INSTALLED', 'installedCount'),
    count('PENDING', 'pendingCount'),
    count('REFUSED', 'refusedCount'),
    count('HELD', 'heldCount'),
    { heading: 'REASON', text: whyNot },
  ],
  fields: [
    'network',
    'target',
    'state',
    'firstSync',
    'waitingFor',
    'installedCount',
    'pendingCount',
    'refusedCount',
    'heldCount',
    'foreignCount',
    'reason',
    'removalsHeld',
  ],
};

/** One line per target; a network that writes nowhere still has its line. */
function targetRows(network: Answer): Answer[] {
  const targets = network['targets'] as Answer[];
  return targets.length === 0 ? [network] : targets.map((target) => ({ ...network, ...target }));
}

/** What an operator should know first: removals that wait for a word, whom the first sync waits for, a refusal, else the state's reason. */
function whyNot(target: Answer): string {
  const {
    removalsHeld,
    waitingFor = [],
    failures = [],
    reason,
  } = target as {
    removalsHeld?: string;
    waitingFor?: readonly string[];
    failures?: readonly { readonly prefix: string; readonly message: string }[];
    reason?: string;
  };
  if (removalsHeld !== undefined) return `removals held: ${removalsHeld}; rutter release`;
  if (target['state'] !== 'ready') return reason ?? '';
  if (target['firstSync'] === 'waiting') return `waiting for ${waitingFor.join(', ')}`;
  const [failure] = failures;
  return failure === undefined ? (reason ?? '') : `${failure.prefix}: ${failure.message}`;
}

/** "3d4h", "2h05m", "17s". */
function formatUptime(uptimeMs: unknown): string {
  if (typeof uptimeMs !== 'number') return '';
  const seconds = Math.floor(uptimeMs / 1000);
  const [days, hours, minutes] = [seconds / 86_400, (seconds / 3600) % 24, (seconds / 60) % 60].map(
    Math.floor,
  ) as [number, number, number];
  if (days > 0) return `${days}d${hours}h`;
  if (hours > 0) return `${hours}h${String(minutes).padStart(2, '0')}m`;
  if (minutes > 0) return `${minutes}m${String(seconds % 60).padStart(2, '0')}s`;
  return `${seconds}s`;
}

/** What an operator wants to know of a session that is down. */
function lastError(peer: Answer): string {
  if (peer['state'] === 'established') return '';
  if (typeof peer['reason'] === 'string') return peer['reason']; // a source that is not followed now
  const notification = peer['lastNotification'] as { direction: string; text: string } | undefined;
  if (notification !== undefined) return `${notification.direction} ${notification.text}`;
  return (peer['lastError'] as { reason: string } | undefined)?.reason ?? '';
}
