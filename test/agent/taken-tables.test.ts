// Whose table it is when a VRF device has another network's.
import { describe, expect, it } from 'vitest';
import { takenTables } from '../../src/agent/taken-tables.ts';
import type { Device } from '../../src/iproute2/devices.ts';

const devices = (tables: Readonly<Record<string, number>>) =>
  new Map<string, Device>(
    Object.entries(tables).map(([name, vrfTable], index) => [name, { name, index, vrfTable }]),
  );

const red = { name: 'red', vrf: 'vrf-red', table: undefined };
const blue = { name: 'blue', vrf: 'vrf-blue', table: undefined };

describe('takenTables', () => {
  it('finds nothing where every device has a table of its own, or is not there', () => {
    expect(takenTables([red, blue], devices({ 'vrf-red': 1, 'vrf-blue': 2 })).size).toBe(0);
    expect(takenTables([red, blue], devices({ 'vrf-red': 1 })).size).toBe(0);
  });

  it('lets the network that is configured first keep a table of two devices', () => {
    const both = devices({ 'vrf-red': 7, 'vrf-blue': 7 });
    expect([...takenTables([red, blue], both)]).toEqual([
      ['blue', "table 7 of VRF device vrf-blue is network red's"],
    ]);
    expect([...takenTables([blue, red], both).keys()]).toEqual(['red']);
  });

  it('does not count a table as free because the device has gone', () => {
    const taken = takenTables([red, blue], devices({ 'vrf-red': 7, 'vrf-blue': 7 }));
    expect(takenTables([red, blue], devices({ 'vrf-red': 7 }), taken)).toEqual(taken);
    const apart = devices({ 'vrf-red': 7, 'vrf-blue': 8 });
    expect(takenTables([red, blue], apart, taken).size).toBe(0);
  });

  it.each([
    ['a number', { name: 'green', table: 7, vrf: undefined }, 7],
    ['a name', { name: 'green', table: 'main', vrf: undefined }, 254],
    ['nothing: main', { name: 'default', table: undefined, vrf: undefined }, 254],
  ])('lets a network that names %s keep its table, wherever it stands', (_, named, number) => {
    const taken = takenTables([red, named], devices({ 'vrf-red': number }));
    const reason = `table ${number} of VRF device vrf-red is network ${named.name}'s`;
    expect([...taken]).toEqual([['red', reason]]);
  });
});
