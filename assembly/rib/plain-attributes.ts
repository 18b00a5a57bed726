// The attribute set of a route that no BGP session brought: an ORIGIN, an empty AS_PATH, and a next hop or none.
import { writeUint8 } from '../memory/byte-writer';
import { HAS_AS_PATH, HAS_ORIGIN, update } from '../wire/update-view';
import { AttributeSet, internAttributeSet, setContext } from './attribute-set';

/** Values of ORIGIN (RFC 4271 §4.3). */
export const ORIGIN_IGP: u32 = 0;
export const ORIGIN_INCOMPLETE: u32 = 2;

/** ORIGIN and an empty AS_PATH: 40 01 01 xx, 40 02 00. */
const attributes: usize = memory.data<u8>([0x40, 1, 1, 0, 0x40, 2, 0]);
const ATTRIBUTES_SIZE: u32 = 7;
const ORIGIN_OFFSET: usize = 3;

/** `nextHop`: a record, or 0. `weight`: how much of the load it takes beside its equals. Null when there is no memory; retained for the caller, who releases it. */
export function internPlainSet(
  origin: u32,
  nextHop: u32,
  isTracked: bool,
  isDiscard: bool,
  weight: u32,
): AttributeSet | null {
  writeUint8(attributes + ORIGIN_OFFSET, origin);
  update.present = HAS_ORIGIN | HAS_AS_PATH;
  update.origin = origin;
  update.neighborAs = 0;
  update.asPathLength = 0;
  update.clusterListCount = 0;
  update.hasOwnAs = 0;
  update.attributesPtr = attributes;
  update.attributesSize = ATTRIBUTES_SIZE;
  setContext.nextHop = nextHop;
  setContext.isTracked = isTracked;
  setContext.isDiscard = isDiscard;
  setContext.linkLocalPtr = 0;
  setContext.payloadSize = 0;
  setContext.share = weight - 1;
  const set = internAttributeSet();
  setContext.isDiscard = false;
  setContext.share = 0;
  return set;
}
