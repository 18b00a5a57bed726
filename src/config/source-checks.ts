// What sources and networks must agree on: every followed table is the table of one network, and is followed once.
import { networkTable, tableName } from './followed-tables.ts';
import type { Fault } from './issues.ts';
import type { LooseConfig } from './loose.ts';

export function checkSources(config: LooseConfig): Fault[] {
  const owners = new Map(
    config.networks.flatMap((network) => {
      const table = networkTable(network);
      return table === undefined ? [] : [[table, network.name] as const];
    }),
  );
  const known = [...owners].map(([table, network]) => `${table} of ${network}`).join(', ');
  const followed = new Set<string>();
  const faults: Fault[] = [];
  for (const [index, source] of config.sources.entries()) {
    if (source.tables.length + source.vrfs.length === 0) {
      faults.push({ path: ['sources', index], message: 'must name tables or vrfs' });
    }
    for (const key of ['tables', 'vrfs'] as const) {
      for (const [line, table] of source[key].entries()) {
        if (table === undefined) continue;
        const name = tableName(table);
        const fault = (message: string) =>
          faults.push({ path: ['sources', index, key, line], message });
        if (!owners.has(name)) {
          fault(`must be the table of a network (${known || 'none has one'}), is ${table}`);
        } else if (followed.has(name)) {
          fault(`must be followed once, is ${table} once more`);
        }
        followed.add(name);
      }
    }
  }
  return faults;
}
