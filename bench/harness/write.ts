// Keeps a run: its JSON, named by the time it began, and the report of it.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeReport } from './report.ts';
import type { BenchResult } from './result.ts';

/** Resolves with the files written, the JSON and the page first. */
export async function writeResult(result: BenchResult, directory: string): Promise<string[]> {
  const name = result.startedAt.replace(/\.\d+Z$/, 'Z').replaceAll(':', '');
  const folder = join(directory, name);
  await mkdir(folder, { recursive: true });
  const json = { name: 'result.json', content: `${JSON.stringify(result, undefined, 2)}\n` };
  const files = [json, ...makeReport(result)];
  for (const { name: file, content } of files) await writeFile(join(folder, file), content);
  return files.map((file) => join(folder, file.name));
}
