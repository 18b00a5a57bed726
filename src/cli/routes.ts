// `rutter routes`: dumps of any stage of any table, from the running agent or from files.
import { Command, Option } from 'commander';
import type { AnnouncementObject } from '../control/announcement-object.ts';
import { ControlClient } from '../control/client.ts';
import type { EntryObject, RouteObject } from '../control/route-object.ts';
import type { Aggregation } from '../core/fibs.ts';
import type { PrefixMatch } from '../core/walk.ts';
import { type AddressFamily, addressFamilies } from '../net/address-family.ts';
import { formatPrefix } from '../net/prefix.ts';
import { type Loaded, loadMrt, loadPrefixes, reportTroubles } from './offline-load.ts';
import { readOffline } from './offline-read.ts';
import { type OutputFormat, outputOption, printList } from './output.ts';
import { type PrefixArgument, readPrefixArgument } from './prefix-argument.ts';
import {
  aggregatedListing,
  announcementListing,
  desiredListing,
  entryListing,
  routeListing,
} from './routes-listing.ts';
import { socketOption } from './socket-option.ts';

const stages = ['adj-rib-in', 'loc-rib', 'adj-rib-out', 'fib', 'ovn', 'host'] as const;
type Stage = (typeof stages)[number];
/** Stages that only a running agent has. */
const runningStages: readonly (Stage | undefined)[] = ['adj-rib-out', 'ovn', 'host'];

interface RoutesOptions {
  readonly network: string;
  readonly stage?: Stage;
  readonly peer?: string;
  readonly family?: AddressFamily;
  readonly longer?: true;
  readonly exact?: true;
  readonly covering?: true;
  readonly mrt?: string[];
  readonly assumeAddPath?: true;
  readonly prefixes?: string;
  readonly aggregation: Aggregation;
  readonly why?: true;
  readonly output: OutputFormat;
  readonly socket: string;
}

export function routesCommand(): Command {
  return new Command('routes')
    .description('routes of any stage, from the running agent or from files')
    .argument('[prefix]', 'a prefix, or an address for its longest match', readPrefixArgument)
    .option('--network <name>', 'the network', 'default')
    .addOption(
      new Option('--stage <stage>', 'how far on the way (default: loc-rib)').choices(stages),
    )
    .option('--peer <name>', 'only what this peer says, or is told')
    .addOption(new Option('--family <family>', 'only this family').choices(addressFamilies))
    .addOption(
      new Option('--longer', 'the prefix and all inside it').conflicts(['exact', 'covering']),
    )
    .addOption(new Option('--exact', 'the prefix alone (default)').conflicts('covering'))
    .option('--covering', 'the prefix and all around it')
    .addOption(
      new Option(
        '--mrt <file...>',
        'from MRT files (plain, gz, bz2, xz) instead of an agent',
      ).conflicts('prefixes'),
    )
    .option('--assume-add-path', 'UPDATEs of the MRT files carry path identifiers')
    .option('--prefixes <file>', 'from text lines `prefix nexthop` instead of an agent')
    .addOption(
      new Option('--aggregation <mode>', 'of --stage fib, with --prefixes or --mrt')
        .choices(['off', 'exact', 'discard'])
        .default('off'),
    )
    .option('--why', 'the reason of each decision; of --stage fib, the routes of each entry')
    .addOption(outputOption())
    .addOption(socketOption())
    .action(showRoutes);
}

async function showRoutes(
  argument: PrefixArgument | undefined,
  options: RoutesOptions,
  command: Command,
): Promise<void> {
  if (argument === undefined && (options.longer || options.exact || options.covering)) {
    command.error('error: --longer, --exact and --covering need a prefix');
  }
  const match = matchOf(argument, options);
  const isOffline = options.mrt !== undefined || options.prefixes !== undefined;
  if (isOffline && runningStages.includes(options.stage)) {
    command.error(`error: --stage ${options.stage} needs a running agent`);
  }
  if (!isOffline) return printRoutes(askAgent(options, match), options, true);
  const loaded = await load(options);
  if (options.peer !== undefined && loaded.offline.peerIds(options.peer).length === 0) {
    throw new Error(
      `no peer ${options.peer} in the file, it has ${loaded.offline.peerNames.join(', ')}`,
    );
  }
  await printRoutes(readLoaded(loaded, options, match), options, false);
  reportTroubles(loaded.troubles);
  if (loaded.failure !== undefined) throw loaded.failure;
}

function matchOf(argument: PrefixArgument | undefined, options: RoutesOptions): PrefixMatch {
  if (argument === undefined) return { kind: 'all' };
  const { prefix, isAddress } = argument;
  if (options.longer) return { kind: 'longer', prefix };
  if (options.covering) return { kind: 'covering', prefix };
  return { kind: isAddress && !options.exact ? 'longest' : 'exact', prefix };
}

function askAgent(options: RoutesOptions, match: PrefixMatch): AsyncIterable<object> {
  const { network, stage, peer, family, why } = options;
  const query = {
    network,
    ...(why && { why: 'true' }),
    ...(stage && { stage }),
    ...(peer && { peer }),
    ...(family && { family }),
    ...(match.kind !== 'all' && { match: match.kind, prefix: formatPrefix(match.prefix) }),
  };
  return new ControlClient(options.socket).stream('/v1/routes', query);
}

function load(options: RoutesOptions): Promise<Loaded> {
  const { aggregation, assumeAddPath = false } = options;
  if (options.prefixes !== undefined) return loadPrefixes(options.prefixes, { aggregation });
  return loadMrt(options.mrt!, { assumeAddPath, aggregation });
}

function readLoaded(
  { offline }: Loaded,
  { network, stage, peer, family, why }: RoutesOptions,
  match: PrefixMatch,
): Iterable<object> {
  return readOffline(offline, {
    network,
    stage: (stage ?? 'loc-rib') as 'adj-rib-in' | 'loc-rib' | 'fib',
    match,
    ...(family === undefined ? {} : { family }),
    ...(peer === undefined ? {} : { peer }),
    ...(why ? { why } : {}),
  });
}

async function printRoutes(
  rows: AsyncIterable<object> | Iterable<object>,
  { stage = 'loc-rib', output, why, aggregation }: RoutesOptions,
  isRunning: boolean,
): Promise<void> {
  if (stage === 'adj-rib-in' || stage === 'loc-rib') {
    const listing = routeListing({ why, installed: isRunning });
    await printList(rows as AsyncIterable<RouteObject>, listing, output);
  } else if (stage === 'adj-rib-out') {
    await printList(rows as AsyncIterable<AnnouncementObject>, announcementListing, output);
  } else {
    const offlineListing = aggregation === 'off' ? desiredListing : aggregatedListing;
    const listing = isRunning ? entryListing : offlineListing;
    await printList(rows as AsyncIterable<EntryObject>, listing, output);
  }
}
