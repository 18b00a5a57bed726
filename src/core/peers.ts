// Peers of the core: those that have sessions, those that are a source of ours, and import lines, which are peers as well.
import {
  PEER_FLAG_ENFORCE_FIRST_AS,
  RESULT_ANNOUNCED_COUNT,
  RESULT_OUT_OF_MEMORY_COUNT,
  RESULT_OVER_LIMIT_COUNT,
  RESULT_WITHDRAWN_COUNT,
} from '../../assembly/abi.ts';
import { type AddressFamily, addressFamilies, familyNumbers } from '../net/address-family.ts';
import type { IpAddress } from '../net/ip-address.ts';
import type { Border } from './border.ts';
import { observationParts } from './records.ts';
import type { UnreadChunks } from './sessions.ts';
import { millisecondsOf } from './work.ts';

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

export interface PeerCalls {
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
  /**
   * Routes of a source that is not a BGP session (a peer added with addPeer, never opened): observation records
   * (encodeObservations), each with all the next hops the prefix has from now on; none withdraws it. ORIGIN is incomplete, AS_PATH
   * empty. beginRefresh and endRefresh frame a listing that is whole; closePeer takes everything away.
   */
  learn(peer: number, records: ArrayBuffer, byteLength: number, nowSeconds: number): LearnResult;
  peerCounters(peer: number): PeerCounters;
}

export function peerCalls(border: Border, unread: UnreadChunks): PeerCalls {
  const { exports } = border;
  const setPeer = (peer: number, options: CorePeer): void => {
    border.write(options.address);
    const done = exports.setPeer(
      peer,
      options.network,
      options.asn,
      options.localAsn,
      options.localRouterId,
      options.interfaceIndex,
      options.enforceFirstAs ? PEER_FLAG_ENFORCE_FIRST_AS : 0,
      options.nameId ?? 0,
      options.importPolicy,
      options.address.length,
    );
    border.expect(done, `peer ${peer} cannot be set in network ${options.network}`);
    for (const family of addressFamilies) {
      const limit = options.maxPrefixes[family] ?? 0;
      exports.setPeerLimit(peer, familyNumbers(family).index, limit);
    }
  };
  return {
    addPeer: setPeer,
    updatePeer: setPeer,

    removePeer(peer) {
      unread.delete(peer);
      border.expect(exports.removePeer(peer), `peer ${peer} is not known or still has routes`);
    },

    addImport(peer, { network, from, policy }) {
      const done = exports.setImport(peer, network, from, policy);
      border.expect(
        done,
        `import ${peer} from network ${from} cannot be set in network ${network}`,
      );
    },

    learn(peer, records, byteLength, nowSeconds) {
      const [seconds, ms] = [Math.floor(nowSeconds), millisecondsOf(nowSeconds)];
      let isContinued = false;
      for (const part of observationParts(records, byteLength)) {
        border.write(part);
        const done = exports.learn(peer, part.length, seconds, ms, isContinued);
        border.expect(done, `peer ${peer} is not known`);
        isContinued = true;
      }
      const field = (offset: number) => (isContinued ? border.field(offset) : 0);
      return {
        announcedCount: field(RESULT_ANNOUNCED_COUNT),
        withdrawnCount: field(RESULT_WITHDRAWN_COUNT),
        overLimitCount: field(RESULT_OVER_LIMIT_COUNT),
        outOfMemoryCount: field(RESULT_OUT_OF_MEMORY_COUNT),
      };
    },

    peerCounters(peer) {
      border.expect(exports.readPeerCounters(peer), `peer ${peer} is not known`);
      const perFamily = (column: number) =>
        addressFamilies.map((_, index) => border.counter(index * 3 + column));
      return { received: perFamily(0), accepted: perFamily(1), best: perFamily(2) };
    },
  };
}
