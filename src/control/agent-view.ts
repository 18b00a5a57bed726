// What the control API can ask of a running agent. The agent implements it; the server only translates HTTP.

export interface RoutesQuery {
  readonly network?: string;
  readonly family?: string;
  readonly stage?: string;
  readonly peer?: string;
  readonly prefix?: string;
  /** How `prefix` selects: exact, longer, covering, or the longest match. */
  readonly match?: string;
  /** `true`: entries with the routes they stand for. Where a prefix is asked for they have them anyway. */
  readonly why?: string;
}

/** A question the agent cannot answer as it was put: unknown network, bad prefix. Becomes HTTP 400. */
export class BadQuestion extends Error {}

export interface AgentView {
  status(): object;
  peers(): readonly object[];
  networks(): readonly object[];
  /** Streams in table order; rows of any number in constant memory. */
  routes(query: RoutesQuery): AsyncIterable<object>;
  /** The longest match of an address with every route of that prefix, best first. */
  lookup(query: { readonly network?: string; readonly address: string }): object;
  /** Every route to a prefix: what was received, what each policy's clauses made of it, and how it won or lost. */
  explain(query: {
    readonly network?: string;
    readonly peer?: string;
    readonly prefix: string;
  }): object;
  /** Prefixes whose desired state, OVN and host disagree. */
  drift(query: { readonly network?: string }): AsyncIterable<object>;
  /** What a network's Loc-RIB forwards, prefix by prefix, whatever its targets hold. */
  forwarding(query: { readonly network?: string }): AsyncIterable<object>;
  /** Where each network is written to, so that it can be read there. */
  places(): readonly object[];
  /** Feeds UPDATE messages as if the peer had sent them. Resolves with counts. */
  replay(query: { readonly peer: string }, body: AsyncIterable<Uint8Array>): Promise<object>;
  /** Removes everything of ours from a network's targets, or from all. */
  flush(query: { readonly network?: string }): Promise<object>;
  /** Adds a network or changes it, as an entry of the configuration's `networks` says; until the file is read again. */
  putNetwork(name: string, network: object): Promise<object>;
  removeNetwork(name: string): Promise<object>;
  /** Lets held removals of a network go (P3: an operator's word). */
  release(query: { readonly network?: string }): object;
  /** Whether routes are being learned and programmed: readiness. */
  isReady(): boolean;
  /** Prometheus text. */
  metrics(): Promise<string>;
}
