// Promises of the core as a whole: what it exports, and that nothing in it is managed.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const build = join(import.meta.dirname, '..', '..', 'build');

describe('build/core.wasm', () => {
  it('exports what index.ts lists, and nothing else', async () => {
    const module = await WebAssembly.compile(readFileSync(join(build, 'core.wasm')));
    const names = WebAssembly.Module.exports(module).map(({ name }) => name);
    expect(names.sort()).toMatchInlineSnapshot(`
      [
        "acknowledge",
        "addFib",
        "beginPolicy",
        "beginRefresh",
        "beginSnapshot",
        "checkUpdate",
        "closePeer",
        "drain",
        "endRefresh",
        "endSnapshot",
        "forget",
        "initialise",
        "inputBuffer",
        "isFibPending",
        "isFibUrgent",
        "learn",
        "lookUp",
        "memory",
        "observe",
        "openPeer",
        "originate",
        "outputBuffer",
        "passRestedPrefixes",
        "putIncomingPolicy",
        "readCarried",
        "readFib",
        "readFibCounters",
        "readLabels",
        "readMemory",
        "readPeerCounters",
        "readRestlessCount",
        "readRoutes",
        "receive",
        "releaseRemovals",
        "removeFib",
        "removeNetwork",
        "removePeer",
        "removePolicy",
        "resultRecord",
        "setImport",
        "setNetwork",
        "setNextHop",
        "setOwnSubnets",
        "setPeer",
        "setPeerLimit",
        "takeNextHopEvents",
        "takePolicy",
        "trackNextHops",
        "tryPolicy",
        "withdrawOriginated",
        "work",
      ]
    `);
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
