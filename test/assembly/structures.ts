// Compiles test/assembly/as/structures.ts and hands out fresh instances of it.
import { join } from 'node:path';
import { compileAssembly } from './compile.ts';

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
  compiled ??= compileAssembly(join(import.meta.dirname, 'as', 'structures.ts'));
  const abort = (): never => {
    throw new Error('assertion failed');
  };
  const instance = await WebAssembly.instantiate(await compiled, { env: { abort } });
  const exports = instance.exports as unknown as Structures;
  exports.initialise(maximumBytes);
  return exports;
}
