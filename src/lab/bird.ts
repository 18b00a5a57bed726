// BIRD 2 in a directory and a namespace of its own.
import { mkdir, writeFile } from 'node:fs/promises';
import { execute } from './execute.ts';
import type { Processes, RunningProcess } from './processes.ts';

export interface BirdOptions {
  readonly namespace: string;
  /** Created when it is not there. */
  readonly directory: string;
  /** The whole bird.conf. */
  readonly configuration: string;
  /** Owns the daemon: it stops with it. */
  readonly processes: Processes;
  /** Starts as after a crash: peers are told that forwarding went on (graceful restart). */
  readonly recovers?: boolean;
}

export interface Bird {
  readonly daemon: RunningProcess;
  /** Output of one birdc command. */
  birdc(command: string): Promise<string>;
}

export async function startBird(options: BirdOptions): Promise<Bird> {
  const { directory, namespace, processes } = options;
  await mkdir(directory, { recursive: true });
  const configurationFile = `${directory}/bird.conf`;
  const socket = `${directory}/bird.ctl`;
  await writeFile(configurationFile, options.configuration);
  const birdc = (command: string) => execute('birdc', ['-s', socket, ...command.split(' ')]);
  const daemon = await processes.start({
    name: `${namespace}-bird`,
    command: 'bird',
    args: [
      ...['-f', '-c', configurationFile, '-s', socket, '-P', `${directory}/bird.pid`],
      ...(options.recovers ? ['-R'] : []),
    ],
    namespace,
    ready: async () => (await birdc('show status')).includes('Daemon is up'),
  });
  return { daemon, birdc };
}
