// Which labs of a name there are: up, left behind, or none.

import { type LabKind, type LabRecord, readLab } from './lab-record.ts';
import { namespaceProcesses } from './namespaces.ts';
import { isAlive, processId } from './process-identity.ts';

export interface LabStatus {
  readonly name: string;
  readonly kind: LabKind;
  /** `left-behind`: whoever made it is gone; `rutter lab down` removes it. */
  readonly state: 'up' | 'left-behind';
  /** Process id of its `rutter lab up`. */
  readonly process: number;
  readonly directory: string;
  readonly controlSocket: string;
  readonly namespaces: readonly { readonly name: string; readonly processes: number }[];
}

export async function labStatus(name: string): Promise<LabStatus[]> {
  const records = await labRecords(name);
  return Promise.all(records.map(describe));
}

/** The records of both kinds of lab. */
export async function labRecords(name: string): Promise<LabRecord[]> {
  const found = await Promise.all([readLab(name, 'namespaces'), readLab(name, 'sample')]);
  return found.filter((record) => record !== undefined);
}

async function describe(record: LabRecord): Promise<LabStatus> {
  const { name, kind, directory, controlSocket } = record;
  const isUp = await isAlive(record.maker);
  const namespaces = await Promise.all(
    record.namespaces.map(async (each) => ({
      name: each,
      processes: (await namespaceProcesses(each)).length,
    })),
  );
  return {
    name,
    kind,
    state: isUp ? 'up' : 'left-behind',
    process: processId(record.maker),
    directory,
    controlSocket,
    namespaces,
  };
}
