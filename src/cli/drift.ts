// `rutter drift`: entries whose target does not hold what it should. Exit code 3 when there are any.
import { Command } from 'commander';
import { ControlClient } from '../control/client.ts';
import type { EntryObject } from '../control/route-object.ts';
import { type OutputFormat, outputOption, printList } from './output.ts';
import { driftListing } from './routes-listing.ts';
import { socketOption } from './socket-option.ts';

const EXIT_DIFFERENT = 3;

interface DriftOptions {
  readonly network?: string;
  readonly output: OutputFormat;
  readonly socket: string;
}

export function driftCommand(): Command {
  return new Command('drift')
    .description('where OVN or the host differ from what is desired (exit code 3)')
    .option('--network <name>', 'only this network')
    .addOption(outputOption())
    .addOption(socketOption())
    .action(async ({ network, output, socket }: DriftOptions) => {
      const query = network === undefined ? {} : { network };
      const entries = new ControlClient(socket).stream('/v1/drift', query);
      const count = await printList(
        entries as AsyncIterable<object> as AsyncIterable<EntryObject>,
        driftListing,
        output,
      );
      if (count > 0) process.exitCode = EXIT_DIFFERENT;
    });
}
