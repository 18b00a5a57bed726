// Following what FRR would install in a VRF's table, while the device comes, goes and comes back with another table.
import assert from 'node:assert/strict';
import { decodeObservations } from '../../src/core/records.ts';
import { formatIpAddress } from '../../src/net/ip-address.ts';
import { formatPrefix } from '../../src/net/prefix.ts';
import { KernelFollower } from '../../src/sources/kernel/follower.ts';
import type { VrfCase } from './vrf-cases.ts';
import type { VrfSite } from './vrf-site.ts';

const PREFIX = '203.0.113.0/24';

export const followCase: VrfCase = {
  name: 'what another program installs in a VRF is followed, with its device',
  async run(site) {
    const source = { name: 'kernel:gold', table: 'gold', isVrf: true, protocol: 186 };
    const learned = new Map<string, string>();
    let state = '';
    let reason = '';
    const follower = new KernelFollower({ namespace: site.node, sources: [source] }, (message) => {
      if (message.type === 'state') ({ state, reason } = message);
      if (message.type !== 'routes') return;
      for (const { prefix, set } of decodeObservations(message.records, message.byteLength)) {
        const gateways = set?.members.map(({ address }) => formatIpAddress(address));
        if (gateways === undefined) learned.delete(formatPrefix(prefix));
        else learned.set(formatPrefix(prefix), gateways.join(' '));
      }
    });
    try {
      await follower.start();
      await site.until('no device to follow', async () => state === 'waiting');
      assert.equal(reason, 'no VRF device gold');
      await site.ip('link', 'add', 'gold0', 'type', 'veth', 'peer', 'gold1');
      await site.ip('link', 'set', 'gold1', 'up');
      for (const table of ['40', '41']) {
        await makeVrf(site, table);
        await site.until('the device followed', async () => state === 'following');
        await site.ip('route', 'add', PREFIX, 'via', '10.4.0.2', 'vrf', 'gold', 'proto', 'bgp');
        await site.until('its route', async () => learned.get(PREFIX) === '10.4.0.2');
        await site.ip('link', 'delete', 'gold');
        await site.until('nothing of it', async () => state === 'waiting' && learned.size === 0);
      }
    } finally {
      follower.stop();
    }
  },
};

async function makeVrf(site: VrfSite, table: string): Promise<void> {
  await site.ip('link', 'add', 'gold', 'type', 'vrf', 'table', table);
  await site.ip('link', 'set', 'gold', 'up');
  await site.ip('link', 'set', 'gold0', 'master', 'gold');
  await site.ip('link', 'set', 'gold0', 'up');
  await site.ip('address', 'replace', '10.4.0.1/24', 'dev', 'gold0');
}
