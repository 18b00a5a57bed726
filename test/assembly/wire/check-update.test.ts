// The verdict as the host sees it: checkUpdate of the built core, on the fixtures that state a remedy (RFC 7606 §2).
import { beforeAll, describe, expect, it } from 'vitest';
import { loadCore } from '../../../src/core/core.ts';
import type { RouteCore } from '../../../src/core/route-core.ts';
import { addressFamilies } from '../../../src/net/address-family.ts';
import {
  bytesOf,
  dataDirectory,
  type Fixture,
  fixtureFiles,
  readFixtures,
} from '../../fixture-data.ts';

const remedies = ['attribute-discard', 'treat-as-withdraw', 'session-reset'];

let core: RouteCore;
beforeAll(async () => {
  core = await loadCore({ maximumBytes: 64 << 20 });
});

const files = fixtureFiles('fixtures');
const malformed = (await Promise.all(files.map(readFixtures)))
  .flat()
  .filter(({ kind, expect: { error } }) => kind === 'update' && remedies.includes(error?.class));

describe.skipIf(malformed.length === 0)(`malformed UPDATEs of ${dataDirectory}`, () => {
  it.each(malformed)('$name', (fixture) => {
    const { class: outcome, attr, notification } = fixture.expect['error'];
    const verdict = core.checkUpdate(bytesOf(fixture), contextOf(fixture));
    expect(verdict.outcome).toBe(outcome);
    if (attr !== undefined) expect(verdict.attribute).toBe(attr);
    if (notification !== undefined) {
      expect([verdict.errorCode, verdict.errorSubcode]).toEqual(notification);
    }
  });
});

function contextOf({ context }: Fixture) {
  return {
    fourOctetAs: context?.asn4 !== false,
    session: context?.session ?? 'ebgp',
    addPath: addressFamilies.filter((family) => context?.addpath?.includes(family)),
    peerAsn: context?.peer_as ?? 0,
    localAsn: context?.local_as ?? 0,
  };
}
