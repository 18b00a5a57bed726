// Which process was it? Its id and start time: the pair that a machine gives once, so a reused id is no mistake.
import { readFile } from 'node:fs/promises';

/** `<id> <start time>` of a running process; rejects when there is none, or it has ended and waits for its parent. */
export async function processIdentity(id: number): Promise<string> {
  const stat = await readFile(`/proc/${id}/stat`, 'utf8');
  // proc(5): the second field is the program's name in brackets and may hold spaces; then state; start time is the 22nd.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z') throw new Error(`process ${id} has ended`);
  return `${id} ${fields[19]}`;
}

/** Whether the process of an identity still runs; text that is no identity never does. */
export async function isAlive(identity: string): Promise<boolean> {
  const id = processId(identity);
  return id > 0 && (await processIdentity(id).catch(() => undefined)) === identity;
}

export function processId(identity: string): number {
  const id = Number.parseInt(identity, 10);
  return Number.isNaN(id) ? 0 : id;
}

/** Sends a signal; a process that ended by itself in between is no error. */
export function signalProcess(id: number, signal: NodeJS.Signals): void {
  try {
    process.kill(id, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
