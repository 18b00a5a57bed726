// Compiles a test's own AssemblyScript entry over the core's sources.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import asc from 'assemblyscript/asc';

/** Throws what the compiler said when it refuses. */
export async function compileAssembly(source: string): Promise<WebAssembly.Module> {
  const folder = mkdtempSync(join(tmpdir(), 'rutter-assembly-'));
  try {
    const outFile = join(folder, 'test.wasm');
    const { error, stderr } = await asc.main([
      relative(process.cwd(), source),
      ...['--outFile', relative(process.cwd(), outFile)],
      ...['--runtime', 'stub', '--enable', 'simd', '-O3', '--config', 'none'],
    ]);
    if (error) throw new Error(stderr.toString(), { cause: error });
    return await WebAssembly.compile(readFileSync(outFile));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
