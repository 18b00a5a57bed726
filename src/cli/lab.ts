// `rutter lab`: the quick start's network. Without root, or without the packages, the same agent with a built-in peer.
import { Command, InvalidArgumentError } from 'commander';
import { runLab } from '../lab/lab.ts';
import { removeLab } from '../lab/lab-record.ts';
import { ensurePackages, whyNotInstallable } from '../lab/packages.ts';
import type { LabRun } from '../lab/run.ts';
import { runSampleLab } from '../lab/sample-lab.ts';
import { type LabStatus, labRecords, labStatus } from '../lab/status.ts';
import { createSteps } from '../lab/steps.ts';
import { type Listing, type OutputFormat, outputOption, printList } from './output.ts';

interface UpFlags {
  readonly name: string;
  readonly once?: true;
  readonly sample?: true;
}

interface StatusFlags {
  readonly name: string;
  readonly output: OutputFormat;
}

export function labCommand(): Command {
  const lab = new Command('lab').description(
    'the quick start: two FRR routers, an OVN node, a pod and the agent in network namespaces',
  );
  const addCommand = (name: string, description: string) =>
    lab
      .command(name)
      .description(description)
      .option('--name <name>', 'several labs may stand beside each other', parseName, 'lab');
  addCommand('up', 'bring the lab up, check it and stay until Ctrl-C')
    .option('--once', 'end after the checks')
    .option('--sample', 'no network: the agent in a dry run and a built-in peer')
    .action(up);
  addCommand('down', 'end a lab, or remove what one left behind').action(down);
  addCommand('status', 'which labs of that name are up, or were left behind')
    .addOption(outputOption())
    .action(status);
  return lab;
}

async function up(flags: UpFlags): Promise<void> {
  const interruption = new AbortController();
  const interrupt = () => interruption.abort(new Error('interrupted'));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
  // `rutter lab up | head`: nobody reads on, so there is nothing to stay for.
  process.stdout.on('error', interrupt);
  const run: LabRun = {
    name: flags.name,
    once: flags.once ?? false,
    steps: createSteps(process.stdout, interruption.signal),
    cleaningSteps: createSteps(process.stdout),
    stopped: interruption.signal,
  };
  const useSample = flags.sample ?? (await needsSample(run));
  const holds = await (useSample ? runSampleLab(run) : runLab(run));
  process.exitCode = holds ? 0 : 1;
}

/** Whether the whole lab cannot be set up here; says why. */
async function needsSample({ steps }: LabRun): Promise<boolean> {
  if (process.getuid?.() === 0) {
    const missing = await ensurePackages('lab', steps.say);
    if (missing.length === 0) return false;
  }
  const reason = whyNotInstallable() ?? 'packages are missing';
  steps.say(`  No network namespaces, FRR and OVN here: ${reason}.`);
  steps.say('  The same agent runs against a built-in peer instead, and programs nothing.\n');
  return true;
}

async function down(flags: { readonly name: string }): Promise<void> {
  const records = await labRecords(flags.name);
  if (records.length === 0) console.log(`no lab ${flags.name} is up`);
  for (const record of records) {
    await removeLab(record);
    console.log(`removed ${record.directory} and ${record.namespaces.length} namespaces`);
  }
}

async function status(flags: StatusFlags): Promise<void> {
  await printList(await labStatus(flags.name), listing, flags.output);
}

const listing: Listing<LabStatus> = {
  columns: [
    { heading: 'LAB', text: ({ name }) => name },
    { heading: 'KIND', text: ({ kind }) => kind },
    { heading: 'STATE', text: ({ state }) => state },
    { heading: 'PROCESS', text: ({ process }) => String(process), align: 'right' },
    { heading: 'CONTROL SOCKET', text: ({ controlSocket }) => controlSocket },
    {
      heading: 'NAMESPACES (PROCESSES)',
      text: ({ namespaces }) =>
        namespaces.map(({ name, processes }) => `${name} (${processes})`).join(' '),
    },
  ],
  fields: ['name', 'kind', 'state', 'process', 'directory', 'controlSocket', 'namespaces'],
};

function parseName(text: string): string {
  // A part of namespace names and of paths.
  if (!/^[a-z0-9][a-z0-9-]{0,19}$/.test(text)) {
    throw new InvalidArgumentError('expected up to 20 lower-case letters, digits and dashes');
  }
  return text;
}
