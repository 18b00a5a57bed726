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

// ---- observation: what a sink says is in its place now, or a source of routes that it learned, variable size ----
//
//   0        1      2           4      5      8                      24
//   | family | bits | count u16 | kind | zero | address, left-aligned | count × next hop |
//
// count 0 with kind SET_KIND_FORWARD means "nothing of ours is there", or "no longer".
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

// ---- the core's buffers ----
/** Room before the input buffer for the partial message a peer left behind: one whole message (RFC 8654). */
export const INPUT_HEADROOM = 65536;
/** Most bytes of one call. */
export const INPUT_SIZE = 262144;
export const OUTPUT_SIZE = 1048576;
/** The longest key of a table: that of an EVPN MAC/IP advertisement, in whole words. */
export const MAXIMUM_KEY_BYTES = 48;

// ---- next-hop event: what takeNextHopEvents writes, 32 bytes ----
//
//   0        4             6         7        8                 12     16                     32
//   | id u32 | network u16 | version | kind   | interface u32   | zero | address, left-aligned |
export const NEXT_HOP_EVENT_SIZE = 32;
export const NEXT_HOP_EVENT_ID = 0;
export const NEXT_HOP_EVENT_NETWORK = 4;
export const NEXT_HOP_EVENT_VERSION = 6;
export const NEXT_HOP_EVENT_KIND = 7;
export const NEXT_HOP_EVENT_INTERFACE = 8;
export const NEXT_HOP_EVENT_ADDRESS = 16;
export const NEXT_HOP_EVENT_ADDED = 1;

// ---- attribute set: read by the host in place, by its address (the attributeSet of a route row) ----
//
//   0      8             12                32          36      40  43         44              48           52   56
//   | …    | nextHop ptr | … facts …       | size u32  | flags | … | share u8 | received ptr  | weight u32 | …  | attributes, size bytes | link-local, 16 bytes, if flagged |
//
// received is the set as the peer sent it where a policy made this one of it, else 0.
export const ATTRIBUTE_SET_NEXT_HOP = 8;
export const ATTRIBUTE_SET_SIZE = 32;
export const ATTRIBUTE_SET_FLAGS = 36;
/** Weight among equals, less 1. */
export const ATTRIBUTE_SET_SHARE = 43;
export const ATTRIBUTE_SET_RECEIVED = 44;
export const ATTRIBUTE_SET_WEIGHT = 48;
export const ATTRIBUTE_SET_BYTES = 56;
export const ATTRIBUTE_SET_FLAG_HAS_ORIGINATOR = 1;
export const ATTRIBUTE_SET_FLAG_HAS_OWN_AS = 2;
/** The link-local companion of a global next hop follows the attributes. */
export const ATTRIBUTE_SET_FLAG_HAS_LINK_LOCAL = 4;
/** There is no next hop, and packets are dropped on purpose. */
export const ATTRIBUTE_SET_FLAG_IS_DISCARD = 8;

// ---- next hop record: read by the host in place ----
export const NEXT_HOP_RECORD_VERSION = 32;
export const NEXT_HOP_RECORD_ADDRESS = 48;

// ---- state of a prefix in a FIB ----
export const FIB_STATE_ABSENT = 0;
export const FIB_STATE_INSTALLED = 1;
export const FIB_STATE_PENDING = 2;
export const FIB_STATE_REFUSED = 3;
export const FIB_STATE_HELD = 4;

// ---- the entry that carries a route: the length of its prefix, or ----
export const FIB_CARRIER_NONE = 255;
export const FIB_CARRIER_PARTS = 254; // several entries inside the route's prefix

// ---- steps of the decision process (assembly/rib/best-path.ts); the words are in src/core/decision-reasons.ts ----
export const DECISION_ONLY_PATH = 0;
export const DECISION_NEXT_HOP = 1;
export const DECISION_WEIGHT = 2;
export const DECISION_LOCAL_PREF = 3;
export const DECISION_LOCAL = 4;
export const DECISION_AS_PATH = 5;
export const DECISION_ORIGIN = 6;
export const DECISION_MED = 7;
export const DECISION_EBGP = 8;
export const DECISION_IGP_METRIC = 9;
export const DECISION_ROUTER_ID = 10;
export const DECISION_CLUSTER_LIST = 11;
export const DECISION_PEER_ADDRESS = 12;
export const DECISION_PATH_ID = 13;
// not eligible at all
export const DECISION_IMPORT_POLICY = 14;
export const DECISION_OWN_AS = 15;
export const DECISION_ORIGINATOR = 16;
export const DECISION_OWN_SUBNET = 17;

// ---- result record: what receive, checkUpdate, drain, pages and counters leave behind; u32 each, at these byte offsets ----
export const RESULT_STATUS = 0;
export const RESULT_MESSAGE_PTR = 4;
export const RESULT_MESSAGE_SIZE = 8;
export const RESULT_CONSUMED_SIZE = 12;
export const RESULT_MESSAGE_COUNT = 16;
export const RESULT_UPDATE_COUNT = 20;
export const RESULT_ANNOUNCED_COUNT = 24;
export const RESULT_WITHDRAWN_COUNT = 28;
export const RESULT_TREATED_AS_WITHDRAW_COUNT = 32;
export const RESULT_ATTRIBUTE_DISCARD_COUNT = 36;
export const RESULT_MALFORMED_ATTRIBUTE = 40;
export const RESULT_IGNORED_FAMILY_COUNT = 44;
export const RESULT_OVER_LIMIT_COUNT = 48;
export const RESULT_OUT_OF_MEMORY_COUNT = 52;
export const RESULT_END_OF_RIB_MASK = 56;
export const RESULT_LIMIT_HIT_MASK = 60;
export const RESULT_ERROR_CODE = 64;
export const RESULT_ERROR_SUBCODE = 68;
export const RESULT_ERROR_DATA_PTR = 72;
export const RESULT_ERROR_DATA_SIZE = 76;
export const RESULT_ERROR_OFFSET = 80;
export const RESULT_OUTPUT_COUNT = 84;
export const RESULT_OUTPUT_SIZE = 88;
export const RESULT_NEXT_BITS = 92;
export const RESULT_COUNTERS = 96;

/** RESULT_STATUS after receive. */
export const RECEIVE_DONE = 0;
export const RECEIVE_CONTROL = 1;
export const RECEIVE_RESET = 2;

// ---- policies: the built-in ones; those of the configuration come after them ----
export const POLICY_ACCEPT = 0;
export const POLICY_REJECT = 1;
export const POLICY_FIRST = 2;

// ---- compiled policy: what setPolicy takes. Offsets count from its first byte and are multiples of 4 ----
//
//   0         4             8       12
//   | version | clauseCount | size  | …
//
// then clauses, 16 bytes each
//   0            4         8                    10                12            14        15
//   | conditions | actions | attribute ones u16 | prefix ones u16 | actions u16 | verdict | (zero) |
//
// `conditions` are records of 12 bytes, those on attributes before those on the prefix; `actions` have the same layout
//   0      1          2        4      8       12
//   | kind | negated  | (zero) | data | count |
//
// `data` is an offset or a number, `count` a number: see each kind.
export const POLICY_VERSION = 1;
export const POLICY_HEADER_SIZE = 12;
export const POLICY_CLAUSE_SIZE = 16;
export const POLICY_STEP_SIZE = 12;
/** Most clauses of a policy, and conditions or actions of a clause. */
export const POLICY_MAXIMUM_CLAUSES = 1024;
export const POLICY_MAXIMUM_STEPS = 64;
/** Most bytes of communities one action adds. */
export const POLICY_MAXIMUM_ADDED = 4096;

export const VERDICT_ACCEPT = 0;
export const VERDICT_REJECT = 1;
/** On to the next clause, with what was set. */
export const VERDICT_NEXT = 2;

/** count: a mask of family indexes. */
export const CONDITION_FAMILY = 1;
/** data: `count` name ids of peers, u32. */
export const CONDITION_PEER = 2;
/** data: prefix ranges that must hold the next hop. */
export const CONDITION_NEXT_HOP = 3;
/** data: `count` AS numbers, u32; one of them must be in the path, or be its origin. */
export const CONDITION_AS_PATH_CONTAINS = 4;
export const CONDITION_AS_PATH_ORIGIN = 5;
/** data: least, count: most hops. */
export const CONDITION_AS_PATH_LENGTH = 6;
/** data: an automaton. */
export const CONDITION_AS_PATH_REGEX = 7;
/** data: `count` patterns, each a value and a mask as on the wire: 4, 8 or 12 bytes each. */
export const CONDITION_COMMUNITIES = 8;
export const CONDITION_EXTENDED_COMMUNITIES = 9;
export const CONDITION_LARGE_COMMUNITIES = 10;
/** data: prefix ranges. The only condition on the prefix. */
export const CONDITION_PREFIXES = 11;

/** data: the value. */
export const ACTION_LOCAL_PREF = 1;
export const ACTION_MED = 2;
export const ACTION_WEIGHT = 3;
/** data: the AS number, count: how often. */
export const ACTION_PREPEND = 4;
/** data: 16 bytes, count: 4 or 16 of them in use. For routes of that family alone. */
export const ACTION_NEXT_HOP = 5;
/** data: `count` patterns (as in conditions). */
export const ACTION_REMOVE_COMMUNITIES = 6;
export const ACTION_REMOVE_EXTENDED_COMMUNITIES = 7;
export const ACTION_REMOVE_LARGE_COMMUNITIES = 8;
/** data: `count` values as on the wire. */
export const ACTION_ADD_COMMUNITIES = 9;
export const ACTION_ADD_EXTENDED_COMMUNITIES = 10;
export const ACTION_ADD_LARGE_COMMUNITIES = 11;

// prefix ranges: for every address, which lengths of a prefix that begins there are in the list. A range goes from its first
// address to the next range's; the first begins at the lowest address. `found` is the core's: the range it found last
//   0            4            8           12           16           20
//   | ipv4 count | ipv6 count | set count | ipv4 found | ipv6 found | ipv4 starts u32 | ipv4 sets u32 | ipv6 starts 2 × u64 | ipv6 sets u32 | sets of lengths, 20 bytes each |
export const RANGES_HEADER_SIZE = 20;
export const LENGTH_SET_SIZE = 20;

// automaton over an AS_PATH's text: digits, space, { } around AS_SETs, ( ) and [ ] around confederation segments, comma in sets
//   0             4       8
//   | state count | start | next state u16, one per state and symbol | accepting u8, one per state | padding |
export const AUTOMATON_HEADER_SIZE = 8;
export const AUTOMATON_SYMBOLS = 18;
export const AUTOMATON_MAXIMUM_STATES = 2048;
/** Nothing that follows can match, or not match any more. */
export const AUTOMATON_DEAD = 0;
export const AUTOMATON_MATCHED = 1;

// ---- tryPolicy: the key at PAGE_MATCH of the input buffer, then the next hop and the attributes ----
export const TRY_NEXT_HOP = 64;
export const TRY_ATTRIBUTES = 80;

/** RESULT_STATUS after tryPolicy. */
export const TRY_ACCEPTED = 0;
export const TRY_REJECTED = 1;
export const TRY_UNKNOWN_POLICY = 2;
export const TRY_BAD_ATTRIBUTES = 3;
export const TRY_OUT_OF_MEMORY = 4;

// answer: RESULT_OUTPUT_COUNT steps, one per clause tried, then the route as it came out
//   step   | clause u16 | condition count u16 | one byte per condition: 1 when it holds | padding |
//   route  | weight u32 | next hop size u32 | attributes size u32 | next hop, 16 bytes | attributes |
export const TRY_STEP_SIZE = 4;
export const TRY_ROUTE_SIZE = 28;

// ---- flags of setPeer ----
export const PEER_FLAG_ENFORCE_FIRST_AS = 1;

// ---- pages of a dump: where the match's key and the cursor's key lie in the input buffer, and what a page may select ----
export const PAGE_MATCH = 0;
export const PAGE_CURSOR = 64;
export const MATCH_ALL = 0;
export const MATCH_EXACT = 1;
export const MATCH_LONGER = 2;
export const MATCH_COVERING = 3;
export const MATCH_LONGEST = 4;
export const STAGE_ADJ_RIB_IN = 0;
export const STAGE_LOC_RIB = 1;
export const ANY_PEER = 65536;

// ---- route row, variable size ----
//
//   0          2       3        4          6              8            12          16                 20                 22     24
//   | bits u16 | flags | reason | peer u16 | fibCount u16 | pathId u32 | since u32 | attributeSet u32 | importedFrom u16 | zero | key | per FIB |
//
// peer is who announced the route, in whatever network; importedFrom, where the row is flagged so, is that network.
// The key takes whole words: 4 × ceil(bits / 32) bytes. Per FIB there are two bytes, together padded
// to a whole word: FIB_STATE_* of what carries the route, and the length of the entry that does, or FIB_CARRIER_*.
export const ROUTE_ROW_SIZE = 24;
export const ROUTE_ROW_BITS = 0;
export const ROUTE_ROW_FLAGS = 2;
export const ROUTE_ROW_REASON = 3;
export const ROUTE_ROW_PEER = 4;
export const ROUTE_ROW_FIB_COUNT = 6;
export const ROUTE_ROW_PATH_ID = 8;
export const ROUTE_ROW_SINCE = 12;
export const ROUTE_ROW_ATTRIBUTE_SET = 16;
export const ROUTE_ROW_IMPORTED_FROM = 20;
export const ROUTE_ROW_FLAG_BEST = 1;
export const ROUTE_ROW_FLAG_MULTIPATH = 2;
export const ROUTE_ROW_FLAG_STALE = 4;
export const ROUTE_ROW_FLAG_IMPORTED = 8;

// ---- FIB row, variable size; next-hop set definitions follow the last one ----
//
//   0          2       3      4             8               12               16
//   | bits u16 | state | zero | desired u32 | installed u32 | routeCount u32 | key |
//
// routeCount is how many routes the entry stands for, where the FIB is aggregated; with FIB_ROW_MORE_ROUTES there may be more.
export const FIB_ROW_SIZE = 16;
export const FIB_ROW_BITS = 0;
export const FIB_ROW_STATE = 2;
export const FIB_ROW_DESIRED = 4;
export const FIB_ROW_INSTALLED = 8;
export const FIB_ROW_ROUTE_COUNT = 12;
export const FIB_ROW_MORE_ROUTES = 0x80000000;

// ---- what a FIB makes of routes: addFib ----
export const AGGREGATION_OFF = 0;
export const AGGREGATION_EXACT = 1;
export const AGGREGATION_DISCARD = 2; // exact, and entries that drop are allowed
export const AGGREGATION_ENDED = 3; // a row per route, written in the order that takes over from an aggregated table
export const COST_PER_NEXT_HOP = 0; // OVN: a row per next hop
export const COST_PER_ENTRY = 1; // the kernel: nexthop objects

// ---- what observations given to observe() are about ----
export const ABOUT_PLACE = 0;
export const ABOUT_REFUSAL = 1;
export const ABOUT_RETRY = 2;
export const ABOUT_FOREIGN = 3; // routes of others: count is 0, kind is one of FOREIGN_*

// ---- what a route of somebody else does to ours at the same prefix ----
export const FOREIGN_NONE = 0; // it is gone
export const FOREIGN_WINS = 1; // it decides, or both do
export const FOREIGN_YIELDS = 2; // ours decides where it is in place

// ---- a range that an aggregated FIB forwards otherwise than its routes: verifyFib ----
//
//   0               16             32             36           40          44
//   | first address | last address | expected u32 | actual u32 | flags u32 |
//
// Addresses in network order, IPv4 in the first four bytes; both ends are in the range. Sets are 0 where nothing of ours decides; behind
// the records are the definitions of the others. With a flag a route of somebody else takes part.
export const RANGE_SIZE = 44;
export const RANGE_FIRST = 0;
export const RANGE_LAST = 16;
export const RANGE_EXPECTED = 32;
export const RANGE_ACTUAL = 36;
export const RANGE_FLAGS = 40;
export const RANGE_FLAG_EXPECTED_FOREIGN = 1;
export const RANGE_FLAG_ACTUAL_FOREIGN = 2;
