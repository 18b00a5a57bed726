// Compiles test/assembly/as/aggregation.ts, or a mutant of the sources it uses, and wraps an instance of it.
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileAssembly } from './compile.ts';

interface Exports {
  readonly memory: WebAssembly.Memory;
  initialise(maximumBytes: number): void;
  newTable(costModel: number, discards: boolean): number;
  makeLabel(number: number, members: number): number;
  dropLabel(label: number): void;
  keyBuffer(): number;
  setRoute(family: number, bits: number, label: number): number;
  setBarrier(family: number, bits: number, on: boolean, yields: boolean): number;
  settle(budget: number): number;
  markAll(): void;
  endTable(): void;
  installAll(): void;
  pendingCount(): number;
  rowCount(): number;
  nodeCount(): number;
  routeCount(): number;
  visitCount(): number;
  usedBytes(): number;
  labelCount(): number;
  walkFirst(family: number): number;
  walkNext(family: number): number;
  rowBits(): number;
  rowLabel(): number;
  rowKey(): void;
  rowBuffer(): number;
  readRows(family: number): number;
}

/** An edit of a source file that must not go unnoticed. */
export interface Mutation {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export interface BitPrefix {
  /** The address, 32 or 128 bits; host bits are 0. */
  readonly address: bigint;
  readonly bits: number;
}

export class Aggregation {
  readonly exports: Exports;
  readonly width: 32 | 128;
  readonly #key: number;
  readonly #family: number;

  constructor(exports: Exports, width: 32 | 128) {
    this.exports = exports;
    this.width = width;
    this.#key = exports.keyBuffer();
    this.#family = width === 32 ? 0 : 1;
  }

  setRoute(prefix: BitPrefix, label: number): boolean {
    this.#writeKey(prefix);
    return this.exports.setRoute(this.#family, prefix.bits, label) !== 0;
  }

  setBarrier(prefix: BitPrefix, on: boolean, yields = false): boolean {
    this.#writeKey(prefix);
    return this.exports.setBarrier(this.#family, prefix.bits, on, yields) !== 0;
  }

  settle(): void {
    while (!this.exports.settle(1 << 20)) {
      // to the end
    }
  }

  /** Every row that should be in place. */
  rows(): (BitPrefix & { readonly label: number })[] {
    const rows: (BitPrefix & { readonly label: number })[] = [];
    let there = this.exports.walkFirst(this.#family) !== 0;
    while (there) {
      const label = this.exports.rowLabel() >>> 0;
      if (label !== 0) rows.push({ ...this.#readRow(), label });
      there = this.exports.walkNext(this.#family) !== 0;
    }
    return rows;
  }

  #readRow(): BitPrefix {
    this.exports.rowKey();
    const bytes = new Uint8Array(this.exports.memory.buffer, this.#key, this.width / 8);
    return {
      address: BigInt(`0x${Buffer.from(bytes).toString('hex')}`),
      bits: this.exports.rowBits(),
    };
  }

  #writeKey({ address }: BitPrefix): void {
    const bytes = new Uint8Array(this.exports.memory.buffer, this.#key, 64).fill(0);
    const hex = address.toString(16).padStart(this.width / 4, '0');
    bytes.set(Buffer.from(hex, 'hex'));
  }
}

const compiled = new Map<string, Promise<WebAssembly.Module>>();

/** A fresh instance; with a mutation, of the sources changed by it. */
export async function newAggregation(width: 32 | 128, mutation?: Mutation): Promise<Aggregation> {
  const name = mutation === undefined ? '' : `${mutation.file}\n${mutation.from}\n${mutation.to}`;
  if (!compiled.has(name)) compiled.set(name, compile(mutation));
  const abort = (): never => {
    throw new Error('assertion failed');
  };
  const instance = await WebAssembly.instantiate(await compiled.get(name)!, { env: { abort } });
  const exports = instance.exports as unknown as Exports;
  exports.initialise(1 << 30);
  return new Aggregation(exports, width);
}

async function compile(mutation: Mutation | undefined): Promise<WebAssembly.Module> {
  const repository = join(import.meta.dirname, '..', '..');
  const folder = mkdtempSync(join(tmpdir(), 'rutter-aggregation-'));
  try {
    const root = mutation === undefined ? repository : join(folder, 'mutant');
    if (mutation !== undefined) mutate(repository, root, mutation);
    return await compileAssembly(join(root, 'test', 'assembly', 'as', 'aggregation.ts'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function mutate(repository: string, root: string, { file, from, to }: Mutation): void {
  cpSync(join(repository, 'assembly'), join(root, 'assembly'), { recursive: true });
  cpSync(join(repository, 'test', 'assembly', 'as'), join(root, 'test', 'assembly', 'as'), {
    recursive: true,
  });
  symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules'));
  const path = join(root, 'assembly', 'fib', 'aggregate', file);
  const source = readFileSync(path, 'utf8');
  if (source.split(from).length !== 2) throw new Error(`${file}: expected once: ${from}`);
  writeFileSync(
    path,
    source.replace(from, () => to),
  );
}
