// `rutter lab`: the quick start's network. Without root, or without the packages, the same agent with a built-in peer.
import { Command, InvalidArgumentError } from 'commander';
import { runLab } from '../lab/lab.ts';
import { removeLab } from '../lab/lab-record.ts';
import { ensurePackages, whyNotInstallable } from '../lab/packages.ts';
import type { LabRun } from '../lab/run.ts';
import { runSampleLab } from '../lab/sample-lab.ts';
import { labRecords, labStatus } from '../lab/status.ts';
import { createSteps } from '../lab/steps.ts';

interface UpFlags {
  readonly name: string;
  readonly once?: true;
  readonly sample?: true;
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
  addCommand('status', 'what is up').action(status);
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

async function status(flags: { readonly name: string }): Promise<void> {
  const labs = await labStatus(flags.name);
  if (labs.length === 0) console.log(`no lab ${flags.name} is up`);
  for (const lab of labs) {
    console.log(`${lab.name}: ${lab.state}, process ${lab.process}, ${lab.directory}`);
    for (const { name, processes } of lab.namespaces)
      console.log(`  ${name}: ${processes} processes`);
    console.log(`  control socket ${lab.controlSocket}`);
  }
}

function parseName(text: string): string {
  // A part of namespace names and of paths.
  if (!/^[a-z0-9][a-z0-9-]{0,19}$/.test(text)) {
    throw new InvalidArgumentError('expected up to 20 lower-case letters, digits and dashes');
  }
  return text;
}
