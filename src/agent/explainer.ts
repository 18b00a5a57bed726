// Explains a prefix: puts together what the core's rows, the policies and the targets say of it.
import { BadQuestion } from '../control/agent-view.ts';
import {
  type ExplainedPolicy,
  type ExplainedRoute,
  type Explanation,
  explainClauses,
  explainDecision,
} from '../control/explanation.ts';
import { type RouteObject, routeObject } from '../control/route-object.ts';
import type { RouteCore, RouteRow, StoredAttributes } from '../core/route-core.ts';
import { formatPrefix, type Prefix, parsePrefix, prefixFamily } from '../net/prefix.ts';
import type { PolicyTable } from './policy-table.ts';
import type { RouteReader } from './route-reader.ts';
import type { NetworkRuntime, PeerRuntime } from './runtime.ts';

/** More paths to one prefix than anybody reads. */
const MOST_ROUTES = 500;

export interface ExplainerParts {
  readonly core: RouteCore;
  readonly reader: RouteReader;
  readonly policies: PolicyTable;
  readonly networks: ReadonlyMap<string, NetworkRuntime>;
  readonly peers: ReadonlyMap<string, PeerRuntime>;
}

export class Explainer {
  readonly #parts: ExplainerParts;

  constructor(parts: ExplainerParts) {
    this.#parts = parts;
  }

  /** Every route to exactly this prefix, in Adj-RIB-In order: what was received, which clause did what, why it won or lost. */
  explain(asked: {
    readonly network?: string;
    readonly peer?: string;
    readonly prefix: string;
  }): Explanation {
    const { reader } = this.#parts;
    const network = reader.network(asked.network);
    const prefix = parsePrefix(asked.prefix);
    if (prefix === undefined) {
      throw new BadQuestion(`prefix ${asked.prefix}, expected ADDRESS/LENGTH`);
    }
    const names = this.#parts.reader.names(network);
    const rows = this.#exactRows(network, prefix);
    const best = rows.find((row) => row.best);
    const bestObject = best && routeObject(best, names);
    const peer = asked.peer === undefined ? undefined : reader.peer(asked.peer).id;
    return {
      network: network.config.name,
      prefix: formatPrefix(prefix),
      routes: rows
        .filter((row) => peer === undefined || row.peer === peer)
        .map((row) => this.#explainRow(row, prefix, network, bestObject)),
      entries: reader.entriesOf(network, prefix),
    };
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
    best: RouteObject | undefined,
  ): ExplainedRoute {
    const names = this.#parts.reader.names(network);
    const route = routeObject(row, names);
    return {
      route,
      ...(row.received === row.attributes
        ? {}
        : { received: routeObject(row, names, { received: true }) }),
      policies: this.#policiesOf(row, prefix, network),
      decision: explainDecision(route, best),
    };
  }

  /** The import policy where the route came in, then the import line that brought it here. */
  #policiesOf(row: RouteRow, prefix: Prefix, network: NetworkRuntime): ExplainedPolicy[] {
    const { peers, networks } = this.#parts;
    const peer = [...peers.values()].find(({ id }) => id === row.peer);
    const name = peer?.config.name;
    const at = `bgp.peers.${name}.import`;
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
