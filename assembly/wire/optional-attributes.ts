// The inside of optional attributes that carry TLVs: sound or not. Nothing here reads what they mean.
import { readUint8, readUint16 } from '../memory/byte-reader';
import {
  AIGP,
  ATTR_SET,
  BGP_LS,
  PMSI_TUNNEL,
  PREFIX_SID,
  TUNNEL_ENCAPSULATION,
} from './attributes';

/** Whether the value keeps to its own structure; true for types that have none. */
export function isSoundInside(type: u32, ptr: usize, end: usize): bool {
  switch (type) {
    case PMSI_TUNNEL:
      return isSoundPmsiTunnel(ptr);
    case TUNNEL_ENCAPSULATION:
      return isSoundTunnelEncapsulation(ptr, end);
    case AIGP:
      return isSoundAigp(ptr, end);
    case BGP_LS:
      return isSoundBgpLs(ptr, end);
    case PREFIX_SID:
      return isSoundPrefixSid(ptr, end);
    case ATTR_SET:
      return isSoundAttrSet(ptr, end);
    default:
      return true;
  }
}

/** RFC 6514 §5: flags, tunnel type, label, identifier. RFC 7385 §4 reserves type 255. */
function isSoundPmsiTunnel(ptr: usize): bool {
  return readUint8(ptr + 1) != 255;
}

/** RFC 9012 §2: tunnels (type 2, length 2) of sub-TLVs (type 1, length 1, or 2 from type 128 on). */
function isSoundTunnelEncapsulation(ptr: usize, end: usize): bool {
  while (ptr < end) {
    if (end - ptr < 4) return false;
    const size: usize = readUint16(ptr + 2);
    ptr += 4;
    if (end - ptr < size || !areSoundSubTlvs(ptr, ptr + size)) return false;
    ptr += size;
  }
  return true;
}

function areSoundSubTlvs(ptr: usize, end: usize): bool {
  while (ptr < end) {
    const headerSize: usize = readUint8(ptr) < 128 ? 2 : 3;
    if (end - ptr < headerSize) return false;
    const size: usize = headerSize == 2 ? readUint8(ptr + 1) : readUint16(ptr + 1);
    ptr += headerSize;
    if (end - ptr < size) return false;
    ptr += size;
  }
  return true;
}

/** RFC 7311 §3: TLVs whose length counts type and length too; the AIGP TLV (type 1) has 11 bytes. */
function isSoundAigp(ptr: usize, end: usize): bool {
  while (ptr < end) {
    if (end - ptr < 3) return false;
    const size: usize = readUint16(ptr + 1);
    if (size < 3 || end - ptr < size) return false;
    if (readUint8(ptr) == 1 && size != 11) return false;
    ptr += size;
  }
  return true;
}

/** RFC 9552 §5.1: type 2, length 2. */
function isSoundBgpLs(ptr: usize, end: usize): bool {
  while (ptr < end) {
    if (end - ptr < 4) return false;
    const size: usize = readUint16(ptr + 2);
    ptr += 4;
    if (end - ptr < size) return false;
    ptr += size;
  }
  return true;
}

/** RFC 8669 §3: type 1, length 2; a label index has 7 bytes, an SRGB 2 and then 6 for each range. */
function isSoundPrefixSid(ptr: usize, end: usize): bool {
  while (ptr < end) {
    if (end - ptr < 3) return false;
    const type = readUint8(ptr);
    const size: usize = readUint16(ptr + 1);
    ptr += 3;
    if (end - ptr < size) return false;
    if (type == 1 && size != 7) return false;
    if (type == 3 && (size < 8 || (size - 2) % 6 != 0)) return false;
    ptr += size;
  }
  return true;
}

/** RFC 6368 §5: origin AS, then attributes, of which none may be MP_REACH_NLRI or MP_UNREACH_NLRI. */
function isSoundAttrSet(ptr: usize, end: usize): bool {
  ptr += 4;
  while (ptr < end) {
    if (end - ptr < 3) return false;
    const isLong = (readUint8(ptr) & 0x10) != 0;
    const type = readUint8(ptr + 1);
    if (type == 14 || type == 15) return false;
    if (isLong && end - ptr < 4) return false;
    const size: usize = isLong ? readUint16(ptr + 2) : readUint8(ptr + 2);
    ptr += isLong ? 4 : 3;
    if (end - ptr < size) return false;
    ptr += size;
  }
  return true;
}
