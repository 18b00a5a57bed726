// Every message fixture of RUTTER_DATA, decoded for people, against what it says is in it.
import { describe, expect, it } from 'vitest';
import { describeAttributes } from '../../../src/bgp/attributes/describe.ts';
import { describeMessage, messageLength } from '../../../src/bgp/messages/describe.ts';
import { formatIpAddress, parseIpAddress } from '../../../src/net/ip-address.ts';
import { formatPrefix, parsePrefix } from '../../../src/net/prefix.ts';
import { BmpDecoder } from '../../../src/sources/bmp.ts';
import {
  bytesOf,
  dataDirectory,
  type Fixture,
  fixtureFiles,
  readFixtures,
} from '../../fixture-data.ts';
import {
  expectedAttributes,
  expectedBmp,
  expectedMessage,
  expectedRoute,
} from './expected-form.ts';

const wholeMessages = ['update', 'open', 'notification', 'keepalive', 'route-refresh', 'bgp'];
const files = [...fixtureFiles('fixtures'), ...fixtureFiles('lab')];

describe.skipIf(files.length === 0)(`fixtures of ${dataDirectory}`, () => {
  for (const file of files) {
    describe(file, async () => {
      for (const fixture of await readFixtures(file)) {
        const check = checkFor(fixture);
        if (check !== undefined) it(fixture.name, () => check(fixture));
      }
      it('is in the form of the data', async () => {
        expect((await readFixtures(file)).length).toBeGreaterThan(0);
      });
    });
  }
});

/** What a fixture is for; undefined when it is the core's: the remedies of RFC 7606 (test/assembly/wire), and raw streams. */
function checkFor({ kind, expect: { error, no_crash } }: Fixture) {
  if (no_crash) return undefined;
  if (error) return isUnreadable(error) ? findsFault : undefined;
  if (wholeMessages.includes(kind)) return decodesMessage;
  if (kind === 'bmp') return decodesBmp;
  return kind === 'path-attribute' ? decodesAttribute : undefined;
}

function decodesMessage(fixture: Fixture): void {
  const message = describeMessage(bytesOf(fixture), contextOf(fixture));
  expect(message.errors).toBeUndefined();
  expect(expectedMessage(message)).toEqual(normalised(fixture.expect));
}

function decodesBmp(fixture: Fixture): void {
  const { message } = new BmpDecoder(contextOf(fixture)).read(bytesOf(fixture));
  expect(message.errors).toBeUndefined();
  expect(message.update?.errors).toBeUndefined();
  expect(expectedBmp(message)).toEqual(normalised(fixture.expect));
}

function decodesAttribute(fixture: Fixture): void {
  const block = describeAttributes(bytesOf(fixture), contextOf(fixture));
  const { decoded, reference_decoder_rejects } = fixture.expect;
  if (decoded === undefined) {
    // NetGauze's `invalid_*` samples are wrong in meaning only (a unicast prefix in a multicast family or the reverse): its own
    // reader refuses them, the data's reference decoder and this one read them
    expect(block.errors.length > 0).toBe(reference_decoder_rejects);
    return;
  }
  expect(block.errors).toEqual([]);
  expect(expectedAttributes(block.attributes)).toEqual(normalised(decoded).attrs ?? {});
  const routes = [...block.reach, ...block.unreach].map(({ family, prefix = '' }) =>
    expectedRoute({ family, prefix }),
  );
  const expected = [...(decoded.announce ?? []), ...(decoded.withdraw ?? [])];
  expect(routes).toEqual(expected.map(({ family, prefix }) => ({ family, prefix })));
}

function findsFault(fixture: Fixture): void {
  const bytes = bytesOf(fixture);
  if (fixture.kind === 'bmp') {
    const { message } = new BmpDecoder(contextOf(fixture)).read(bytes);
    expect(message.errors ?? message.update?.errors).not.toHaveLength(0);
  } else if (messageLength(bytes) === bytes.length) {
    expect(describeMessage(bytes, contextOf(fixture)).errors).not.toHaveLength(0);
  } else expect(fixture.expect['error'].class).toBe('message-header');
}

/** The class of an error that leaves bytes unread; RFC 7606's classes are the core's matter (test/assembly/wire). */
function isUnreadable(error: { class: string } | undefined): boolean {
  return error !== undefined && /^(malformed|message-header|open-message)$/.test(error.class);
}

function contextOf({ context }: Fixture) {
  return { fourOctetAs: context?.asn4 !== false, addPath: new Set(context?.addpath ?? []) };
}

/**
 * The expectation with its free choices made as ours: neighbouring AS_SEQUENCE segments as one, IPv4-mapped addresses in mixed
 * notation (RFC 5952 §5), and host bits clear in EVPN prefixes as everywhere else (the data leaves them there as they came).
 */
// biome-ignore lint/suspicious/noExplicitAny: the expectation's form is the data's
function normalised(expected: any): any {
  if (Array.isArray(expected)) return expected.map(normalised);
  if (typeof expected === 'string') return mixedNotation(expected);
  if (typeof expected !== 'object' || expected === null) return expected;
  return Object.fromEntries(
    Object.entries(expected).map(([key, value]) => {
      if (key === 'as_path' || key === 'as4_path') return [key, joined(value as Segment[])];
      if (key === 'prefix') return [key, cleared(value as string)];
      return [key, normalised(value)];
    }),
  );
}

type Segment = [string, number[]];

function joined(segments: readonly Segment[]): Segment[] {
  const list: Segment[] = [];
  for (const [type, asns] of segments) {
    const last = list.at(-1);
    if (type === 'seq' && last?.[0] === 'seq') last[1].push(...asns);
    else list.push([type, [...asns]]);
  }
  return list;
}

function mixedNotation(text: string): string {
  const address = text.startsWith('::ffff:') ? parseIpAddress(text) : undefined;
  return address === undefined ? text : formatIpAddress(address);
}

function cleared(text: string): string {
  const prefix = parsePrefix(text);
  return prefix === undefined ? text : formatPrefix(prefix);
}
