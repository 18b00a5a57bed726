// One UPDATE after parsing: where its parts lie and what its attributes say. Filled by update.ts, read by rib/.
//
// There is one view, in static memory, valid until the next message is parsed. Pointers lead into the message itself
// (prefix lists, next hops) or into the canonical attribute buffer; nothing is copied per route.
//
// By outcome: ACCEPT and ATTRIBUTE_DISCARD leave everything filled in. TREAT_AS_WITHDRAW leaves the prefix lists sound: all of
// them, the announced ones too, are withdrawn, and the attribute facts mean nothing. SESSION_RESET leaves the lists empty.

/** Presence bits of UpdateView.present: the attribute was there and was not discarded. */
export const HAS_ORIGIN: u32 = 1 << 0;
export const HAS_AS_PATH: u32 = 1 << 1;
export const HAS_NEXT_HOP: u32 = 1 << 2;
export const HAS_MED: u32 = 1 << 3;
export const HAS_LOCAL_PREF: u32 = 1 << 4;
export const HAS_ORIGINATOR_ID: u32 = 1 << 5;
export const HAS_CLUSTER_LIST: u32 = 1 << 6;
export const HAS_MP_REACH: u32 = 1 << 7;
export const HAS_MP_UNREACH: u32 = 1 << 8;
export const HAS_COMMUNITIES: u32 = 1 << 9;

@unmanaged
export class UpdateView {
  /** OUTCOME_* of abi.ts: the most severe of all errors found (RFC 7606 §3 h). */
  outcome: u32 = 0;
  /** NOTIFICATION code (3, or 1 for a length no UPDATE has) and subcode of the first error of that severity, 0 when accepted. */
  errorCode: u32 = 0;
  errorSubcode: u32 = 0;
  /** Its attribute type (0 when it is none's), its offset in the message. */
  errorAttribute: u32 = 0;
  errorOffset: u32 = 0;
  /** The NOTIFICATION's data: the attribute as it came, or what RFC 4271 §6 says instead. */
  errorDataPtr: usize = 0;
  errorDataSize: u32 = 0;

  /** IPv4 unicast lists of the message body; equal pointers when empty, or when IPv4 unicast was not negotiated. */
  withdrawnPtr: usize = 0;
  withdrawnEnd: usize = 0;
  nlriPtr: usize = 0;
  nlriEnd: usize = 0;

  /** MP_REACH_NLRI and MP_UNREACH_NLRI: family index, or FAMILY_COUNT when absent, not carried or not negotiated. */
  reachFamily: u32 = 0;
  reachPtr: usize = 0;
  reachEnd: usize = 0;
  unreachFamily: u32 = 0;
  unreachPtr: usize = 0;
  unreachEnd: usize = 0;

  /** Family index + 1 when the message is an End-of-RIB marker (RFC 4724 §2), else 0. */
  endOfRib: u32 = 0;
  /** Prefix lists of families that are stepped over. */
  ignoredFamilies: u32 = 0;

  // ---- attribute facts the decision process reads; `present` says which were there ----
  present: u32 = 0;
  origin: u32 = 0;
  med: u32 = 0;
  localPref: u32 = 0;
  originatorId: u32 = 0;
  clusterListCount: u32 = 0;
  /** Hops as RFC 4271 §9.1.2.2 (a) counts them: a set is one, confederation segments none (RFC 5065 §5.3). */
  asPathLength: u32 = 0;
  /** First AS of the path (0 when empty or in a set), confederation segments skipped: MED is compared within it. */
  neighborAs: u32 = 0;
  /** 1: our own AS is in the path (ParseContext.localAsn). */
  hasOwnAs: u32 = 0;

  /** NEXT_HOP attribute, 4 bytes: for the prefixes of the message body. */
  nextHopPtr: usize = 0;
  /** Next hop of MP_REACH_NLRI for forwarding, reachNextHopSize (4 or 16) bytes: for its prefixes. */
  reachNextHopPtr: usize = 0;
  reachNextHopSize: u32 = 0;
  /** 16-byte link-local address of a 32-byte next hop whose first half is global (RFC 2545 §3), or 0. */
  reachLinkLocalPtr: usize = 0;

  /** Canonical attributes: ascending type, 4-octet AS (AS4_* merged), discarded ones left out, no MP_*, no NEXT_HOP. */
  attributesPtr: usize = 0;
  attributesSize: u32 = 0;
}

/** The view. */
export const update = changetype<UpdateView>(memory.data(offsetof<UpdateView>(), 8));
