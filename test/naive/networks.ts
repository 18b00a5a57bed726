// Networks that import from each other, computed from nothing whenever somebody asks: the twin of assembly/rib/imports.ts, which
// keeps copies.
import { type Decision, decide, type Options } from './best-path.ts';
import { type NaiveRoute, RouteTable } from './route-table.ts';

/** What an import line makes of a route; undefined rejects it. */
export type NaivePolicy = (route: NaiveRoute) => NaiveRoute | undefined;

export interface ImportedRoute extends NaiveRoute {
  readonly importedFrom?: number;
}

export interface NaiveNetwork {
  readonly table: RouteTable;
  /** By the network that routes are taken from. */
  readonly imports: Map<number, NaivePolicy>;
}

export class Networks {
  readonly byId = new Map<number, NaiveNetwork>();
  readonly #localAs: number;
  readonly #options: Options;

  constructor(localAs: number, options: Options) {
    this.#localAs = localAs;
    this.#options = options;
  }

  add(id: number): void {
    const table = new RouteTable(this.#localAs, this.#options);
    this.byId.set(id, { table, imports: new Map() });
  }

  remove(id: number): void {
    this.byId.delete(id);
    for (const { imports } of this.byId.values()) imports.delete(id);
  }

  prefixes(id: number): string[] {
    const { table, imports } = this.byId.get(id)!;
    const sources = [...imports.keys()].map((from) => this.byId.get(from)!.table);
    return [...new Set([table, ...sources].flatMap((each) => each.prefixes()))];
  }

  /** All routes of a prefix, its own and its copies, and what becomes of them. */
  decision(
    id: number,
    prefix: string,
  ): Decision<ImportedRoute> & { readonly routes: readonly ImportedRoute[] } {
    const { table, imports } = this.byId.get(id)!;
    const own: readonly ImportedRoute[] = table.decision(prefix).routes;
    const copies = [...imports].flatMap(([from, policy]) =>
      this.#copies(from, prefix, policy).map((copy) => ({
        ...copy,
        eligible: copy.eligible && !table.isOwn(prefix),
      })),
    );
    const routes = [...own, ...copies];
    return { ...decide(routes, this.#options), routes };
  }

  /** What a network chooses among its own, and did not originate. */
  #copies(from: number, prefix: string, policy: NaivePolicy): ImportedRoute[] {
    const { chosen } = this.byId.get(from)!.table.decision(prefix);
    const learned = chosen.filter(({ isLocal }) => !isLocal);
    return learned.flatMap((route) => {
      const before = learned.filter(
        ({ peer, pathId }) => peer === route.peer && pathId < route.pathId,
      );
      const copy = policy(route);
      return copy === undefined
        ? []
        : [{ ...copy, importedFrom: from, pathId: before.length, stale: false }];
    });
  }
}
