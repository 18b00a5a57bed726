// Promises of the core as a whole: what it exports, and that nothing in it is managed.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const build = join(import.meta.dirname, '..', '..', 'build');

/** The names in the export lists of assembly/index.ts. */
function listed(): string[] {
  const source = readFileSync(join(build, '..', 'assembly', 'index.ts'), 'utf8');
  const lists = [...source.matchAll(/^export \{([^}]*)\} from/gm)].map((match) => match[1]!);
  return lists.flatMap((list) => list.match(/\w+/g) ?? []);
}

describe('build/core.wasm', () => {
  it('exports what index.ts lists, and nothing else', async () => {
    const module = await WebAssembly.compile(readFileSync(join(build, 'core.wasm')));
    const names = WebAssembly.Module.exports(module).map(({ name }) => name);
    expect(names.sort()).toEqual([...listed(), 'memory'].sort());
  });

  it('needs nothing from the host but a place to report a bug', async () => {
    const module = await WebAssembly.compile(readFileSync(join(build, 'core.wasm')));
    const imports = WebAssembly.Module.imports(module).map(
      ({ module, name }) => `${module}.${name}`,
    );
    expect(imports).toEqual(['env.abort']);
  });

  it('allocates nothing managed', () => {
    const text = readFileSync(join(build, 'core.debug.wat'), 'utf8');
    expect(text).toContain('(func $assembly/rib/adj-rib-in/announce');
    expect(text).not.toContain('/__new');
    expect(text).not.toContain('~lib/rt/stub/__alloc');
  });
});
