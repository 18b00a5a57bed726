// Policies of the core: put there compiled, and tried on routes that are in no table.
import {
  INPUT_SIZE,
  PAGE_MATCH,
  RESULT_STATUS,
  TRY_ACCEPTED,
  TRY_ATTRIBUTES,
  TRY_BAD_ATTRIBUTES,
  TRY_NEXT_HOP,
  TRY_OUT_OF_MEMORY,
  TRY_UNKNOWN_POLICY,
} from '../../assembly/abi.ts';
import { familyNumbers } from '../net/address-family.ts';
import type { IpAddress } from '../net/ip-address.ts';
import { type Prefix, prefixFamily } from '../net/prefix.ts';
import type { Border } from './border.ts';
import { type PolicyTrial, readTrial } from './policy-trial.ts';
import { writePrefix } from './walk.ts';

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

/** Accept (0) and reject (1) are built in; others have numbers from 2 on (POLICY_*). */
export interface PolicyCalls {
  /** Adds or replaces a compiled policy; routes that it decided are decided anew by work(). Throws when it is not sound. */
  setPolicy(policy: number, compiled: Uint8Array): void;
  /** Routes that it decides are rejected from now on. */
  removePolicy(policy: number): void;
  /** What a policy makes of a route, step by step. Changes nothing. */
  tryPolicy(policy: number, route: TriedRoute): PolicyTrial;
}

/** The total path attribute length field of an UPDATE has 16 bits. */
const MOST_ATTRIBUTE_BYTES = 65_535;

export function policyCalls(border: Border): PolicyCalls {
  const { exports } = border;
  return {
    setPolicy(policy, compiled) {
      let isTaken = exports.beginPolicy(compiled.length) !== 0;
      border.refresh();
      for (let offset = 0; isTaken && offset < compiled.length; offset += INPUT_SIZE) {
        const part = compiled.subarray(offset, offset + INPUT_SIZE);
        border.write(part);
        isTaken = exports.takePolicy(offset, part.length) !== 0;
      }
      border.expect(isTaken, `there is no memory for policy ${policy}`);
      border.expect(exports.putIncomingPolicy(policy), `policy ${policy} is not sound`);
    },

    removePolicy(policy) {
      border.expect(exports.removePolicy(policy), `policy ${policy} is not known`);
    },

    tryPolicy(policy, { prefix, attributes, nextHop, weight = 0, peer }) {
      border.expect(attributes.length <= MOST_ATTRIBUTE_BYTES, 'attributes are too long');
      writePrefix(border, prefix, PAGE_MATCH);
      if (nextHop) border.write(nextHop, TRY_NEXT_HOP);
      border.write(attributes, TRY_ATTRIBUTES);
      const family = familyNumbers(prefixFamily(prefix)).index;
      exports.tryPolicy(
        policy,
        family,
        prefix.length,
        nextHop?.length ?? 0,
        attributes.length,
        weight,
        peer,
      );
      border.refresh();
      const status = border.field(RESULT_STATUS);
      border.expect(status !== TRY_UNKNOWN_POLICY, `policy ${policy} is not known`);
      border.expect(status !== TRY_BAD_ATTRIBUTES, 'attributes are malformed');
      border.expect(status !== TRY_OUT_OF_MEMORY, 'there is no memory to try a policy');
      return readTrial(border.output(), status === TRY_ACCEPTED);
    },
  };
}
