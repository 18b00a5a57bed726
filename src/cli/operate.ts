// `rutter flush` and `rutter release`: the operator's word to a running agent.
import { Command } from 'commander';
import { ControlClient } from '../control/client.ts';
import { type OutputFormat, outputOption, printObject } from './output.ts';
import { socketOption } from './socket-option.ts';

interface OperateOptions {
  readonly network?: string;
  readonly output: OutputFormat;
  readonly socket: string;
}

export function flushCommand(): Command {
  return operating(
    'flush',
    'remove every route of ours from OVN and the host, until it is restarted',
  );
}

export function releaseCommand(): Command {
  return operating('release', 'let removals go that were held because they are many');
}

function operating(name: 'flush' | 'release', description: string): Command {
  return new Command(name)
    .description(description)
    .option('--network <name>', 'only this network')
    .addOption(outputOption())
    .addOption(socketOption())
    .action(async ({ network, output, socket }: OperateOptions) => {
      const query = network === undefined ? {} : { network };
      const answer = await new ControlClient(socket).post(`/v1/${name}`, query);
      await printObject(answer as object, output);
      const { failed = [] } = answer as { readonly failed?: readonly object[] };
      if (failed.length > 0) throw new Error(`${failed.length} targets not emptied, expected all`);
    });
}
