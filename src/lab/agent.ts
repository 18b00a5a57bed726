// The agent of a lab: a child like any installed agent, started in a namespace or beside us, asked over its control socket.
import { writeFile } from 'node:fs/promises';
import { ControlClient } from '../control/client.ts';
import { execute } from './execute.ts';
import type { LabRecord } from './lab-record.ts';
import type { Processes, RunningProcess } from './processes.ts';
import { rutterCommand } from './rutter.ts';

export interface LabAgentOptions {
  readonly record: LabRecord;
  readonly configuration: string;
  readonly processes: Processes;
  readonly namespace?: string;
  /** More arguments for `rutter agent`. */
  readonly args?: readonly string[];
}

/** Resolves when the agent answers on its control socket. */
export async function startAgent(options: LabAgentOptions): Promise<RunningProcess> {
  const { record, processes, namespace } = options;
  const configFile = configPath(record);
  await writeFile(configFile, options.configuration);
  const [command, args] = rutterCommand(['agent', '--config', configFile, ...(options.args ?? [])]);
  const client = new ControlClient(record.controlSocket);
  return processes.start({
    name: 'agent',
    command,
    args,
    namespace,
    ready: async () => (await client.get('/v1/status')) !== undefined,
  });
}

export function configPath(record: LabRecord): string {
  return `${record.directory}/rutter.yaml`;
}

/** What `rutter ARGS --socket …` prints. */
export async function askAgent(record: LabRecord, ...args: readonly string[]): Promise<string> {
  const [command, list] = rutterCommand([...args, '--socket', record.controlSocket]);
  return execute(command, list, { env: { NO_COLOR: '1' } });
}
