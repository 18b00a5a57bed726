// Rules between policies and the rest of the file: names that must exist.
import { sourceName } from './followed-tables.ts';
import type { Fault } from './issues.ts';
import type { LooseConfig } from './loose.ts';

const builtIn = ['accept', 'reject', 'announce'];

export function checkPolicies(config: LooseConfig): Fault[] {
  return [...checkUses(config), ...checkReservedNames(config), ...checkConditions(config)];
}

/** Where a policy is named. */
function checkUses(config: LooseConfig): Fault[] {
  const known = new Set(['accept', 'reject', ...Object.keys(config.policies)]);
  const uses = [
    ...config.bgp.peers.flatMap((peer, index) => [
      { path: ['bgp', 'peers', index, 'import'], policy: peer.import },
      {
        path: ['bgp', 'peers', index, 'export'],
        policy: peer.export === 'announce' ? undefined : peer.export,
      },
    ]),
    ...config.sources.map((source, index) => ({
      path: ['sources', index, 'import'],
      policy: source.import,
    })),
    ...config.networks.flatMap((network, index) =>
      (['imports', 'exports', 'advertise', 'aggregates'] as const).flatMap((list) =>
        network[list].map(({ policy }, line) => ({
          path: ['networks', index, list, line, 'policy'],
          policy,
        })),
      ),
    ),
  ];
  return uses
    .filter(({ policy }) => policy !== undefined && !known.has(policy))
    .map(({ path, policy }) => ({
      path,
      message: `must be accept, reject or the name of a policy, is ${policy}`,
    }));
}

function checkReservedNames(config: LooseConfig): Fault[] {
  return builtIn
    .filter((name) => Object.hasOwn(config.policies, name))
    .map((name) => ({
      path: ['policies', name],
      message: `must have a name of its own, ${name} is built in`,
    }));
}

function checkConditions(config: LooseConfig): Fault[] {
  const tables = config.sources.flatMap(({ tables, vrfs }) => [...tables, ...vrfs]);
  const peers = [
    ...config.bgp.peers.flatMap(({ name }) => name ?? []),
    ...tables.flatMap((table) => (table === undefined ? [] : [sourceName(table)])),
  ];
  return Object.entries(config.policies).flatMap(([policy, clauses]) =>
    clauses.flatMap(({ match }, index) => {
      const path = ['policies', policy, index, 'match'];
      return [
        ...unknown(match.prefixes.filter(isListName), Object.keys(config.prefixLists), {
          path: [...path, 'prefixes'],
          what: 'one of the prefix lists',
        }),
        ...unknown(match.peer, peers, { path: [...path, 'peer'], what: 'one of the peers' }),
      ];
    }),
  );
}

function isListName(text: string): boolean {
  return !text.includes('/');
}

function unknown(
  names: readonly string[],
  known: readonly string[],
  { path, what }: { readonly path: (string | number)[]; readonly what: string },
): Fault[] {
  return names
    .filter((name) => !known.includes(name))
    .map((name) => ({
      path,
      message: `must be ${what} (${known.join(', ') || 'there are none'}), is ${name}`,
    }));
}
