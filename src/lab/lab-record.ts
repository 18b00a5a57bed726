// The record of a lab that is up: who made it and where it lives. It is what `lab down` and `lab status` go by.
//
// A lab is up while its maker lives. A record whose maker is gone is a lab left behind: `removeLab` takes it away.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { removeStaleNamespaces } from './namespaces.ts';
import { isAlive, processId, processIdentity, signalProcess } from './process-identity.ts';

/** `namespaces`: routers and an OVN node; needs root. `sample`: the agent and a built-in peer on loopback. */
export type LabKind = 'namespaces' | 'sample';

export interface LabRecord {
  readonly name: string;
  readonly kind: LabKind;
  readonly directory: string;
  readonly controlSocket: string;
  /** Identity of the `lab up` process. */
  readonly maker: string;
  readonly namespaces: readonly string[];
  /** Identities of the processes that no namespace holds together. */
  readonly processes: readonly string[];
}

const file = 'lab.json';

function labDirectory(name: string, kind: LabKind): string {
  if (kind === 'namespaces') return `/run/rutter-${name}`;
  return `${tmpdir()}/rutter-${name}-sample-${process.getuid?.() ?? 0}`;
}

/** An empty directory and a first record. Rejects when a lab of that name is up; one left behind is removed first. */
export async function claimLab(
  lab: Pick<LabRecord, 'name' | 'kind' | 'namespaces'>,
): Promise<LabRecord> {
  const directory = labDirectory(lab.name, lab.kind);
  const earlier = await readLab(lab.name, lab.kind);
  if (earlier !== undefined && (await isAlive(earlier.maker))) {
    throw new Error(
      `lab ${lab.name} is up already (process ${processId(earlier.maker)}); \`rutter lab down\` ends it`,
    );
  }
  if (earlier !== undefined) await removeLab(earlier);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const record: LabRecord = {
    ...lab,
    directory,
    controlSocket: `${directory}/rutter.sock`,
    maker: await processIdentity(process.pid),
    processes: [],
  };
  await writeLab(record);
  return record;
}

export async function writeLab(record: LabRecord): Promise<void> {
  await writeFile(`${record.directory}/${file}`, `${JSON.stringify(record, undefined, 2)}\n`);
}

export async function readLab(name: string, kind: LabKind): Promise<LabRecord | undefined> {
  const text = await readFile(`${labDirectory(name, kind)}/${file}`, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as LabRecord);
}

/** Asks a living maker to clean up and waits for it; cleans up after a dead one. */
export async function removeLab(record: LabRecord): Promise<void> {
  if (await isAlive(record.maker)) {
    signalProcess(processId(record.maker), 'SIGTERM');
    await untilGone([record.maker], 30_000);
  }
  for (const namespace of record.namespaces) await removeStaleNamespaces(namespace);
  for (const each of record.processes) {
    if (await isAlive(each)) signalProcess(processId(each), 'SIGTERM');
  }
  await untilGone(record.processes, 10_000);
  await rm(record.directory, { recursive: true, force: true });
}

async function untilGone(identities: readonly string[], timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (const identity of identities) {
    while (await isAlive(identity)) {
      if (performance.now() > deadline) {
        throw new Error(`process ${processId(identity)} still runs ${timeoutMs} ms after SIGTERM`);
      }
      await delay(50);
    }
  }
}
