// `rutter lookup`: the longest match of an address, where it leads, and why that path won.
import { Command, InvalidArgumentError, Option } from 'commander';
import { ControlClient } from '../control/client.ts';
import { parseIpAddress } from '../net/ip-address.ts';
import { loadMrt, loadPrefixes, reportTroubles } from './offline-load.ts';
import { type LookupObject, lookUpOffline } from './offline-read.ts';
import { type OutputFormat, outputOption, printList, printObject } from './output.ts';
import { entryListing, routeListing } from './routes-listing.ts';
import { socketOption } from './socket-option.ts';

interface LookupOptions {
  readonly network: string;
  readonly why?: true;
  readonly mrt?: string[];
  readonly prefixes?: string;
  readonly output: OutputFormat;
  readonly socket: string;
}

export function lookupCommand(): Command {
  return new Command('lookup')
    .description('the longest match of an address, and where it leads')
    .argument('<address>', 'an IPv4 or IPv6 address', readAddressArgument)
    .option('--network <name>', 'the network', 'default')
    .option('--why', 'every path to the prefix, with the reason of the decision')
    .addOption(
      new Option('--mrt <file...>', 'in MRT files instead of an agent').conflicts('prefixes'),
    )
    .option('--prefixes <file>', 'in text lines `prefix nexthop` instead of an agent')
    .addOption(outputOption())
    .addOption(socketOption())
    .action(lookUp);
}

function readAddressArgument(text: string): string {
  if (parseIpAddress(text) === undefined) throw new InvalidArgumentError('must be an IP address');
  return text;
}

async function lookUp(address: string, options: LookupOptions): Promise<void> {
  const isOffline = options.mrt !== undefined || options.prefixes !== undefined;
  const answer = isOffline
    ? await lookUpInFiles(address, options)
    : await askAgent(address, options);
  await print(answer, options);
}

async function askAgent(
  address: string,
  { network, socket }: LookupOptions,
): Promise<LookupObject> {
  return (await new ControlClient(socket).get('/v1/lookup', { network, address })) as LookupObject;
}

async function lookUpInFiles(address: string, options: LookupOptions): Promise<LookupObject> {
  const { mrt, prefixes, network } = options;
  const loaded = await (prefixes === undefined ? loadMrt(mrt!) : loadPrefixes(prefixes));
  reportTroubles(loaded.troubles);
  if (loaded.failure !== undefined) throw loaded.failure;
  return lookUpOffline(loaded.offline, parseIpAddress(address)!, address, network);
}

async function print(answer: LookupObject, { output, why }: LookupOptions): Promise<void> {
  const routes = why
    ? answer.routes
    : answer.routes.filter(({ best, multipath }) => best || multipath);
  if (output === 'json' || output === 'jsonl') await printObject({ ...answer, routes }, output);
  else if (answer.prefix !== null) {
    const { entries } = answer;
    await printList(routes, routeListing({ why, installed: entries !== undefined }), output);
    if (why && output === 'table' && entries !== undefined) {
      process.stdout.write('\n');
      await printList(entries, entryListing, output);
    }
  }
  if (answer.prefix === null) {
    throw new Error(`no route to ${answer.address} in network ${answer.network}`);
  }
}
