// Links as iproute2 6.1 prints them.
import { describe, expect, it } from 'vitest';
import { parseLink } from '../../src/iproute2/link-line.ts';

describe('parseLink', () => {
  it.each([
    [
      '5: v2@v3: <BROADCAST,MULTICAST> mtu 1500 qdisc noqueue state DOWN group 0 \\    link/[1] 86:bd:fd:5e:71:dd brd ff:ff:ff:ff:ff:ff',
      { index: 5, name: 'v2', isUp: false, hasCarrier: false, master: undefined },
    ],
    [
      '4: v3@v2: <NO-CARRIER,BROADCAST,MULTICAST,UP,M-DOWN> mtu 1500 qdisc noqueue state LOWERLAYERDOWN group 0 \\    link/ether',
      { index: 4, name: 'v3', isUp: true, hasCarrier: false, master: undefined },
    ],
    [
      '3: to-b@if2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue master blue state UP group default qlen 1000\\    link/ether',
      { index: 3, name: 'to-b', isUp: true, hasCarrier: true, master: 'blue' },
    ],
    ['garbage', undefined],
  ])('%s', (text, expected) => {
    expect(parseLink(text)).toEqual(expected);
  });
});
