// `rutter status`, `peers`: what the running agent is doing. networks.ts has the third of this kind.
import type { Command } from 'commander';
import { ControlClient } from '../control/client.ts';
import { type Answer, type AskOptions, asking, count, text } from './asking.ts';
import { type Listing, printList, printObject } from './output.ts';

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
