// Path attributes, one table row each: legal flags, legal length, and the remedy when they are not (RFC 7606 §3, §4, §7).
import { DISCARD, RESET, WITHDRAW } from './outcome';

// ---- attribute flags (RFC 4271 §4.3) ----
export const OPTIONAL: u32 = 0x80;
export const TRANSITIVE: u32 = 0x40;
export const PARTIAL: u32 = 0x20;
export const EXTENDED_LENGTH: u32 = 0x10;

// ---- type codes (IANA "BGP Path Attributes") ----
export const ORIGIN: u32 = 1;
export const AS_PATH: u32 = 2;
export const NEXT_HOP: u32 = 3;
export const MULTI_EXIT_DISC: u32 = 4;
export const LOCAL_PREF: u32 = 5;
const ATOMIC_AGGREGATE: u32 = 6;
export const AGGREGATOR: u32 = 7;
export const COMMUNITIES: u32 = 8;
export const ORIGINATOR_ID: u32 = 9;
export const CLUSTER_LIST: u32 = 10;
export const MP_REACH_NLRI: u32 = 14;
export const MP_UNREACH_NLRI: u32 = 15;
export const EXTENDED_COMMUNITIES: u32 = 16;
export const AS4_PATH: u32 = 17;
export const AS4_AGGREGATOR: u32 = 18;
export const PMSI_TUNNEL: u32 = 22;
export const TUNNEL_ENCAPSULATION: u32 = 23;
const IPV6_EXTENDED_COMMUNITIES: u32 = 25;
export const AIGP: u32 = 26;
export const BGP_LS: u32 = 29;
export const LARGE_COMMUNITIES: u32 = 32;
const ONLY_TO_CUSTOMER: u32 = 35;
export const PREFIX_SID: u32 = 40;
export const ATTR_SET: u32 = 128;

// A row is one u32, so that the table is a jump and a constant:
//
//   31         24 23        20 19        16 15          8 7          0
//   | unit       | minimum … | remedies    | scope       | flags      |
//
//   flags     Optional and Transitive as they must be
//   scope     INTERNAL: discarded from eBGP
//   remedies  bits 16–17: wrong value or length; bits 18–19: wrong flags
//   minimum   bits 20–23: shortest legal length in units
//   unit      the length is a multiple of this many bytes; with EXACT (bit 31) it is exactly one unit, 0 included
const INTERNAL: u32 = 1 << 8;
const EXACT: u32 = 1 << 31;

const WELL_KNOWN: u32 = TRANSITIVE;
const OPTIONAL_TRANSITIVE: u32 = OPTIONAL | TRANSITIVE;
const OPTIONAL_LOCAL: u32 = OPTIONAL; // optional non-transitive

function row(flags: u32, wrongFlags: u32, wrongValue: u32, length: u32): u32 {
  return flags | (wrongValue << 16) | (wrongFlags << 18) | length;
}

function exactly(size: u32): u32 {
  return EXACT | (size << 24);
}

function multipleOf(size: u32): u32 {
  return (1 << 20) | (size << 24); // RFC 7606 §4: zero is no legal length
}

function atLeast(size: u32): u32 {
  return (size << 20) | (1 << 24);
}

/** The row of a type, or 0 when it is not recognised. */
export function attributeRow(type: u32): u32 {
  switch (type) {
    //                                       flags                wrong flags, value  length
    case ORIGIN: // RFC 7606 §7.1
      return row(WELL_KNOWN, WITHDRAW, WITHDRAW, exactly(1));
    case AS_PATH: // RFC 7606 §7.2; may be empty
      return row(WELL_KNOWN, WITHDRAW, WITHDRAW, atLeast(0));
    case NEXT_HOP: // RFC 7606 §7.3
      return row(WELL_KNOWN, WITHDRAW, WITHDRAW, exactly(4));
    case MULTI_EXIT_DISC: // RFC 7606 §7.4
      return row(OPTIONAL_LOCAL, WITHDRAW, WITHDRAW, exactly(4));
    case LOCAL_PREF: // RFC 7606 §7.5
      return row(WELL_KNOWN, WITHDRAW, WITHDRAW, exactly(4)) | INTERNAL;
    case ATOMIC_AGGREGATE: // RFC 7606 §7.6, §3 (f)
      return row(WELL_KNOWN, DISCARD, DISCARD, exactly(0));
    case AGGREGATOR: // RFC 7606 §7.7, §3 (f); 6 or 8 bytes by session
      return row(OPTIONAL_TRANSITIVE, DISCARD, DISCARD, atLeast(6));
    case COMMUNITIES: // RFC 7606 §7.8
      return row(OPTIONAL_TRANSITIVE, WITHDRAW, WITHDRAW, multipleOf(4));
    case ORIGINATOR_ID: // RFC 7606 §7.9
      return row(OPTIONAL_LOCAL, WITHDRAW, WITHDRAW, exactly(4)) | INTERNAL;
    case CLUSTER_LIST: // RFC 7606 §7.10
      return row(OPTIONAL_LOCAL, WITHDRAW, WITHDRAW, multipleOf(4)) | INTERNAL;
    case MP_REACH_NLRI: // RFC 7606 §5.3, §7.11
      return row(OPTIONAL_LOCAL, RESET, RESET, atLeast(5));
    case MP_UNREACH_NLRI: // RFC 7606 §5.3, §7.12
      return row(OPTIONAL_LOCAL, RESET, RESET, atLeast(3));
    case EXTENDED_COMMUNITIES: // RFC 7606 §7.14
      return row(OPTIONAL_TRANSITIVE, WITHDRAW, WITHDRAW, multipleOf(8));
    case AS4_PATH: // RFC 6793 §6
      return row(OPTIONAL_TRANSITIVE, WITHDRAW, DISCARD, atLeast(6));
    case AS4_AGGREGATOR: // RFC 6793 §6
      return row(OPTIONAL_TRANSITIVE, DISCARD, DISCARD, exactly(8));
    case PMSI_TUNNEL: // RFC 6514 §5
      return row(OPTIONAL_TRANSITIVE, WITHDRAW, WITHDRAW, atLeast(5));
    case TUNNEL_ENCAPSULATION: // RFC 9012 §13
      return row(OPTIONAL_TRANSITIVE, WITHDRAW, WITHDRAW, atLeast(4));
    case IPV6_EXTENDED_COMMUNITIES: // RFC 7606 §7.15
      return row(OPTIONAL_TRANSITIVE, WITHDRAW, WITHDRAW, multipleOf(20));
    case AIGP: // RFC 7311 §3; sessions to other ASes do not carry it unless told to
      return row(OPTIONAL_LOCAL, DISCARD, DISCARD, atLeast(3)) | INTERNAL;
    case BGP_LS: // RFC 9552 §8.2.2
      return row(OPTIONAL_LOCAL, DISCARD, DISCARD, atLeast(4));
    case LARGE_COMMUNITIES: // RFC 8092 §5
      return row(OPTIONAL_TRANSITIVE, WITHDRAW, WITHDRAW, multipleOf(12));
    case ONLY_TO_CUSTOMER: // RFC 9234 §5
      return row(OPTIONAL_TRANSITIVE, WITHDRAW, WITHDRAW, exactly(4));
    case PREFIX_SID: // RFC 8669 §6
      return row(OPTIONAL_TRANSITIVE, DISCARD, DISCARD, atLeast(3));
    case ATTR_SET: // RFC 7606 §7.16
      return row(OPTIONAL_TRANSITIVE, WITHDRAW, WITHDRAW, atLeast(4));
    default:
      return 0;
  }
}

/** Optional and Transitive as registered; Partial only where an unknowing router may have set it (RFC 4271 §4.3). */
export function hasLegalFlags(attribute: u32, flags: u32): bool {
  if (((attribute ^ flags) & (OPTIONAL | TRANSITIVE)) != 0) return false;
  return (flags & PARTIAL) == 0 || (attribute & OPTIONAL_TRANSITIVE) == OPTIONAL_TRANSITIVE;
}

export function hasLegalLength(attribute: u32, length: u32): bool {
  const unit = (attribute >> 24) & 0x7f;
  if ((attribute & EXACT) != 0) return length == unit;
  return length >= ((attribute >> 20) & 15) * unit && (unit == 1 || length % unit == 0);
}

export function isInternalOnly(attribute: u32): bool {
  return (attribute & INTERNAL) != 0;
}

/** The remedy for a wrong value or length. */
export function valueRemedy(attribute: u32): u32 {
  return (attribute >> 16) & 3;
}

/** The remedy for wrong flags. */
export function flagsRemedy(attribute: u32): u32 {
  return (attribute >> 18) & 3;
}
