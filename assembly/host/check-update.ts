// The verdict on one UPDATE without any table: what RFC 7606 says of it, and how many routes it announces and withdraws.
import { FAMILY_COUNT, FAMILY_IPV4_UNICAST } from '../abi';
import { inputPtr } from '../memory/buffers';
import { result } from '../result';
import { nextRoute, openRoutes, routes } from '../wire/nlri';
import { ParseContext } from '../wire/parse-context';
import { parseUpdate } from '../wire/update';
import { update } from '../wire/update-view';

const context = changetype<ParseContext>(memory.data(offsetof<ParseContext>(), 4));

/** Parses one UPDATE in the input buffer; its outcome, its error and its routes are in the result record. */
export function checkUpdate(
  size: u32,
  fourOctetAs: bool,
  isEbgp: bool,
  familyMask: u32,
  addPathMask: u32,
  peerAsn: u32,
  localAsn: u32,
): void {
  context.fourOctetAs = fourOctetAs ? 1 : 0;
  context.isEbgp = isEbgp ? 1 : 0;
  context.familyMask = familyMask;
  context.addPathMask = addPathMask;
  context.peerAsn = peerAsn;
  context.localAsn = localAsn;
  result.clear();
  parseUpdate(inputPtr, size, context);
  result.status = update.outcome;
  result.errorCode = update.errorCode;
  result.errorSubcode = update.errorSubcode;
  result.malformedAttribute = update.errorAttribute;
  result.errorOffset = update.errorOffset;
  result.announcedCount =
    countRoutes(FAMILY_IPV4_UNICAST, update.nlriPtr, update.nlriEnd) +
    countRoutes(update.reachFamily, update.reachPtr, update.reachEnd);
  result.withdrawnCount =
    countRoutes(FAMILY_IPV4_UNICAST, update.withdrawnPtr, update.withdrawnEnd) +
    countRoutes(update.unreachFamily, update.unreachPtr, update.unreachEnd);
}

function countRoutes(family: u32, ptr: usize, end: usize): u32 {
  if (family == FAMILY_COUNT || ptr == end) return 0;
  let count: u32 = 0;
  openRoutes(family, ptr, end, (context.addPathMask >>> family) & 1);
  while (nextRoute()) count++;
  return count + routes.ignoredCount;
}
