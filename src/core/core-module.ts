// Finds, compiles and instantiates build/core.wasm.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { instantiate } from '../../build/core.js';

type Adapted = Awaited<ReturnType<typeof instantiate>>;

/** An export as it is without the generated wrapper: booleans come out as 0 and 1. */
type Raw<Export> = Export extends (...parameters: infer Parameters) => infer Return
  ? (...parameters: Parameters) => Return extends boolean ? number : Return
  : Export;

/** The exports of assembly/index.ts and the memory. */
export type CoreExports = { readonly [Name in keyof Adapted]: Raw<Adapted[Name]> };

let compiled: Promise<WebAssembly.Module> | undefined;

/** A fresh instance with a memory of its own; the module is compiled once per process. */
export async function instantiateCore(): Promise<CoreExports> {
  compiled ??= readFile(findCoreFile()).then((bytes) => WebAssembly.compile(bytes));
  let memory: WebAssembly.Memory | undefined;
  const abort = (message: number, file: number, line: number, column: number): never => {
    const where = `${readText(memory, file)}:${line}:${column}`;
    throw new Error(`route core: ${readText(memory, message) || 'assertion failed'} at ${where}`);
  };
  const instance = await WebAssembly.instantiate(await compiled, { env: { abort } });
  const exports = instance.exports as unknown as CoreExports;
  memory = exports.memory;
  return exports;
}

/** The folder that holds package.json is above src/core/ as well as above dist/src/core/. */
function findCoreFile(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`no package.json above ${import.meta.url}`);
    folder = parent;
  }
  return join(folder, 'build', 'core.wasm');
}

/** An AssemblyScript string: UTF-16, its size in bytes in the word before it. */
function readText(memory: WebAssembly.Memory | undefined, pointer: number): string {
  if (!memory || pointer === 0) return '';
  const size = new DataView(memory.buffer).getUint32(pointer - 4, true);
  return new TextDecoder('utf-16le').decode(new Uint8Array(memory.buffer, pointer, size));
}
