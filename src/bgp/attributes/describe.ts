// Path attributes → plain objects for people. Tolerant: an attribute that is wrong inside is reported with its offset and its
// bytes, and the next one is read. What a session does about it is the core's verdict (assembly/wire), not decided here.
import { ByteReader, ReadError } from '../../net/byte-reader.ts';
import { formatCommunity, formatLargeCommunity } from '../../net/community.ts';
import { formatHex } from '../../net/hex.ts';
import { formatIpAddress } from '../../net/ip-address.ts';
import {
  AttributeFlag,
  AttributeType,
  addressFamilyName,
  attributeName,
  type Origin,
  origins,
} from '../iana.ts';
import { type DescribedRoute, describeRoutes } from '../nlri/describe.ts';
import { type AsPathElement, asPathElements, decodeAsPath } from './as-path.ts';
import { formatExtendedCommunity } from './extended-community.ts';
import { type DescribedNextHop, readNextHop } from './next-hop.ts';

/** What must be known of the session to read its UPDATEs. */
export interface DecodeContext {
  readonly fourOctetAs: boolean;
  /** Names of the families whose NLRI carry path identifiers, as addressFamilyName writes them. */
  readonly addPath: ReadonlySet<string>;
  /** `addPath` says what may be: a list that makes no sense with path identifiers is read without. */
  readonly addPathIsGuess?: boolean;
  /** MP_REACH_NLRI is the next hop alone, as in TABLE_DUMP_V2 (RFC 6396 §4.3.4). */
  readonly abbreviatedMpReach?: boolean;
}

export interface DecodeError {
  /** From the start of the input. */
  readonly offset: number;
  readonly message: string;
  /** Type code of the path attribute it is in. */
  readonly attribute?: number;
}

export interface DescribedAggregator {
  readonly asn: number;
  readonly address: string;
}

export interface DescribedAttributes {
  origin?: Origin;
  asPath?: readonly AsPathElement[];
  nextHop?: string;
  med?: number;
  localPref?: number;
  atomicAggregate?: true;
  aggregator?: DescribedAggregator;
  communities?: readonly string[];
  originatorId?: string;
  clusterList?: readonly string[];
  extendedCommunities?: readonly { readonly hex: string; readonly text: string }[];
  as4Path?: readonly AsPathElement[];
  as4Aggregator?: DescribedAggregator;
  largeCommunities?: readonly string[];
  onlyToCustomer?: number;
  mpReach?: { readonly family?: string } & DescribedNextHop;
  mpUnreach?: { readonly family: string };
  /** Attributes without a decoder here, malformed ones included. */
  other?: DescribedOther[];
  /** Type codes that came more than once; the first of each is shown (RFC 7606 §3 g). */
  duplicates?: number[];
}

interface DescribedOther {
  readonly type: number;
  readonly name?: string;
  readonly flags: number;
  readonly hex: string;
}

export interface DescribedAttributeBlock {
  readonly attributes: DescribedAttributes;
  /** Routes of MP_REACH_NLRI and MP_UNREACH_NLRI. */
  readonly reach: readonly (DescribedRoute & DescribedNextHop)[];
  readonly unreach: readonly DescribedRoute[];
  readonly errors: readonly DecodeError[];
}

interface Block {
  readonly attributes: DescribedAttributes;
  readonly reach: DescribedRoute[];
  readonly unreach: DescribedRoute[];
  readonly errors: DecodeError[];
}

/** Reads attributes up to the end of `bytes`. `base`: offset of the first byte in the input that error offsets count from. */
export function describeAttributes(
  bytes: Uint8Array,
  context: DecodeContext,
  base = 0,
): DescribedAttributeBlock {
  const block: Block = { attributes: {}, reach: [], unreach: [], errors: [] };
  const reader = new ByteReader(bytes, base);
  const seen = new Set<number>();
  while (reader.remaining > 0) {
    try {
      describeNext(reader, context, block, seen);
    } catch (error) {
      if (!(error instanceof ReadError)) throw error;
      block.errors.push({ offset: error.offset, message: error.message });
      break; // the header or the length is cut: there is no next attribute to find
    }
  }
  const nextHop = nextHopOf(block.attributes.mpReach);
  return { ...block, reach: block.reach.map((route) => ({ ...route, ...nextHop })) };
}

function describeNext(
  reader: ByteReader,
  context: DecodeContext,
  block: Block,
  seen: Set<number>,
): void {
  const flags = reader.uint8();
  const type = reader.uint8();
  const length = flags & AttributeFlag.extendedLength ? reader.uint16() : reader.uint8();
  const value = reader.slice(length);
  if (seen.has(type)) {
    block.attributes.duplicates = [...(block.attributes.duplicates ?? []), type];
    return;
  }
  seen.add(type);
  const offset = value.position;
  const bytes = value.rest();
  try {
    const inside = new ByteReader(bytes, offset);
    if (!describeValue(type, inside, context, block)) addOther(block, type, flags, bytes);
    else if (inside.remaining > 0) throw inside.error(`${inside.remaining} bytes too many`);
  } catch (error) {
    if (!(error instanceof ReadError)) throw error;
    block.errors.push({ offset: error.offset, message: error.message, attribute: type });
    addOther(block, type, flags, bytes);
  }
}

function addOther(block: Block, type: number, flags: number, bytes: Uint8Array): void {
  const name = attributeName(type);
  block.attributes.other ??= [];
  block.attributes.other.push({
    type,
    ...(name === undefined ? {} : { name }),
    flags,
    hex: formatHex(bytes),
  });
}

/** Fills the attribute's field; false when this decoder has none for it. */
function describeValue(
  type: number,
  reader: ByteReader,
  context: DecodeContext,
  block: Block,
): boolean {
  const { attributes } = block;
  switch (type) {
    case AttributeType.origin:
      attributes.origin = readOrigin(reader);
      return true;
    case AttributeType.asPath:
      attributes.asPath = asPathElements(decodeAsPath(reader, context.fourOctetAs ? 4 : 2));
      return true;
    case AttributeType.nextHop:
      attributes.nextHop = formatIpAddress(reader.bytes(4));
      return true;
    case AttributeType.med:
      attributes.med = reader.uint32();
      return true;
    case AttributeType.localPref:
      attributes.localPref = reader.uint32();
      return true;
    case AttributeType.atomicAggregate:
      attributes.atomicAggregate = true;
      return true;
    case AttributeType.aggregator:
      attributes.aggregator = readAggregator(reader, context.fourOctetAs);
      return true;
    case AttributeType.communities:
      attributes.communities = readList(reader, () => formatCommunity(reader.uint32()));
      return true;
    case AttributeType.originatorId:
      attributes.originatorId = formatIpAddress(reader.bytes(4));
      return true;
    case AttributeType.clusterList:
      attributes.clusterList = readList(reader, () => formatIpAddress(reader.bytes(4)));
      return true;
    case AttributeType.mpReachNlri:
      readMpReach(reader, context, block);
      return true;
    case AttributeType.mpUnreachNlri:
      readMpUnreach(reader, context, block);
      return true;
    case AttributeType.extendedCommunities:
      attributes.extendedCommunities = readList(reader, () => readExtendedCommunity(reader));
      return true;
    case AttributeType.as4Path:
      attributes.as4Path = asPathElements(decodeAsPath(reader, 4));
      return true;
    case AttributeType.as4Aggregator:
      attributes.as4Aggregator = readAggregator(reader, true);
      return true;
    case AttributeType.largeCommunities:
      attributes.largeCommunities = readList(reader, () =>
        formatLargeCommunity([reader.uint32(), reader.uint32(), reader.uint32()]),
      );
      return true;
    case AttributeType.onlyToCustomer:
      attributes.onlyToCustomer = reader.uint32();
      return true;
    default:
      return false;
  }
}

function readOrigin(reader: ByteReader): Origin {
  const value = reader.peekUint8();
  const origin = origins[value];
  if (origin === undefined) throw reader.error(`ORIGIN ${value}, expected 0, 1 or 2`);
  reader.uint8();
  return origin;
}

function readAggregator(reader: ByteReader, fourOctetAs: boolean): DescribedAggregator {
  const asn = fourOctetAs ? reader.uint32() : reader.uint16();
  return { asn, address: formatIpAddress(reader.bytes(4)) };
}

function readList<Item>(reader: ByteReader, read: () => Item): Item[] {
  const items: Item[] = [];
  while (reader.remaining > 0) items.push(read());
  return items;
}

function readExtendedCommunity(reader: ByteReader): { hex: string; text: string } {
  const bytes = reader.bytes(8);
  return { hex: formatHex(bytes), text: formatExtendedCommunity(bytes) };
}

/** RFC 4760 §3. */
function readMpReach(reader: ByteReader, context: DecodeContext, block: Block): void {
  if (context.abbreviatedMpReach && reader.peekUint8() === reader.remaining - 1) {
    block.attributes.mpReach = readNextHop(reader.slice(reader.uint8()));
    return;
  }
  const afi = reader.uint16();
  const safi = reader.uint8();
  const family = addressFamilyName(afi, safi);
  const nextHop = readNextHop(reader.slice(reader.uint8()));
  reader.uint8(); // reserved
  block.attributes.mpReach = { family, ...nextHop };
  describeRoutes(reader, afi, safi, pathIdsOf(family, context), block.reach);
}

/** RFC 4760 §4. */
function readMpUnreach(reader: ByteReader, context: DecodeContext, block: Block): void {
  const afi = reader.uint16();
  const safi = reader.uint8();
  const family = addressFamilyName(afi, safi);
  block.attributes.mpUnreach = { family };
  describeRoutes(reader, afi, safi, pathIdsOf(family, context), block.unreach);
}

/** Whether the routes of a family carry path identifiers. */
export function pathIdsOf(
  family: string,
  { addPath, addPathIsGuess }: DecodeContext,
): boolean | 'perhaps' {
  if (!addPath.has(family)) return false;
  return addPathIsGuess ? 'perhaps' : true;
}

function nextHopOf(mpReach: DescribedAttributes['mpReach']): DescribedNextHop {
  const { family: _, ...nextHop } = mpReach ?? {};
  return nextHop;
}
