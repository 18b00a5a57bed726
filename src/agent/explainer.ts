// Explains a prefix: puts together what the core's rows, the policies and the targets say of it.

import { DECISION_IMPORT_POLICY, DECISION_NEXT_HOP } from '../../assembly/abi.ts';
import type { Speaker } from '../bgp/speaker.ts';
import { BadQuestion } from '../control/agent-view.ts';
import { type Contender, explainDecision } from '../control/decision-steps.ts';
import {
  type ExplainedPolicy,
  type ExplainedRoute,
  type Explanation,
  explainClauses,
} from '../control/explanation.ts';
import { routeObject } from '../control/route-object.ts';
import { decisionReasons } from '../core/decision-reasons.ts';
import type { RouteCore } from '../core/route-core.ts';
import type { RouteRow, StoredAttributes } from '../core/route-rows.ts';
import { formatIpAddress, type IpAddress } from '../net/ip-address.ts';
import { formatPrefix, type Prefix, parsePrefix, prefixFamily } from '../net/prefix.ts';
import { type ExportExplainerParts, explainExports } from './export-explainer.ts';
import type { PolicyTable } from './policy-table.ts';
import { byUse, type RouteReader } from './route-reader.ts';
import type { NetworkRuntime, PeerRuntime, SourceRuntime } from './runtime.ts';

/** More paths to one prefix than anybody reads. */
const MOST_ROUTES = 500;

export interface ExplainerParts extends ExportExplainerParts {
  readonly core: RouteCore;
  readonly reader: RouteReader;
  readonly policies: PolicyTable;
  readonly networks: ReadonlyMap<string, NetworkRuntime>;
  readonly peers: ReadonlyMap<string, PeerRuntime>;
  readonly sources: ReadonlyMap<string, SourceRuntime>;
  readonly speaker: Pick<Speaker, 'peers' | 'adjRibOut'>;
  /** Cost of the way to a next hop, as the core was told. */
  readonly igpMetric: (network: number, nextHop: IpAddress) => number;
}

export class Explainer {
  readonly #parts: ExplainerParts;

  constructor(parts: ExplainerParts) {
    this.#parts = parts;
  }

  /** Every route to exactly this prefix, those in use first: what was received, which clause did what, why it won or lost. */
  explain(asked: {
    readonly network?: string;
    readonly peer?: string;
    readonly prefix: string;
  }): Explanation {
    const { reader } = this.#parts;
    const network = reader.network(asked.network);
    const prefix = this.#prefixOf(network, asked.prefix);
    const rows = this.#exactRows(network, prefix).toSorted(byUse);
    const contenders = rows.map((row) => this.#contender(row, network));
    const peer = asked.peer === undefined ? undefined : reader.peerId(asked.peer);
    return {
      network: network.config.name,
      prefix: formatPrefix(prefix),
      routes: rows.flatMap((row, index) =>
        peer === undefined || row.peer === peer
          ? this.#explainRow(row, prefix, network, contenders, contenders[index]!)
          : [],
      ),
      entries: reader.entriesOf(network, prefix),
      announcements: explainExports(this.#parts, network, prefix, asked.peer),
    };
  }

  /** A prefix as it stands; of an address its longest match, of what is in use if there is any. */
  #prefixOf({ id }: NetworkRuntime, text: string): Prefix {
    const prefix = parsePrefix(text);
    if (prefix === undefined) {
      throw new BadQuestion(`prefix ${text}, expected ADDRESS/LENGTH or an address`);
    }
    if (text.includes('/')) return prefix;
    const match = { kind: 'longest', prefix } as const;
    const query = { network: id, family: prefixFamily(prefix), match } as const;
    for (const stage of ['loc-rib', 'adj-rib-in'] as const) {
      const [row] = this.#parts.core.routes({ ...query, stage }, undefined, 1).rows;
      if (row?.prefix !== undefined) return row.prefix;
    }
    return prefix;
  }

  #exactRows({ id }: NetworkRuntime, prefix: Prefix): readonly RouteRow[] {
    const query = { network: id, family: prefixFamily(prefix), stage: 'adj-rib-in' } as const;
    const match = { kind: 'exact', prefix } as const;
    return this.#parts.core.routes({ ...query, match }, undefined, MOST_ROUTES).rows;
  }

  #explainRow(
    row: RouteRow,
    prefix: Prefix,
    network: NetworkRuntime,
    contenders: readonly Contender[],
    contender: Contender,
  ): ExplainedRoute {
    const names = this.#parts.reader.names(network);
    const best = contenders.find(({ route }) => route.best);
    return {
      route: contender.route,
      ...(row.received === row.attributes
        ? {}
        : { received: routeObject(row, names, { received: true }) }),
      eligible: isEligible(row.reason),
      policies: this.#policiesOf(row, prefix, network),
      decision: explainDecision(
        contender,
        best,
        contenders.map(({ route }) => route),
      ),
    };
  }

  #contender(row: RouteRow, network: NetworkRuntime): Contender {
    const { reader, peers, speaker, igpMetric } = this.#parts;
    const config = [...peers.values()].find(({ id }) => id === row.peer)?.config;
    const status = speaker.peers().find(({ name }) => name === config?.name);
    return {
      route: routeObject(row, reader.names(network)),
      facts: {
        ebgp: status === undefined ? row.peer !== 0 : status.kind !== 'ibgp',
        routerId: status === undefined ? '0.0.0.0' : (status.routerId ?? 'of the last session'),
        peerAddress: config?.address === undefined ? '0.0.0.0' : formatIpAddress(config.address),
        igpMetric: igpMetric(row.importedFrom ?? network.id, row.attributes.nextHop),
      },
    };
  }

  /** The import policy where the route came in, then the import line that brought it here. */
  #policiesOf(row: RouteRow, prefix: Prefix, network: NetworkRuntime): ExplainedPolicy[] {
    const { peers, sources, networks } = this.#parts;
    const isOf = ({ id }: { readonly id: number }) => id === row.peer;
    const session = [...peers.values()].find(isOf);
    const peer = session ?? [...sources.values()].find(isOf);
    const name = peer?.config.name;
    const at = `${session ? 'bgp.peers' : 'sources'}.${name}.import`;
    if (row.importedFrom === undefined) {
      if (peer === undefined) return [];
      return [this.#tryOn(row.received, prefix, { at, policy: peer.config.import, peer: name })];
    }
    const source = [...networks.values()].find(({ id }) => id === row.importedFrom);
    const line = network.config.imports.find(({ from }) => from === source?.config.name);
    if (source === undefined || line === undefined) return [];
    const original = this.#exactRows(source, prefix).find(
      (each) => each.peer === row.peer && each.importedFrom === undefined,
    );
    if (original === undefined) return [];
    const lineAt = `networks.${network.config.name}.imports.${line.from}`;
    return [
      ...this.#policiesOf(original, prefix, source),
      this.#tryOn(original.attributes, prefix, { at: lineAt, policy: line.policy, peer: name }),
    ];
  }

  #tryOn(
    { bytes, nextHop, weight }: StoredAttributes,
    prefix: Prefix,
    { at, policy, peer }: { at: string; policy: string; peer: string | undefined },
  ): ExplainedPolicy {
    const { policies } = this.#parts;
    const trial = policies.try(policy, { prefix, attributes: bytes, nextHop, weight }, peer);
    const entry = policies.get(policy);
    return {
      at,
      policy,
      verdict: trial.accepted ? 'accept' : 'reject',
      clauses: explainClauses(trial, entry?.policy, entry?.compiled.conditions ?? []),
    };
  }
}

const ineligible = decisionReasons.filter(
  ({ step }) => step === DECISION_NEXT_HOP || step >= DECISION_IMPORT_POLICY,
);

function isEligible(reason: string): boolean {
  return !ineligible.some(({ lost }) => lost === reason);
}
