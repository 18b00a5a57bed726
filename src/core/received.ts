// The answer of receive(): one object per core, filled from the result record after each call.
import {
  RECEIVE_CONTROL,
  RECEIVE_DONE,
  RESULT_ANNOUNCED_COUNT,
  RESULT_ATTRIBUTE_DISCARD_COUNT,
  RESULT_END_OF_RIB_MASK,
  RESULT_ERROR_CODE,
  RESULT_ERROR_DATA_PTR,
  RESULT_ERROR_DATA_SIZE,
  RESULT_ERROR_SUBCODE,
  RESULT_IGNORED_FAMILY_COUNT,
  RESULT_LIMIT_HIT_MASK,
  RESULT_MALFORMED_ATTRIBUTE,
  RESULT_MESSAGE_COUNT,
  RESULT_MESSAGE_PTR,
  RESULT_MESSAGE_SIZE,
  RESULT_OUT_OF_MEMORY_COUNT,
  RESULT_OVER_LIMIT_COUNT,
  RESULT_STATUS,
  RESULT_TREATED_AS_WITHDRAW_COUNT,
  RESULT_UPDATE_COUNT,
  RESULT_WITHDRAWN_COUNT,
} from '../../assembly/abi.ts';

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

const NOTHING = new Uint8Array();

export class Received implements ReceiveResult {
  status: ReceiveResult['status'] = 'done';
  message: Uint8Array = NOTHING;
  messageCount = 0;
  updateCount = 0;
  announcedCount = 0;
  withdrawnCount = 0;
  treatedAsWithdrawCount = 0;
  attributeDiscardCount = 0;
  malformedAttribute = 0;
  ignoredFamilyCount = 0;
  overLimitCount = 0;
  outOfMemoryCount = 0;
  endOfRibMask = 0;
  limitHitMask = 0;
  errorCode = 0;
  errorSubcode = 0;
  errorData: Uint8Array = NOTHING;

  /** `start`: where the result record lies in the memory that `view` shows. */
  read({ view, start }: { readonly view: DataView; readonly start: number }): void {
    const field = (offset: number): number => view.getUint32(start + offset, true);
    const status = field(RESULT_STATUS);
    this.status =
      status === RECEIVE_DONE ? 'done' : status === RECEIVE_CONTROL ? 'control' : 'reset';
    this.messageCount = field(RESULT_MESSAGE_COUNT);
    this.updateCount = field(RESULT_UPDATE_COUNT);
    this.announcedCount = field(RESULT_ANNOUNCED_COUNT);
    this.withdrawnCount = field(RESULT_WITHDRAWN_COUNT);
    this.treatedAsWithdrawCount = field(RESULT_TREATED_AS_WITHDRAW_COUNT);
    this.attributeDiscardCount = field(RESULT_ATTRIBUTE_DISCARD_COUNT);
    this.malformedAttribute = field(RESULT_MALFORMED_ATTRIBUTE);
    this.ignoredFamilyCount = field(RESULT_IGNORED_FAMILY_COUNT);
    this.overLimitCount = field(RESULT_OVER_LIMIT_COUNT);
    this.outOfMemoryCount = field(RESULT_OUT_OF_MEMORY_COUNT);
    this.endOfRibMask = field(RESULT_END_OF_RIB_MASK);
    this.limitHitMask = field(RESULT_LIMIT_HIT_MASK);
    this.errorCode = field(RESULT_ERROR_CODE);
    this.errorSubcode = field(RESULT_ERROR_SUBCODE);
    this.message = NOTHING;
    this.errorData = NOTHING;
    if (this.status === 'done') return;
    const { buffer } = view;
    if (this.status === 'control') {
      this.message = new Uint8Array(buffer, field(RESULT_MESSAGE_PTR), field(RESULT_MESSAGE_SIZE));
    } else {
      const data = field(RESULT_ERROR_DATA_PTR);
      this.errorData = new Uint8Array(buffer, data, field(RESULT_ERROR_DATA_SIZE)).slice();
    }
  }
}
