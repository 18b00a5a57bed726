// Networks of the core: how they decide, their own subnets and prefixes, and the next hops their routes depend on.
import { familyNumbers } from '../net/address-family.ts';
import { type Prefix, prefixFamily } from '../net/prefix.ts';
import type { Border } from './border.ts';
import { type NextHopEvent, readNextHopEvents } from './next-hop-events.ts';
import { encodeObservations, observationParts } from './records.ts';
import { writePrefix } from './walk.ts';

/** Everything the decision process can be told (RFC 4271 §9.1.2.2). */
export interface DecisionOptions {
  /** `deterministic` compares MED within a neighbouring AS, whatever the order of arrival; `always` between all. */
  readonly med: 'deterministic' | 'always';
  /** Most next hops in one ECMP set, 1–16. */
  readonly multipath: number;
  /** Paths of equal AS_PATH length, not only equal AS_PATH, may share the load. */
  readonly multipathRelax: boolean;
}

export interface NetworkCalls {
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
   * With tracking on, a new next hop is unresolved until setNextHop, and a route that takes it for another one changes nothing till then;
   * off, every next hop counts as resolved.
   */
  trackNextHops(network: number, on: boolean): void;
  takeNextHopEvents(): NextHopEvent[];
  /** Marks what depends on the next hop for a new decision; work() does it. `metric`: IGP cost (step 9). */
  setNextHop(id: number, state: { readonly resolved: boolean; readonly metric: number }): void;
}

const EVENT_LIMIT = 1024;

export function networkCalls(border: Border): NetworkCalls {
  const { exports } = border;
  return {
    addNetwork(network, { med, multipath, multipathRelax }) {
      const done = exports.setNetwork(network, med === 'always', multipath, multipathRelax);
      border.expect(done, `network ${network} cannot be added`);
    },

    removeNetwork(network) {
      const done = exports.removeNetwork(network);
      border.expect(done, `network ${network} is not known or still in use`);
    },

    setOwnSubnets(network, prefixes) {
      const { records, byteLength } = encodeObservations(
        prefixes.map((prefix) => ({ prefix, set: undefined })),
      );
      const tell = (part: Uint8Array, isContinued: boolean): void => {
        border.write(part);
        const done = exports.setOwnSubnets(network, part.length, isContinued);
        border.expect(
          done,
          `network ${network} is not known or there is no memory for its subnets`,
        );
      };
      tell(new Uint8Array(), false);
      for (const part of observationParts(records, byteLength)) tell(part, true);
    },

    originate(network, prefix, nowSeconds, { discard = false } = {}) {
      const family = writeLocal(border, prefix);
      const done = exports.originate(network, family, prefix.length, discard, nowSeconds);
      border.expect(
        done,
        `network ${network} is not known or there is no memory for a local route`,
      );
    },

    withdrawOriginated(network, prefix) {
      exports.withdrawOriginated(network, writeLocal(border, prefix), prefix.length);
      border.refresh();
    },

    trackNextHops(network, on) {
      border.expect(exports.trackNextHops(network, on), `network ${network} is not known`);
    },

    takeNextHopEvents() {
      const events: NextHopEvent[] = [];
      for (;;) {
        const count = exports.takeNextHopEvents(EVENT_LIMIT);
        border.refresh();
        events.push(...readNextHopEvents(border.output(count)));
        if (count < EVENT_LIMIT) return events;
      }
    },

    setNextHop(id, { resolved, metric }) {
      // A next hop may have gone since the host was told of it: then there is nothing to do.
      exports.setNextHop(id, resolved, metric);
    },
  };
}

/** Its family's number in the core. */
function writeLocal(border: Border, prefix: Prefix): number {
  writePrefix(border, prefix, 0);
  return familyNumbers(prefixFamily(prefix)).index;
}
