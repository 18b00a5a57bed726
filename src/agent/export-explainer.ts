// Why peers are told what they are told of a prefix of ours: every policy on the way out, clause by clause.
import {
  type ExplainedAnnouncement,
  type ExplainedPolicy,
  explainClauses,
} from '../control/explanation.ts';
import { formatPrefix, type Prefix } from '../net/prefix.ts';
import { type AdjRibOutParts, readOutcomes } from './adj-rib-out-reader.ts';
import type { Outcome } from './announcer.ts';
import { tryPolicy } from './export-policy.ts';
import type { PolicyTable } from './policy-table.ts';
import type { NetworkRuntime, PeerRuntime } from './runtime.ts';

export interface ExportExplainerParts extends AdjRibOutParts {
  readonly policies: Pick<PolicyTable, 'try' | 'get'>;
  readonly peers: ReadonlyMap<string, PeerRuntime>;
}

/** What becomes of a network's own prefix in every session where it may be announced, or in that of one peer. */
export function explainExports(
  parts: ExportExplainerParts,
  { config }: NetworkRuntime,
  prefix: Prefix,
  peerName: string | undefined,
): ExplainedAnnouncement[] {
  const places = parts.announcer.table.announcedIn(config.name);
  const peers = [...parts.peers.values()].filter(
    ({ config: { name }, network }) =>
      places.includes(network.config.name) && (peerName ?? name) === name,
  );
  const text = formatPrefix(prefix);
  return peers.flatMap((peer) =>
    [...readOutcomes(parts, peer, text, prefix)]
      .filter(({ announcement }) => announcement.network === config.name)
      .map(({ announcement, outcome }) => ({
        announcement,
        policies: explainPolicies(parts, peer, outcome),
      })),
  );
}

/** In order, up to the one that rejects. Of what has not come so far, nothing. */
function explainPolicies(
  { announcer, policies }: ExportExplainerParts,
  peer: PeerRuntime,
  { verdict }: Outcome,
): ExplainedPolicy[] {
  if (verdict.state !== 'ready' && verdict.state !== 'rejected') return [];
  const { steps, offered } = announcer.exportPath(peer, verdict);
  const explained: ExplainedPolicy[] = [];
  let route = offered;
  for (const { at, policy, peer: towards } of steps) {
    const { trial, after } = tryPolicy(policies, policy, route, towards);
    const entry = policies.get(policy);
    explained.push({
      at,
      policy,
      verdict: after === undefined ? 'reject' : 'accept',
      clauses: trial ? explainClauses(trial, entry?.policy, entry?.compiled.conditions ?? []) : [],
    });
    if (after === undefined) break;
    route = after;
  }
  return explained;
}
