// Golden messages: test/fixtures/messages/*.txt hold, per feature, words, hex and the decoded object. UPDATE_FIXTURES=1 rewrites
// the decoded part from the hex; the hex is written by hand or taken from the wire.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { asSequence } from '../../../src/bgp/attributes/as-path.ts';
import { describeMessage } from '../../../src/bgp/messages/describe.ts';
import type { DescribedUpdate } from '../../../src/bgp/messages/describe-update.ts';
import {
  encodeAnnouncement,
  encodeEndOfRib,
  encodeWithdrawal,
} from '../../../src/bgp/messages/update.ts';
import { parseCommunity, parseLargeCommunity } from '../../../src/net/community.ts';
import { formatHex, parseHex } from '../../../src/net/hex.ts';
import { parseIpAddress } from '../../../src/net/ip-address.ts';
import { parsePrefix } from '../../../src/net/prefix.ts';

const folder = join(import.meta.dirname, '..', '..', 'fixtures', 'messages');
const rewrites = process.env['UPDATE_FIXTURES'] === '1';

interface Golden {
  /** Lines of words, with settings as "# 2-octet AS", "# add-path: ipv4-unicast" among them. */
  readonly words: string;
  readonly hex: Uint8Array;
  readonly decoded: string;
}

function readGolden(file: string): Golden {
  const [words = '', hex = '', decoded = ''] = readFileSync(join(folder, file), 'utf8').split(
    /^-- (?:hex|decoded)\n/m,
  );
  return { words, hex: parseHex(hex.replace(/#.*$/gm, ''))!, decoded };
}

function contextOf({ words }: Golden) {
  return {
    fourOctetAs: !words.includes('2-octet AS'),
    addPath: new Set([...words.matchAll(/add-path: (\S+)/g)].map((match) => match[1]!)),
  };
}

describe('golden messages', () => {
  it.each(readdirSync(folder))(
    '%s is decoded as it says, and encoded back where we send it',
    (file) => {
      const golden = readGolden(file);
      const message = describeMessage(golden.hex, contextOf(golden));
      const text = `${JSON.stringify(message, undefined, 2)}\n`;
      if (rewrites) {
        const head = readFileSync(join(folder, file), 'utf8').split(/^-- decoded\n/m)[0];
        writeFileSync(join(folder, file), `${head}-- decoded\n${text}`);
      }
      expect(text).toBe(readGolden(file).decoded);
      if (!golden.words.includes('re-encoded')) return;
      const encoded = encodeAgain(message as DescribedUpdate, contextOf(golden).fourOctetAs);
      expect(formatHex(encoded!)).toBe(formatHex(golden.hex));
    },
  );
});

/** The message our encoder makes of what the decoder found. */
function encodeAgain(message: DescribedUpdate, fourOctetAs: boolean): Uint8Array | undefined {
  const session = { fourOctetAs, maxMessageBytes: 4096 };
  const { announced, withdrawn, attributes, endOfRib } = message;
  if (endOfRib) return encodeEndOfRib(endOfRib as 'ipv6-unicast');
  if (announced.length === 0) {
    return encodeWithdrawal(
      withdrawn.map(({ prefix }) => parsePrefix(prefix!)!),
      session,
    )[0];
  }
  const asns = (attributes.as4Path ?? attributes.asPath ?? []) as readonly number[];
  const linkLocal = announced[0]!.linkLocalNextHop;
  return encodeAnnouncement(
    announced.map(({ prefix }) => parsePrefix(prefix!)!),
    {
      origin: attributes.origin!,
      asPath: asSequence(asns),
      nextHop: parseIpAddress(announced[0]!.nextHop!)!,
      linkLocalNextHop: linkLocal === undefined ? undefined : parseIpAddress(linkLocal)!,
      med: attributes.med,
      localPref: attributes.localPref,
      communities: attributes.communities?.map((text) => parseCommunity(text)!),
      extendedCommunities: attributes.extendedCommunities?.map(({ hex }) => parseHex(hex)!),
      largeCommunities: attributes.largeCommunities?.map((text) => parseLargeCommunity(text)!),
    },
    session,
  )[0];
}
