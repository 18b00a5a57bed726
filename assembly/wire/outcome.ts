// What an error in an UPDATE leads to (RFC 7606 §2), and the record of the worst one.
import {
  OUTCOME_ACCEPT,
  OUTCOME_ATTRIBUTE_DISCARD,
  OUTCOME_SESSION_RESET,
  OUTCOME_TREAT_AS_WITHDRAW,
} from '../abi';
import { update } from './update-view';

export const ACCEPT: u32 = OUTCOME_ACCEPT;
export const DISCARD: u32 = OUTCOME_ATTRIBUTE_DISCARD;
export const WITHDRAW: u32 = OUTCOME_TREAT_AS_WITHDRAW;
export const RESET: u32 = OUTCOME_SESSION_RESET;

/** NOTIFICATION error codes (RFC 4271 §4.5). */
const MESSAGE_HEADER_ERROR: u32 = 1;
const UPDATE_MESSAGE_ERROR: u32 = 3;

/** RFC 4271 §6.1. */
const BAD_MESSAGE_LENGTH: u32 = 2;

/** UPDATE error subcodes (RFC 4271 §6.3). */
export const UNSPECIFIC: u32 = 0;
export const MALFORMED_ATTRIBUTE_LIST: u32 = 1;
export const UNRECOGNIZED_WELL_KNOWN: u32 = 2;
export const MISSING_WELL_KNOWN: u32 = 3;
export const ATTRIBUTE_FLAGS: u32 = 4;
export const ATTRIBUTE_LENGTH: u32 = 5;
export const INVALID_ORIGIN: u32 = 6;
export const INVALID_NEXT_HOP: u32 = 8;
export const OPTIONAL_ATTRIBUTE: u32 = 9;
export const INVALID_NETWORK_FIELD: u32 = 10;
export const MALFORMED_AS_PATH: u32 = 11;

/** Start of the message being parsed: offsets are counted from it. */
let messagePtr: usize = 0;

export function beginMessage(ptr: usize): void {
  messagePtr = ptr;
  update.outcome = ACCEPT;
  update.errorCode = 0;
  update.errorSubcode = 0;
  update.errorAttribute = 0;
  update.errorOffset = 0;
  update.errorDataPtr = 0;
  update.errorDataSize = 0;
}

/** RFC 7606 §3 (h): the strongest action counts. Of equals, the first is kept. */
export function report(outcome: u32, subcode: u32, attribute: u32, ptr: usize): void {
  if (outcome <= update.outcome) return;
  update.outcome = outcome;
  update.errorCode = UPDATE_MESSAGE_ERROR;
  update.errorSubcode = subcode;
  update.errorAttribute = attribute;
  update.errorOffset = <u32>(ptr - messagePtr);
  update.errorDataPtr = 0;
  update.errorDataSize = 0;
}

/** The same, with the bytes RFC 4271 §6.3 wants in the NOTIFICATION. */
export function reportWithData(
  outcome: u32,
  subcode: u32,
  attribute: u32,
  dataPtr: usize,
  dataSize: usize,
): void {
  if (outcome <= update.outcome) return;
  report(outcome, subcode, attribute, dataPtr);
  update.errorDataPtr = dataPtr;
  update.errorDataSize = <u32>dataSize;
}

/** RFC 4271 §6.1: the length field is shorter than any UPDATE. */
export function reportBadLength(lengthPtr: usize): void {
  reportWithData(RESET, BAD_MESSAGE_LENGTH, 0, lengthPtr, 2);
  update.errorCode = MESSAGE_HEADER_ERROR;
}

/** RFC 7606 §5.2: what cannot be withdrawn for want of NLRI resets the session. */
export function escalateWithdrawToReset(): void {
  if (update.outcome === WITHDRAW) update.outcome = RESET;
}
