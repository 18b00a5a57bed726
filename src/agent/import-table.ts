// The import lines of the running agent: made, changed and taken away in the core, each a peer of the network it imports into.
import type { Config } from '../config/config.ts';
import type { RouteCore } from '../core/route-core.ts';
import type { Numbers } from './numbers.ts';
import type { PolicyTable } from './policy-table.ts';
import type { NetworkRuntime } from './runtime.ts';
import type { WorkLoop } from './work-loop.ts';

export interface ImportTableParts {
  readonly core: RouteCore;
  readonly workLoop: WorkLoop;
  readonly peerNumbers: Numbers;
  readonly policies: PolicyTable;
  readonly networks: ReadonlyMap<string, NetworkRuntime>;
}

/** One line of a network's `imports`. */
export interface ImportRuntime {
  /** Peer id in the core. */
  readonly id: number;
  readonly network: string;
  readonly from: string;
  policy: string;
}

export class ImportTable {
  readonly #parts: ImportTableParts;
  #lines: readonly ImportRuntime[] = [];

  constructor(parts: ImportTableParts) {
    this.#parts = parts;
  }

  get lines(): readonly ImportRuntime[] {
    return this.#lines;
  }

  /** Gives up the lines that the configuration does not have any more. Before networks go. */
  removeOthers(config: Config): void {
    const wanted = linesOf(config);
    const leaving = this.#lines.filter((line) => !wanted.some((each) => isSame(each, line)));
    this.#lines = this.#lines.filter((line) => !leaving.includes(line));
    for (const { id } of leaving) this.#remove(id);
  }

  /** Makes the lines that are new and changes the others. After networks came. */
  apply(config: Config): void {
    for (const wanted of linesOf(config)) {
      const known = this.#lines.find((line) => isSame(line, wanted));
      const line = known ?? { ...wanted, id: this.#parts.peerNumbers.take() };
      line.policy = wanted.policy;
      if (known === undefined) this.#lines = [...this.#lines, line];
      this.#tellCore(line);
    }
    this.#parts.workLoop.wake();
  }

  #tellCore({ id, network, from, policy }: ImportRuntime): void {
    const { core, networks, policies } = this.#parts;
    core.addImport(id, {
      network: networks.get(network)!.id,
      from: networks.get(from)!.id,
      policy: policies.id(policy),
    });
  }

  #remove(id: number): void {
    const { core, workLoop, peerNumbers } = this.#parts;
    core.closePeer(id, []);
    workLoop.atRest(() => {
      core.removePeer(id);
      peerNumbers.giveBack(id);
    });
  }
}

function linesOf({ networks }: Config): Omit<ImportRuntime, 'id'>[] {
  return networks.flatMap(({ name, imports }) =>
    imports.map(({ from, policy }) => ({ network: name, from, policy })),
  );
}

function isSame(
  a: Pick<ImportRuntime, 'network' | 'from'>,
  b: Pick<ImportRuntime, 'network' | 'from'>,
): boolean {
  return a.network === b.network && a.from === b.from;
}
