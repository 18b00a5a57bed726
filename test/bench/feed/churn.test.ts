// Restless routes as the feed says them: every kind ends where it began.
import { describe, expect, it } from 'vitest';
import { churnKinds, churnPeriod, churnUpdate } from '../../../bench/feed/churn.ts';
import { Feed } from '../../../bench/feed/stream.ts';
import { loadCore } from '../../../src/core/core.ts';
import { parseIpAddress } from '../../../src/net/ip-address.ts';
import { formatPrefix } from '../../../src/net/prefix.ts';
import { addOpenPeer } from '../../core/open-peer.ts';

const ROUTES = 20;
const CHURNING = 5;
const nextHop = parseIpAddress('192.0.2.1')!;
const otherNextHop = parseIpAddress('192.0.2.2')!;

const addresses = Uint32Array.from({ length: ROUTES }, (_, i) => 0x14000000 + i * 256);
const table = { addresses, lengths: new Uint8Array(ROUTES).fill(24), realCount: 0 };
const feed = new Feed(table, { localAs: 65001, nextHop });

async function receiver() {
  const core = await loadCore();
  core.addNetwork(1, { med: 'deterministic', multipath: 1, multipathRelax: false });
  addOpenPeer(core, 1, { address: nextHop, localAsn: 64512, families: ['ipv4-unicast'] });
  const routes = () => {
    const query = { network: 1, family: 'ipv4-unicast', stage: 'loc-rib', match: { kind: 'all' } };
    const { rows } = core.routes(query as never, undefined, 100);
    return rows.map(
      ({ prefix, attributes }) => `${formatPrefix(prefix!)} ${JSON.stringify(attributes)}`,
    );
  };
  return { core, routes };
}

describe.each(churnKinds)('%s', (kind) => {
  const options = { kind, routes: CHURNING, nextHop, otherNextHop };

  it('changes the routes that take part, and leaves all as they were after a period', async () => {
    const { core, routes } = await receiver();
    core.receive(1, feed.encodeTable(), 1);
    const before = routes();
    const period = churnPeriod(options);
    const seen = new Set<string>();
    for (let index = 0; index < 2 * period; index++) {
      expect(core.receive(1, churnUpdate(feed, options, index), 1).updateCount).toBe(1);
      if (index < period) seen.add(routes().join());
    }
    expect(routes()).toEqual(before);
    expect(seen.size).toBe(kind === 'flap' ? 1 + CHURNING : period); // back at once: all in place between two
  });
});
