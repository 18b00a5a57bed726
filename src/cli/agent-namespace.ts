// Runs a command where the agent runs: what it reads of the kernel, and the databases it connects to, are those of the agent's network namespace.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import type { ControlClient } from '../control/client.ts';

/** Ends with the exit code of this very command, run again in the agent's network namespace; undefined where that is ours. */
export async function runInAgentNamespace(client: ControlClient): Promise<number | undefined> {
  const { pid, networkNamespace } = (await client.get('/v1/status')) as {
    readonly pid: number;
    readonly networkNamespace: string;
  };
  if (networkNamespaceOf('self') === networkNamespace) return undefined;
  if (networkNamespaceOf(pid) !== networkNamespace) {
    throw new Error(
      `the agent's network namespace ${networkNamespace} is not ours: run this there`,
    );
  }
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn('nsenter', [`--net=/proc/${pid}/ns/net`, ...again], { stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

/** `net:[4026531840]`; undefined when there is no such process here, or it may not be looked at. */
function networkNamespaceOf(process: number | 'self'): string | undefined {
  try {
    return readlinkSync(`/proc/${process}/ns/net`);
  } catch {
    return undefined;
  }
}
