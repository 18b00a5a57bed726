// Adj-RIB-Out for people: what each peer was told of the networks' prefixes, and of the others why not (P10).
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Speaker } from '../bgp/speaker.ts';
import { type AnnouncementObject, announcementObject } from '../control/announcement-object.ts';
import type { PrefixMatch } from '../core/walk.ts';
import type { AddressFamily } from '../net/address-family.ts';
import {
  comparePrefixes,
  containsPrefix,
  type Prefix,
  parsePrefix,
  prefixFamily,
} from '../net/prefix.ts';
import type { Announcer, Outcome } from './announcer.ts';
import type { PeerRuntime } from './runtime.ts';

/** Prefixes between two turns of the main loop. */
const PAGE_PREFIXES = 500;

export interface AdjRibOutParts {
  readonly announcer: Announcer;
  readonly speaker: Pick<Speaker, 'adjRibOut'>;
}

/** In the order of prefixes. */
export async function* readAdjRibOut(
  parts: AdjRibOutParts,
  peer: PeerRuntime,
  families: readonly AddressFamily[],
  match: PrefixMatch,
): AsyncGenerator<object> {
  const texts = parts.announcer.table.textsTowards(peer.network.config.name);
  const prefixes = [...texts].map((text) => ({ text, prefix: parsePrefix(text)! }));
  const asked = select(
    prefixes.filter(({ prefix }) => families.includes(prefixFamily(prefix))),
    match,
  ).sort((a, b) => comparePrefixes(a.prefix, b.prefix));
  for (const [index, { text, prefix }] of asked.entries()) {
    if (index % PAGE_PREFIXES === PAGE_PREFIXES - 1) await nextTurn();
    for (const { announcement } of readOutcomes(parts, peer, text, prefix)) yield announcement;
  }
}

/** What becomes of one prefix in a peer's session: an announcement for each network that has it. */
export function* readOutcomes(
  { announcer, speaker }: AdjRibOutParts,
  peer: PeerRuntime,
  text: string,
  prefix: Prefix,
): Generator<{ readonly outcome: Outcome; readonly announcement: AnnouncementObject }> {
  const { name } = peer.config;
  const adjRibOut = speaker.adjRibOut(name);
  for (const outcome of announcer.outcomes(peer, text)) {
    const told = outcome.route && adjRibOut.told(text);
    const { network } = outcome.verdict;
    const { source } = outcome.verdict.announcement;
    const fate = fateOf(outcome, told !== undefined, adjRibOut.refusal(text));
    const row = { network, prefix, peer: name, source, told, ...fate };
    yield { outcome, announcement: announcementObject(row) };
  }
}

function fateOf({ state, reason }: Outcome, isTold: boolean, refusal: string | undefined) {
  if (state !== 'ready') return { state, reason };
  if (isTold) return { state: 'announced', reason: undefined } as const;
  if (refusal !== undefined) return { state: 'refused', reason: refusal } as const;
  return { state: 'pending', reason: undefined } as const;
}

function select<Item extends { readonly prefix: Prefix }>(
  items: Item[],
  match: PrefixMatch,
): Item[] {
  if (match.kind === 'all') return items;
  const { kind, prefix: asked } = match;
  if (kind === 'longer') return items.filter(({ prefix }) => containsPrefix(asked, prefix));
  const around = items.filter(({ prefix }) => containsPrefix(prefix, asked));
  if (kind === 'covering') return around;
  if (kind === 'exact') return around.filter(({ prefix }) => prefix.length === asked.length);
  const longest = Math.max(...around.map(({ prefix }) => prefix.length));
  return around.filter(({ prefix }) => prefix.length === longest);
}
