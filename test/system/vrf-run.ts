// Runs the cases of vrf-cases.ts and appends each result to a file as a line of JSON: `node vrf-run.ts RESULTS`. Inside another kernel
// nothing bigger than Node itself is wanted.
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { vrfCases } from './vrf-cases.ts';
import { VrfSite } from './vrf-site.ts';

export interface VrfResult {
  readonly name: string;
  readonly error?: string;
}

async function runCases(tell: (result: VrfResult) => void): Promise<void> {
  await using site = await VrfSite.open();
  for (const { name, run } of vrfCases) {
    try {
      await run(site);
      tell({ name });
    } catch (error) {
      tell({ name, error: `${(error as Error).message}\n${await site.report()}` });
    }
  }
}

if (import.meta.main) {
  const results = openSync(process.argv[2]!, 'a');
  await runCases((result) => {
    writeSync(results, `${JSON.stringify(result)}\n`);
    fsyncSync(results); // the other kernel keeps what is written to itself until then
  });
  closeSync(results);
}
