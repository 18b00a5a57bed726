// `rutter verify`: proof that OVN and the host forward every address as the Loc-RIB would. Exit code 3 where they do not.
import { Command, Option } from 'commander';
import { ControlClient } from '../control/client.ts';
import {
  type DifferentRange,
  type ForwardingObject,
  type Place,
  verifyTarget,
} from '../verify/verify-target.ts';
import { runInAgentNamespace } from './agent-namespace.ts';
import { type Listing, type OutputFormat, outputOption, printList } from './output.ts';
import { socketOption } from './socket-option.ts';

const EXIT_DIFFERENT = 3;

interface VerifyOptions {
  readonly network?: string;
  readonly stage?: 'ovn' | 'host';
  readonly output: OutputFormat;
  readonly socket: string;
}

export function verifyCommand(): Command {
  return new Command('verify')
    .description('proof that OVN and the host forward as the routes say (exit code 3 if not)')
    .option('--network <name>', 'only this network')
    .addOption(new Option('--stage <stage>', 'only this target').choices(['ovn', 'host']))
    .addOption(outputOption())
    .addOption(socketOption())
    .action(async ({ output, socket, ...options }: VerifyOptions) => {
      const client = new ControlClient(socket);
      const exitCode = await runInAgentNamespace(client);
      if (exitCode !== undefined) {
        process.exitCode = exitCode;
        return;
      }
      const places = await selectPlaces(client, options);
      const count = await printList(differences(client, places), rangeListing, output);
      if (count > 0) process.exitCode = EXIT_DIFFERENT;
    });
}

async function selectPlaces(
  client: ControlClient,
  { network, stage }: Pick<VerifyOptions, 'network' | 'stage'>,
): Promise<readonly Place[]> {
  const all = (await client.get('/v1/places')) as readonly Place[];
  const places = all
    .filter((place) => network === undefined || place.network === network)
    .filter(({ sink }) => sink.kind === stage || (stage === undefined && isReal(sink.kind)));
  if (places.length > 0) return places;
  const known = all.map((place) => `${place.network}/${place.sink.kind}`).join(', ');
  throw new Error(
    `nothing to verify for ${network ?? 'any network'}, targets are ${known || 'none'}`,
  );
}

/** A dry run's targets are in memory only. */
const isReal = (kind: string): boolean => kind === 'ovn' || kind === 'host';

async function* differences(
  client: ControlClient,
  places: readonly Place[],
): AsyncGenerator<DifferentRange> {
  for (const place of places) {
    yield* await verifyTarget(place, () => readForwarding(client, place.network));
  }
}

async function readForwarding(client: ControlClient, network: string): Promise<ForwardingObject[]> {
  const objects: ForwardingObject[] = [];
  for await (const object of client.stream('/v1/forwarding', { network })) {
    objects.push(object as object as ForwardingObject);
  }
  return objects;
}

const rangeListing: Listing<DifferentRange> = {
  columns: [
    { heading: 'NETWORK', text: ({ network }) => network },
    { heading: 'TARGET', text: ({ target }) => target },
    { heading: 'FIRST', text: ({ first }) => first },
    { heading: 'LAST', text: ({ last }) => last },
    { heading: 'EXPECTED', text: ({ expected }) => expected },
    { heading: 'ACTUAL', text: ({ actual }) => actual },
  ],
  fields: ['network', 'target', 'family', 'first', 'last', 'expected', 'actual'],
};
