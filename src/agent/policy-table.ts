// The policies of the running agent: which name has which number in the core, and what the compiled ones are made of.
//
// A policy keeps its number for as long as the agent lives, and so does a peer's name (CorePeer.nameId): a changed policy is put in
// the place of the old one, and the core decides anew what it decided. A policy that is no longer configured stays in the core until
// nothing names it: the last configuration's peers are gone by then.
import { isDeepStrictEqual } from 'node:util';
import { POLICY_ACCEPT, POLICY_FIRST, POLICY_REJECT } from '../../assembly/abi.ts';
import type { Config } from '../config/config.ts';
import type { TriedRoute } from '../core/policies.ts';
import type { PolicyTrial } from '../core/policy-trial.ts';
import type { RouteCore } from '../core/route-core.ts';
import { type CompiledPolicy, compilePolicy } from '../policy/compile.ts';
import type { Policy } from '../policy/policy.ts';

const builtIn: Readonly<Record<string, number>> = {
  accept: POLICY_ACCEPT,
  announce: POLICY_ACCEPT,
  reject: POLICY_REJECT,
};

interface Entry {
  readonly policy: Policy;
  readonly compiled: CompiledPolicy;
}

export class PolicyTable {
  readonly #core: RouteCore;
  readonly #asn: number;
  readonly #ids = new Map<string, number>();
  readonly #nameIds = new Map<string, number>();
  readonly #entries = new Map<string, Entry>();

  constructor(core: RouteCore, asn: number) {
    this.#core = core;
    this.#asn = asn;
  }

  /** Takes the policies of a configuration, before its peers and networks name them. The names of those that are others now. */
  configure({ policies }: Pick<Config, 'policies'>): string[] {
    const changed = Object.keys(policies).filter(
      (name) => !isDeepStrictEqual(this.#entries.get(name)?.policy, policies[name]),
    );
    for (const name of changed) this.#put(name, policies[name]!);
    return changed;
  }

  /** Lets go of what the configuration no longer has, after its peers and networks no longer name it. */
  prune({ policies }: Pick<Config, 'policies'>): void {
    for (const name of [...this.#entries.keys()]) {
      if (Object.hasOwn(policies, name)) continue;
      this.#entries.delete(name);
      this.#core.removePolicy(this.#ids.get(name)!);
    }
  }

  /** The number of a policy in the core. A name that is not known rejects. */
  id(name: string): number {
    return this.#ids.get(name) ?? builtIn[name] ?? POLICY_REJECT;
  }

  /** What policies know a peer by. */
  nameId(peer: string): number {
    const known = this.#nameIds.get(peer);
    if (known !== undefined) return known;
    const id = this.#nameIds.size + 1;
    this.#nameIds.set(peer, id);
    return id;
  }

  /** What the policy is, undefined for the built-in ones. */
  get(name: string): Entry | undefined {
    return this.#entries.get(name);
  }

  /** What a policy makes of a route that came from a peer, or goes to one. */
  try(name: string, route: Omit<TriedRoute, 'peer'>, peer: string | undefined): PolicyTrial {
    const nameId = peer === undefined ? 0 : this.nameId(peer);
    return this.#core.tryPolicy(this.id(name), { ...route, peer: nameId });
  }

  #put(name: string, policy: Policy): void {
    const id = this.#ids.get(name) ?? POLICY_FIRST + this.#ids.size;
    this.#ids.set(name, id);
    const compiled = compilePolicy(policy, { asn: this.#asn, peer: (peer) => this.nameId(peer) });
    this.#core.setPolicy(id, compiled.bytes);
    this.#entries.set(name, { policy, compiled });
  }
}
