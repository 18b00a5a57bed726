// The direction of imports is a promise: a stage of the data path knows only what lies before it (README, "Map").
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

/** Folder → what its files may import besides themselves. `*` is everything. */
const allowed: Record<string, readonly string[]> = {
  'src/net': ['assembly/abi'],
  'src/bgp': ['src/net'],
  'src/bfd': ['src/net'],
  'src/ovsdb': ['src/net'],
  'src/policy': ['src/net', 'assembly/abi'],
  'src/config': ['src/net', 'src/policy'],
  'src/core': ['src/net', 'assembly/abi', 'build/core'],
  'src/iproute2': ['src/net'],
  'src/sinks': ['src/net', 'src/ovsdb', 'src/iproute2', 'src/core', 'assembly/abi'],
  'src/verify': ['src/net', 'src/ovsdb', 'src/core', 'src/iproute2', 'src/sinks'],
  'src/workers': ['src/sinks', 'src/sources/kernel', 'src/core/records', 'src/net'],
  'src/sources': ['src/net', 'src/iproute2', 'src/bgp', 'src/core'],
  'src/networks': ['src/net', 'src/ovsdb', 'src/iproute2', 'src/core'],
  'src/observe': [],
  'src/control': ['src/net', 'src/policy', 'src/bgp', 'src/core'],
  'src/agent': ['*'],
  'src/cli': ['*'],
  'src/lab': ['*'],
  assembly: ['assembly'],
};

/** Files that decide and never act: no platform, no clock, no sockets. */
const pure = [
  /^src\/net\/(?!socket|transport)/,
  /^src\/bgp\/(fsm|fsm-actions|collision|framing|capabilit.*|negotiate|errors|adj-rib-out|iana)\.ts$/,
  /^src\/bgp\/(messages|attributes|nlri)\//,
  /^src\/ovsdb\/values\.ts$/,
  /^src\/config\/(?!file)/,
  /^src\/core\/(?!core-module)/,
  /^src\/verify\/(differences|ovn-tables|host-tables)\.ts$/,
  /^src\/sinks\/ovn\/(row|row-id|transaction|foreign)\.ts$/,
  /^src\/iproute2\/(kernel-route|link-line|monitor-line|route-answer|batch-report|line-splitter|ways)\.ts$/,
  /^src\/sources\/kernel\/(route-line|next-hop-objects|followed-table|link-table)\.ts$/,
  /^src\/sinks\/host\/(route-line|nexthop-line)\.ts$/,
];

function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'));
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1]!);
}

function folderOf(file: string): string | undefined {
  return Object.keys(allowed).find((folder) => file.startsWith(`${folder}/`));
}

const files = [...filesBelow('src'), ...filesBelow('assembly')];

describe('imports', () => {
  it.each(files)('%s imports only what its folder may know', (file) => {
    const folder = folderOf(file);
    if (folder === undefined) return; // src/main.ts starts everything
    const rules = allowed[folder]!;
    const wrong = importsOf(file)
      .filter((target) => target.startsWith('.'))
      .map((target) =>
        relative(root, join(root, dirname(file), target))
          .split(sep)
          .join('/'),
      )
      .filter((target) => !target.startsWith(`${folder}/`) && !rules.includes('*'))
      .filter((target) => !rules.some((rule) => target.startsWith(rule)));
    expect(wrong).toEqual([]);
  });

  it.each(files.filter((file) => pure.some((pattern) => pattern.test(file))))(
    '%s is pure: no platform imports',
    (file) => {
      expect(importsOf(file).filter((target) => target.startsWith('node:'))).toEqual([]);
    },
  );
});
