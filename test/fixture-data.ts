// Message fixtures of RUTTER_DATA: one JSON object per line, plain or packed. The form is described in that directory's README.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseHex } from '../src/net/hex.ts';
import { readBytes } from '../src/sources/compression.ts';

export const dataDirectory =
  process.env['RUTTER_DATA'] ?? join(import.meta.dirname, '..', '..', 'shared', 'data');

export interface Fixture {
  readonly name: string;
  readonly kind: string;
  readonly context?: {
    readonly asn4?: boolean | null;
    readonly addpath?: readonly string[];
    readonly session?: 'ebgp' | 'ibgp';
    readonly local_as?: number;
    readonly peer_as?: number;
  };
  readonly hex: string;
  // biome-ignore lint/suspicious/noExplicitAny: the expectation's form is the data's, compared as a whole
  readonly expect: Record<string, any>;
  readonly verified_by?: readonly string[];
}

/** Paths, relative to the data directory, of every *.jsonl and *.jsonl.xz below `folder`. Empty when there is none. */
export function fixtureFiles(folder: string): string[] {
  return dataFiles(folder, /\.jsonl(\.xz)?$/);
}

/** Paths, relative to the data directory, of the files below `folder` with such a name. */
export function dataFiles(folder: string, name: RegExp): string[] {
  const root = join(dataDirectory, folder);
  if (!existsSync(root)) return [];
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => name.test(path))
    .map((path) => join(folder, path))
    .sort();
}

export async function readFixtures(path: string): Promise<Fixture[]> {
  const text = new TextDecoder().decode(await readWhole(path));
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Fixture);
}

/** A file of the data directory, unpacked. */
export async function readWhole(path: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readBytes(join(dataDirectory, path))) chunks.push(chunk.slice());
  return Buffer.concat(chunks);
}

export function bytesOf(fixture: Fixture): Uint8Array {
  return parseHex(fixture.hex)!;
}
