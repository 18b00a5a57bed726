// What the route core can do, in the host's terms. core.ts implements it over the WebAssembly module.
//
// Everything here is synchronous and runs on the main thread. Calls are few and fat: a TCP chunk in, a batch of changes out.
// Ids (network, peer, fib) are small numbers the caller chooses. Objects returned by receive() are reused by the next call.
import type { AddressFamily } from '../net/address-family.ts';
import type { IpAddress } from '../net/ip-address.ts';
import type { Prefix } from '../net/prefix.ts';
import type { FibBatchMessage } from './records.ts';

/** Everything the decision process can be told (RFC 4271 §9.1.2.2). */
export interface DecisionOptions {
  /** `deterministic` compares MED within a neighbouring AS, whatever the order of arrival; `always` between all. */
  readonly med: 'deterministic' | 'always';
  /** Most next hops in one ECMP set, 1–16. */
  readonly multipath: number;
  /** Paths of equal AS_PATH length, not only equal AS_PATH, may share the load. */
  readonly multipathRelax: boolean;
}

/** What the core must know of a peer for as long as it is configured. */
export interface CorePeer {
  readonly network: number;
  readonly address: IpAddress;
  readonly asn: number;
  readonly localAsn: number;
  /** Our router id, host order. */
  readonly localRouterId: number;
  /** Kernel index of the interface of the session: the device of link-local next hops. 0 when unknown. */
  readonly interfaceIndex: number;
  /** What policies know the peer by: the same number for as long as it has its name, whatever else about it changes. */
  readonly nameId?: number;
  /** A policy's id; what it rejects stays in Adj-RIB-In and is not eligible. POLICY_REJECT: RFC 8212 without a policy. */
  readonly importPolicy: number;
  /** First AS of the path must be the peer's (RFC 4271 §6.3). */
  readonly enforceFirstAs: boolean;
  /** Prefix limit per family; what exceeds it is not stored. */
  readonly maxPrefixes: Partial<Record<AddressFamily, number>>;
}

/** Routes of one network into another. */
export interface CoreImport {
  readonly network: number;
  readonly from: number;
  readonly policy: number;
}

/** What holds for one established session. */
export interface CoreSession {
  /** The peer's BGP identifier, host order. */
  readonly routerId: number;
  readonly fourOctetAs: boolean;
  /** Largest message, 4096 or 65535 (RFC 8654). */
  readonly maxMessageBytes: number;
  readonly families: readonly AddressFamily[];
  /** Families whose NLRI carry a path identifier from the peer (RFC 7911). */
  readonly addPath: readonly AddressFamily[];
}

/** What one receive() or resume() did. Reused by the next call: read it at once. */
export interface ReceiveResult {
  /** `control`: a message other than UPDATE and KEEPALIVE waits in `message`; handle it, then call resume(). */
  status: 'done' | 'control' | 'reset';
  /** The whole control message with its header; a view into the core's memory, valid until the next call. */
  message: Uint8Array;
  /** Every whole message of this call, KEEPALIVE included: proof that the peer lives. */
  messageCount: number;
  updateCount: number;
  announcedCount: number;
  withdrawnCount: number;
  /** UPDATEs answered with treat-as-withdraw or attribute discard (RFC 7606). */
  treatedAsWithdrawCount: number;
  attributeDiscardCount: number;
  /** Attribute type code of the last malformed attribute, or 0. */
  malformedAttribute: number;
  /** Prefixes of AFI/SAFIs that were not negotiated or are not carried: stepped over. */
  ignoredFamilyCount: number;
  /** Prefixes refused because a prefix limit or the memory ceiling is reached. */
  overLimitCount: number;
  outOfMemoryCount: number;
  /** Bit per family: End-of-RIB seen (RFC 4724 §2). */
  endOfRibMask: number;
  /** Bit per family: the prefix limit was hit in this call. */
  limitHitMask: number;
  /** With status `reset`: the NOTIFICATION to send. */
  errorCode: number;
  errorSubcode: number;
  errorData: Uint8Array;
}

/** What one learn() did, in paths. */
export interface LearnResult {
  readonly announcedCount: number;
  readonly withdrawnCount: number;
  readonly overLimitCount: number;
  readonly outOfMemoryCount: number;
}

export interface PeerCounters {
  /** Prefixes in Adj-RIB-In, per family index. */
  readonly received: readonly number[];
  /** Of those, eligible for the decision process. */
  readonly accepted: readonly number[];
  /** Of those, chosen as best path or ECMP member. */
  readonly best: readonly number[];
}

export interface FibCounters {
  readonly entryCount: number;
  readonly installedCount: number;
  readonly pendingCount: number;
  readonly refusedCount: number;
  /** Removals that wait for the end of the first sync (P3). */
  readonly heldCount: number;
}

export interface CoreMemory {
  readonly linearBytes: number;
  readonly usedBytes: number;
  readonly routeCount: number;
  readonly prefixCount: number;
  readonly attributeSetCount: number;
  readonly nextHopSetCount: number;
}

export type FibState = 'absent' | 'installed' | 'pending' | 'refused' | 'held';

/** One route of a dump. `attributes` is shared by the rows of a page that share the set: do not change it. */
export interface RouteRow {
  readonly family: AddressFamily;
  /** IPv4 and IPv6: the prefix. EVPN: undefined, see `nlri`. */
  readonly prefix: Prefix | undefined;
  /** The NLRI's key bytes, for EVPN. */
  readonly nlri: Uint8Array | undefined;
  /** Peer id, or 0 for a local route. Of an imported route, the peer of the network it comes from. */
  readonly peer: number;
  /** The network an import line took the route from. */
  readonly importedFrom: number | undefined;
  readonly pathId: number;
  readonly best: boolean;
  /** Part of the ECMP set without being the best path. */
  readonly multipath: boolean;
  readonly stale: boolean;
  /** Why it won, or why it did not: index into decisionReasons. */
  readonly reason: string;
  /** Seconds since 1970 when the peer last changed this route. */
  readonly since: number;
  /** What the decision process sees: after the import policy. */
  readonly attributes: StoredAttributes;
  /** What the peer sent; the same object where the policy changed nothing. */
  readonly received: StoredAttributes;
  /** State per FIB of the route's network, in the order the FIBs were added. */
  readonly fibStates: readonly {
    readonly fib: number;
    /** Of the entry that carries the route. */
    readonly state: FibState;
    readonly carrier: RouteCarrier;
  }[];
}

/** An interned attribute set: canonical path attribute bytes plus the next hop that came with them. */
export interface StoredAttributes {
  readonly id: number;
  /** Path attributes as flags/type/length/value, 4-octet AS numbers, without MP_REACH_NLRI and MP_UNREACH_NLRI. */
  readonly bytes: Uint8Array;
  /** 4 or 16 bytes. */
  readonly nextHop: Uint8Array;
  /** The link-local address of a 32-byte next hop (RFC 2545 §3). */
  readonly linkLocalNextHop: Uint8Array | undefined;
  /** A policy's, 0 without one; higher wins before anything else (step 2). */
  readonly weight: number;
}

/** One entry of a FIB: what a target should hold, and what it does. */
/**
 * The entry that carries a route: the length of its prefix, which covers the route's. `parts`: several entries inside the route's
 * prefix do, in an aggregated FIB. Undefined: none.
 */
export type RouteCarrier = number | 'parts' | undefined;

export interface FibRow {
  readonly prefix: Prefix;
  readonly family: AddressFamily;
  readonly state: FibState;
  readonly desired: readonly FibNextHop[] | undefined;
  readonly installed: readonly FibNextHop[] | undefined;
  /** Routes the entry stands for, where the FIB is aggregated, else 0. */
  readonly routeCount: number;
  /** There were too many to look at all of them. */
  readonly hasMoreRoutes: boolean;
}

/** What a Loc-RIB forwards a prefix to; no next hops: nothing, on purpose. */
export interface LabelRow {
  readonly prefix: Prefix;
  readonly nextHops: readonly FibNextHop[];
}

/** Addresses that an aggregated FIB forwards otherwise than its network's routes do. */
export interface FibDifference {
  readonly first: IpAddress;
  readonly last: IpAddress;
  readonly expected: FibForwarding;
  readonly actual: FibForwarding;
}

export interface FibForwarding {
  /** Ours; undefined: none of our rows or routes decides. Without any next hop: dropped, on purpose. */
  readonly nextHops: readonly FibNextHop[] | undefined;
  /** A route of somebody else takes part. */
  readonly withForeign: boolean;
}

export interface FibCheck {
  readonly differences: readonly FibDifference[];
  readonly next: WalkCursor | undefined;
}

export interface FibNextHop {
  readonly address: IpAddress;
  readonly weight: number;
  readonly interfaceIndex: number;
}

/** Which part of a table: everything, or relative to a prefix. */
export type PrefixMatch =
  | { readonly kind: 'all' }
  | { readonly kind: 'exact' | 'longer' | 'covering' | 'longest'; readonly prefix: Prefix };

/** Where a walk goes on. Opaque; undefined at the start, `done` set at the end. Survives any change of the table. */
export interface WalkCursor {
  readonly key: Uint8Array;
  readonly bits: number;
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly next: WalkCursor | undefined;
}

export interface NextHopEvent {
  /** Core id of the next hop. */
  readonly id: number;
  readonly network: number;
  readonly address: IpAddress;
  readonly interfaceIndex: number;
  /** `added`: resolve it and call setNextHop; `removed`: no route uses it any more. */
  readonly kind: 'added' | 'removed';
}

/** What a FIB makes of the routes it is given. */
export type Aggregation = 'off' | 'exact' | 'discard';

export interface FibOptions {
  /** What is installed but not desired stays until releaseRemovals (P3). */
  readonly holdRemovals: boolean;
  /** It is told of restless prefixes when they have come to rest: for targets that pay for each change. */
  readonly isPatient?: boolean;
  /**
   * `exact`: the fewest entries that forward alike. `discard`: entries that drop may be used for that.
   * `ended`: off, and written in the order in which an aggregated table is replaced. Default: `off`.
   */
  readonly aggregation?: Aggregation | 'ended';
  /** What the target pays for: next hops (OVN's rows), or entries, whatever they forward to (default). */
  readonly cost?: 'next-hops' | 'entries';
}

/** A route that is in no table, for tryPolicy. */
export interface TriedRoute {
  readonly prefix: Prefix;
  /** Path attributes as StoredAttributes has them. */
  readonly attributes: Uint8Array;
  /** 4 or 16 bytes; none for a route that has no next hop yet. */
  readonly nextHop?: IpAddress | undefined;
  readonly weight?: number;
  /** Name id of the peer it came from or goes to; 0 for none. */
  readonly peer: number;
}

export interface PolicyTrial {
  readonly accepted: boolean;
  /** What an accepted route is after the policy; undefined when it is rejected. */
  readonly route:
    | {
        readonly attributes: Uint8Array;
        readonly nextHop: IpAddress | undefined;
        readonly weight: number;
      }
    | undefined;
  /** The clauses tried, in order. The built-in policies have none. */
  readonly steps: readonly PolicyTrialStep[];
}

export interface PolicyTrialStep {
  readonly clause: number;
  /** Whether each condition holds, in the order of CompiledPolicy.conditions (src/policy/compile.ts). */
  readonly holds: readonly boolean[];
}

export interface RouteCore {
  // ---- networks ----
  addNetwork(network: number, options: DecisionOptions): void;
  /**
   * Once it has no peers, import lines, FIBs and routes, and nobody imports from it; at the end of work(), and with the
   * next-hop events taken: a next hop that is not known to be gone keeps what was said of it, whoever has the number next.
   */
  removeNetwork(network: number): void;
  /**
   * The network's own subnets, all of them: routes from outside to one or to a part of one are not eligible. work() applies it.
   */
  setOwnSubnets(network: number, prefixes: readonly Prefix[]): void;
  /** With tracking on, a new next hop is unresolved until setNextHop; off, every next hop counts as resolved. */
  trackNextHops(network: number, on: boolean): void;
  takeNextHopEvents(): NextHopEvent[];
  /** Marks what depends on the next hop for a new decision; work() does it. `metric`: IGP cost (step 9). */
  setNextHop(id: number, state: { readonly resolved: boolean; readonly metric: number }): void;

  // ---- peers ----
  addPeer(peer: number, options: CorePeer): void;
  /** Changes options of a configured peer; a changed `importPolicy` is re-applied from Adj-RIB-In by work(). */
  updatePeer(peer: number, options: CorePeer): void;
  /** After its routes are gone (closePeer, then work() to the end). */
  removePeer(peer: number): void;
  /**
   * An import line as a peer of `network`: it has copies of the routes that network `from` has chosen among its own, as far as the
   * policy (POLICY_* of abi.ts) lets them through. Called again, it changes the policy. closePeer, work() and removePeer end it.
   */
  addImport(peer: number, line: CoreImport): void;
  openPeer(peer: number, session: CoreSession): void;
  /** Takes a TCP chunk of an established session. Partial messages are kept until the rest comes. `nowSeconds` may have a fraction. */
  receive(peer: number, chunk: Uint8Array, nowSeconds: number): ReceiveResult;
  resume(peer: number): ReceiveResult;
  /** The session is gone. `retain`: keep routes as stale for those families (RFC 4724), withdraw the others through work(). */
  closePeer(peer: number, retain: readonly AddressFamily[]): void;
  /** Starts a refresh (BoRR, RFC 7313, or a restarted peer): routes not sent again are stale. */
  beginRefresh(peer: number, family: AddressFamily): void;
  /** Ends it (EoRR, End-of-RIB, restart timer): stale routes of the family go, through work(). */
  endRefresh(peer: number, family: AddressFamily): void;
  peerCounters(peer: number): PeerCounters;

  // ---- policies: accept (0) and reject (1) are built in, others have numbers from 2 on (POLICY_*) ----
  /** Adds or replaces a compiled policy; routes that it decided are decided anew by work(). Throws when it is not sound. */
  setPolicy(policy: number, compiled: Uint8Array): void;
  /** Routes that it decides are rejected from now on. */
  removePolicy(policy: number): void;
  /** What a policy makes of a route, step by step. Changes nothing. */
  tryPolicy(policy: number, route: TriedRoute): PolicyTrial;

  // ---- routes that are not from a session ----
  /**
   * A local prefix (peer 0): in lookups and dumps, and not towards a FIB unless packets to it are to be dropped there (`discard`):
   * the route behind a summary. Called again, it changes what was said before.
   */
  originate(
    network: number,
    prefix: Prefix,
    nowSeconds: number,
    options?: { readonly discard?: boolean },
  ): void;
  withdrawOriginated(network: number, prefix: Prefix): void;
  /**
   * Routes of a source that is not a BGP session (a peer added with addPeer, never opened): observation records
   * (encodeObservations), each with all the next hops the prefix has from now on; none withdraws it. ORIGIN is incomplete, AS_PATH
   * empty. beginRefresh and endRefresh frame a listing that is whole; closePeer takes everything away.
   */
  learn(peer: number, records: ArrayBuffer, byteLength: number, nowSeconds: number): LearnResult;

  // ---- deferred work ----
  /** Does up to `budget` units (about 1 µs each) of sweeps and re-decisions; true while there is more. */
  work(budget: number): boolean;

  // ---- restless prefixes: those that change many times a second ----
  /** Tells patient FIBs of those that have come to rest; true while others have not. To be called a few times a second while there are any. */
  passRestedPrefixes(nowSeconds: number): boolean;
  /** How many patient FIBs are not told of at once. */
  restlessPrefixCount(): number;

  // ---- FIBs: one per target of a network ----
  addFib(fib: number, network: number, options: FibOptions): void;
  removeFib(fib: number): void;
  /** Ids of FIBs with something to drain, cheap enough for every receive(). */
  pendingFibs(): readonly number[];
  /** Whether bad news is among what can be drained: something in place must go. */
  isUrgent(fib: number): boolean;
  /** Takes up to `limit` changes in order of urgency, then age. One batch in flight per FIB. The buffer is the caller's. */
  drain(fib: number, limit: number): FibBatchMessage;
  /** The batch in flight is in place, but for the records named. Refused entries wait for retry(). */
  acknowledge(fib: number, failedIndexes: readonly number[]): void;
  /** It is not known what was written: every record of the batch in flight is pending again, after the next snapshot. */
  forget(fib: number): void;
  beginSnapshot(fib: number): void;
  /** What a sink says is in place; inside a snapshot or at any time. A difference from what is desired becomes pending. */
  observe(fib: number, records: ArrayBuffer, byteLength: number): void;
  /** Routes of others that came or went, as encodeForeign writes them: an aggregated FIB stays clear of them, after work(). */
  observeForeign(fib: number, records: ArrayBuffer, byteLength: number): void;
  /** What the snapshot did not name is not installed, or not there. */
  endSnapshot(fib: number): void;
  /** Marks entries refused (count-0 observations name them), or lets refused entries be tried again. */
  refuse(fib: number, records: ArrayBuffer, byteLength: number): void;
  retry(fib: number, records: ArrayBuffer, byteLength: number): void;
  /** Installed, not desired: may be removed from now on. */
  releaseRemovals(fib: number): void;
  fibCounters(fib: number): FibCounters;

  // ---- reading ----
  routes(
    query: {
      readonly network: number;
      readonly family: AddressFamily;
      readonly stage: 'adj-rib-in' | 'loc-rib';
      readonly peer?: number;
      readonly match: PrefixMatch;
    },
    cursor: WalkCursor | undefined,
    limit: number,
  ): Page<RouteRow>;
  fibEntries(
    fib: number,
    family: AddressFamily,
    match: PrefixMatch,
    cursor: WalkCursor | undefined,
    limit: number,
  ): Page<FibRow>;
  /** What the Loc-RIB of a network forwards to, whatever its FIBs make of it. */
  labels(
    network: number,
    family: AddressFamily,
    cursor: WalkCursor | undefined,
    limit: number,
  ): Page<LabelRow>;
  /** The routes an entry of an aggregated FIB stands for, up to `limit`. */
  carriedRoutes(fib: number, prefix: Prefix, limit: number): Prefix[];
  /**
   * Compares the desired entries of an aggregated FIB, with the routes of others that it knows, to the routes of its network: about `limit`
   * prefixes of all tables from the cursor on. Each call holds by itself, whatever changes between two. Undefined: it cannot be told now,
   * something is on its way (work()); or it is not aggregated.
   */
  verifyFib(
    fib: number,
    family: AddressFamily,
    cursor: WalkCursor | undefined,
    limit: number,
  ): FibCheck | undefined;
  memory(): CoreMemory;

  // ---- without any table ----
  /** The RFC 7606 verdict on one whole UPDATE message, for `decode` and tests. Changes nothing. */
  checkUpdate(message: Uint8Array, context: CheckContext): UpdateVerdict;
}

export interface CheckContext {
  readonly fourOctetAs: boolean;
  readonly session: 'ebgp' | 'ibgp';
  readonly addPath: readonly AddressFamily[];
  readonly peerAsn: number;
  readonly localAsn: number;
}

export interface UpdateVerdict {
  readonly outcome: 'accept' | 'attribute-discard' | 'treat-as-withdraw' | 'session-reset';
  /** NOTIFICATION code and subcode that RFC 4271 §6.3 gives the error; 0 when accepted. */
  readonly errorCode: number;
  readonly errorSubcode: number;
  /** Type code of the first malformed attribute, or 0. */
  readonly attribute: number;
  /** Byte offset in the message where the error was found, or 0. */
  readonly offset: number;
  /** Routes in its lists, of families that are carried. Treated as withdraw, the announced ones are withdrawn. */
  readonly announcedCount: number;
  readonly withdrawnCount: number;
}
