// Where next hops are looked for, as a table of configurations.
import { expect, it } from 'vitest';
import { importedVrfs, vrfsOf } from '../../src/agent/next-hop-vrfs.ts';
import { parseConfig } from '../../src/config/parse.ts';

it.each([
  ['main', '{ name: a }', [undefined], []],
  ['a table that is not a VRF device’s', '{ name: a, table: 100 }', [undefined], []],
  ['a VRF', '{ name: a, vrf: red }', ['red'], []],
  ['an import', '{ name: a, vrf: red, imports: [{ from: b }] }', ['red'], ['blue']],
  [
    'two imports of one VRF and one of main',
    '{ name: a, imports: [{ from: b }, { from: c }] }',
    [undefined],
    ['blue', undefined],
  ],
  [
    'an import from a network that follows FRR, which leaks',
    '{ name: a, vrf: red, imports: [{ from: d }] }',
    ['red'],
    ['green', undefined, 'red', 'blue'],
  ],
])('of %s', (_, network, own, imported) => {
  const { config, problems } = parseConfig(`bgp: { asn: 64512, routerId: 10.0.0.1 }
networks:
  - ${network}
  - { name: b, vrf: blue }
  - { name: c }
  - { name: d, vrf: green }
sources: [{ kind: kernel, vrfs: [green] }]
`);
  expect(problems).toBeUndefined();
  expect(vrfsOf(config!, config!.networks[0]!)).toEqual(own);
  expect(importedVrfs(config!, config!.networks[0]!)).toEqual(imported);
});
