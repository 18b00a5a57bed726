// The border between the core (AssemblyScript) and its host (TypeScript): every code, size and offset, read by both compilers.
//
// Plain literals only: no types, no imports, nothing that one compiler reads differently from the other. All integers in
// records are little-endian (linear memory's order); addresses are in network order, as on the wire.

// ---- address families: an index, used as a table index and as a bit number in family masks ----
export const FAMILY_IPV4_UNICAST = 0; // AFI 1, SAFI 1
export const FAMILY_IPV6_UNICAST = 1; // AFI 2, SAFI 1
export const FAMILY_L2VPN_EVPN = 2; // AFI 25, SAFI 70
export const FAMILY_COUNT = 3;

// ---- FIB change: one record of a drained batch, 32 bytes ----
//
//   0        1       2        3         4             8             12       16                     32
//   | family | bits  | flags  | (zero)  | oldSet u32  | newSet u32  | (zero) | address, left-aligned |
//
// A set id of 0 means "no route". A record never has oldSet equal to newSet.
export const FIB_CHANGE_SIZE = 32;
export const FIB_CHANGE_FAMILY = 0;
export const FIB_CHANGE_BITS = 1;
export const FIB_CHANGE_FLAGS = 2;
export const FIB_CHANGE_OLD_SET = 4;
export const FIB_CHANGE_NEW_SET = 8;
export const FIB_CHANGE_ADDRESS = 16;

export const FIB_CHANGE_FLAG_URGENT = 1; // bad news: a withdrawal or a dead next hop

// ---- next-hop set definition: follows the records of a batch, one for every set id the records name ----
//
//   0         4           6          8
//   | id u32  | count u16 | kind u16 | count × next hop |
export const NEXT_HOP_SET_HEADER_SIZE = 8;
export const NEXT_HOP_SET_ID = 0;
export const NEXT_HOP_SET_COUNT = 4;
export const NEXT_HOP_SET_KIND = 6;

export const SET_KIND_FORWARD = 0;
export const SET_KIND_DISCARD = 1; // no members; packets are dropped on purpose

// ---- next hop: 24 bytes ----
//
//   0                      16       17        18          20                   24
//   | address, left-aligned | version | (zero) | weight u16 | interfaceIndex u32 |
//
// version is 4 or 6. interfaceIndex is 0 unless the address is link-local and means nothing without its device.
export const NEXT_HOP_SIZE = 24;
export const NEXT_HOP_ADDRESS = 0;
export const NEXT_HOP_VERSION = 16;
export const NEXT_HOP_WEIGHT = 18;
export const NEXT_HOP_INTERFACE = 20;

// ---- observation: what a sink says is in its place now, variable size ----
//
//   0        1      2           4      5      8                      24
//   | family | bits | count u16 | kind | zero | address, left-aligned | count × next hop |
//
// count 0 with kind SET_KIND_FORWARD means "nothing of ours is there".
export const OBSERVATION_HEADER_SIZE = 24;
export const OBSERVATION_FAMILY = 0;
export const OBSERVATION_BITS = 1;
export const OBSERVATION_COUNT = 2;
export const OBSERVATION_KIND = 4;
export const OBSERVATION_ADDRESS = 8;

// ---- outcome of an UPDATE (RFC 7606 §2), in rising order of severity ----
export const OUTCOME_ACCEPT = 0;
export const OUTCOME_ATTRIBUTE_DISCARD = 1;
export const OUTCOME_TREAT_AS_WITHDRAW = 2;
export const OUTCOME_SESSION_RESET = 3;
