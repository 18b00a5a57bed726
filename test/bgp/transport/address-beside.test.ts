// The next hop of the family that the session does not run over.
import { describe, expect, it } from 'vitest';
import { addressBeside } from '../../../src/bgp/transport/address-beside.ts';
import { formatIpAddress, parseIpAddress } from '../../../src/net/ip-address.ts';

const interfaces = {
  lo: [{ address: '127.0.0.1' }, { address: '::1' }, { address: '10.255.0.1' }],
  eth0: [{ address: '192.0.2.1' }, { address: 'fe80::1' }, { address: '2001:db8::1' }],
  eth1: [{ address: '192.0.2.129' }, { address: 'fe80::2' }],
};

describe('addressBeside', () => {
  it.each([
    ['192.0.2.1', '2001:db8::1'],
    ['2001:db8::1', '192.0.2.1'],
    ['192.0.2.129', undefined], // only a link-local one
    ['10.255.0.1', undefined], // only the loopback address
    ['198.51.100.1', undefined], // not ours
  ])('%s: %s', (address, expected) => {
    const found = addressBeside(parseIpAddress(address)!, interfaces);
    expect(found && formatIpAddress(found)).toBe(expected);
  });
});
