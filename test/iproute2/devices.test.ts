// Devices as `ip -details -json link show` of iproute2 6.1 prints them on a kernel with VRFs (shortened to the keys that name and place a device).
import { describe, expect, it } from 'vitest';
import {
  changedDevices,
  type Device,
  type Devices,
  readDevices,
  whyNoVrf,
} from '../../src/iproute2/devices.ts';

const recorded = JSON.parse(
  `[{"ifindex":1,"ifname":"lo","flags":["LOOPBACK","UP","LOWER_UP"],"link_type":"loopback"},
    {"ifindex":2,"ifname":"red","flags":["NOARP","MASTER","UP","LOWER_UP"],"linkinfo":{"info_kind":"vrf","info_data":{"table":10}}},
    {"ifindex":3,"ifname":"blue","flags":["BROADCAST","NOARP"],"linkinfo":{"info_kind":"dummy"}},
    {"ifindex":5,"link":"far0","ifname":"red0","master":"red","linkinfo":{"info_kind":"veth","info_slave_kind":"vrf","info_slave_data":{"table":10}}}]`,
) as unknown[];

describe('readDevices', () => {
  it('knows a VRF device and its table; a device inside a VRF is none', () => {
    expect([...readDevices(recorded).values()]).toEqual([
      { name: 'lo', index: 1 },
      { name: 'red', index: 2, vrfTable: 10 },
      { name: 'blue', index: 3 },
      { name: 'red0', index: 5 },
    ]);
  });

  it('passes over the empty objects of devices that were filtered out', () => {
    expect(readDevices([{}, {}]).size).toBe(0);
  });
});

describe('whyNoVrf', () => {
  it.each([
    ['red', undefined],
    ['blue', 'device blue is no VRF device'],
    ['green', 'VRF device green does not exist'],
  ])('says of %s: %s', (name, reason) => {
    expect(whyNoVrf(readDevices(recorded), name)).toBe(reason);
  });
});

describe('changedDevices', () => {
  const red: Device = { name: 'red', index: 2, vrfTable: 10 };
  const devices = (...list: Device[]): Devices => new Map(list.map((each) => [each.name, each]));

  it.each<[string, Devices, Devices, string[]]>([
    ['nothing', devices(red), devices({ ...red }), []],
    ['a device that came', devices(), devices(red), ['red']],
    ['one that went', devices(red), devices(), ['red']],
    ['one made anew', devices(red), devices({ ...red, index: 9 }), ['red']],
    ['another table', devices(red), devices({ ...red, vrfTable: 11 }), ['red']],
    ['no VRF any more', devices(red), devices({ name: 'red', index: 2 }), ['red']],
    ['another name', devices(red), devices({ ...red, name: 'teal' }), ['red', 'teal']],
  ])('names %s', (_, before, after, names) => {
    expect(changedDevices(before, after)).toEqual(names);
  });
});
