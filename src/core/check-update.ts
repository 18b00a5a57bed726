// The verdict on one UPDATE message, without any table.
import {
  INPUT_SIZE,
  RESULT_ANNOUNCED_COUNT,
  RESULT_ERROR_CODE,
  RESULT_ERROR_OFFSET,
  RESULT_ERROR_SUBCODE,
  RESULT_MALFORMED_ATTRIBUTE,
  RESULT_STATUS,
  RESULT_WITHDRAWN_COUNT,
} from '../../assembly/abi.ts';
import { type AddressFamily, addressFamilies, familyMask } from '../net/address-family.ts';
import type { Border } from './border.ts';

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

export interface CheckCalls {
  /** The RFC 7606 verdict on one whole UPDATE message, for `decode` and tests. Changes nothing. */
  checkUpdate(message: Uint8Array, context: CheckContext): UpdateVerdict;
}

const outcomes = ['accept', 'attribute-discard', 'treat-as-withdraw', 'session-reset'] as const;

export function checkCalls(border: Border): CheckCalls {
  return {
    checkUpdate(message, { fourOctetAs, session, addPath, peerAsn, localAsn }) {
      border.write(message.subarray(0, INPUT_SIZE));
      border.exports.checkUpdate(
        message.length,
        fourOctetAs,
        session === 'ebgp',
        familyMask(addressFamilies),
        familyMask(addPath),
        peerAsn,
        localAsn,
      );
      return {
        outcome: outcomes[border.field(RESULT_STATUS)]!,
        errorCode: border.field(RESULT_ERROR_CODE),
        errorSubcode: border.field(RESULT_ERROR_SUBCODE),
        attribute: border.field(RESULT_MALFORMED_ATTRIBUTE),
        offset: border.field(RESULT_ERROR_OFFSET),
        announcedCount: border.field(RESULT_ANNOUNCED_COUNT),
        withdrawnCount: border.field(RESULT_WITHDRAWN_COUNT),
      };
    },
  };
}
