// Compiles test/assembly/as/faulty-core.ts and takes the place of src/core/core-module.ts: a core whose FIBs can be spoilt.
import { join } from 'node:path';
import { PAGE_CURSOR, PAGE_MATCH } from '../../assembly/abi.ts';
import type { CoreExports } from '../../src/core/core-module.ts';
import { parsePrefix } from '../../src/net/prefix.ts';
import { compileAssembly } from './compile.ts';

type FaultyExports = CoreExports & {
  disturb(fib: number, family: number, bits: number, otherBits: number): number;
};

let compiled: Promise<WebAssembly.Module> | undefined;
let latest: FaultyExports | undefined;

export async function instantiateCore(): Promise<CoreExports> {
  compiled ??= compileAssembly(join(import.meta.dirname, 'as', 'faulty-core.ts'));
  const abort = (): never => {
    throw new Error('assertion failed');
  };
  const instance = await WebAssembly.instantiate(await compiled, { env: { abort } });
  latest = instance.exports as unknown as FaultyExports;
  return latest;
}

/** In the core made last: a FIB wants for a prefix what it wants for `other`, or nothing. */
export function disturb(fib: number, text: string, other: string | undefined): void {
  const core = latest!;
  const prefix = parsePrefix(text)!;
  const family = prefix.address.length === 4 ? 0 : 1;
  const write = (at: number, address: Uint8Array): void => {
    new Uint8Array(core.memory.buffer, core.inputBuffer() + at, 16).fill(0).set(address);
  };
  const source = other === undefined ? undefined : parsePrefix(other)!;
  write(PAGE_MATCH, prefix.address);
  if (source !== undefined) write(PAGE_CURSOR, source.address);
  if (!core.disturb(fib, family, prefix.length, source?.length ?? -1)) {
    throw new Error(`${text} cannot be as ${other}`);
  }
}
