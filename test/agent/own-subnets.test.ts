// What routes from outside may not claim.
import { describe, expect, it } from 'vitest';
import { ownSubnets } from '../../src/agent/own-subnets.ts';
import { formatPrefix, parsePrefix } from '../../src/net/prefix.ts';

const prefixes = (...texts: string[]) => texts.map((text) => parsePrefix(text)!);
const advertise = (...texts: string[]) =>
  prefixes(...texts).map((prefix) => ({ prefix, communities: [], policy: 'accept' }));

describe('ownSubnets', () => {
  it.each([
    ['what it is said to have', ['10.0.0.0/8'], [], [], ['10.0.0.0/8']],
    [
      'what it announces, from here and from OVN, once',
      [],
      ['10.1.0.0/24'],
      ['10.1.0.0/24', 'fd00::/64'],
      ['10.1.0.0/24', 'fd00::/64'],
    ],
    ['no default route that it announces', [], ['0.0.0.0/0'], ['::/0'], []],
    ['no host route of a port', [], [], ['10.1.0.5/32', 'fd00::5/128'], []],
    ['a host route of the configuration', [], ['192.0.2.1/32'], [], ['192.0.2.1/32']],
  ])('%s', (_name, subnets, configured, announced, expected) => {
    const network = { subnets: prefixes(...subnets), advertise: advertise(...configured) };
    expect(ownSubnets(network, prefixes(...announced)).map(formatPrefix)).toEqual(expected);
  });
});
