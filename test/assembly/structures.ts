// Compiles test/assembly/as/structures.ts and hands out fresh instances of it.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import asc from 'assemblyscript/asc';

export interface Structures {
  readonly memory: WebAssembly.Memory;
  initialise(maximumBytes: number): void;
  allocate(size: number): number;
  allocateReserved(size: number): number;
  free(pointer: number, size: number): void;
  usedBytes(): number;
  hashInsert(hash: number, value: number): number;
  hashRemove(hash: number, value: number): void;
  hashHas(hash: number, value: number): number;
  hashCountOf(hash: number): number;
  hashCount(): number;
  keyBuffer(): number;
  trieInsert(bits: number): number;
  trieRemove(bits: number): void;
  trieFind(bits: number): number;
  trieLongestMatch(bits: number): number;
  trieFirst(): number;
  trieAfter(bits: number): number;
  trieCount(): number;
}

let compiled: Promise<WebAssembly.Module> | undefined;

/** An instance whose arena may grow to `maximumBytes`. */
export async function newStructures(maximumBytes = 64 << 20): Promise<Structures> {
  compiled ??= compile();
  const abort = (): never => {
    throw new Error('assertion failed');
  };
  const instance = await WebAssembly.instantiate(await compiled, { env: { abort } });
  const exports = instance.exports as unknown as Structures;
  exports.initialise(maximumBytes);
  return exports;
}

async function compile(): Promise<WebAssembly.Module> {
  const folder = mkdtempSync(join(tmpdir(), 'rutter-structures-'));
  try {
    const source = relative(process.cwd(), join(import.meta.dirname, 'as', 'structures.ts'));
    const outFile = join(folder, 'structures.wasm');
    const { error, stderr } = await asc.main([
      source,
      '--outFile',
      relative(process.cwd(), outFile),
      ...['--runtime', 'stub', '-O2', '--config', 'none'],
    ]);
    if (error) throw new Error(stderr.toString());
    return await WebAssembly.compile(readFileSync(outFile));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
