// Capabilities ↔ their bytes in an OPEN (RFC 5492 §4).
import { ByteReader, ReadError } from '../net/byte-reader.ts';
import { ByteWriter } from '../net/byte-writer.ts';
import {
  type AfiSafi,
  type Capabilities,
  type GracefulRestartCapability,
  noCapabilities,
} from './capabilities.ts';
import type { BgpError } from './errors.ts';
import { CapabilityCode, capabilityName } from './iana.ts';
import { openError, type RawCapability } from './messages/open.ts';

const code = CapabilityCode;

/** Capabilities in ascending order of code; `others` have no value and are left out. */
export function encodeCapabilities(capabilities: Capabilities): RawCapability[] {
  const list: RawCapability[] = [];
  const add = (number: number, value: Uint8Array) => list.push({ code: number, value });
  for (const family of capabilities.multiprotocol) add(code.multiprotocol, multiprotocol(family));
  if (capabilities.routeRefresh) add(code.routeRefresh, new Uint8Array(0));
  if (capabilities.extendedNextHop.length > 0) {
    add(code.extendedNextHop, extendedNextHop(capabilities.extendedNextHop));
  }
  if (capabilities.extendedMessage) add(code.extendedMessage, new Uint8Array(0));
  if (capabilities.gracefulRestart) {
    add(code.gracefulRestart, gracefulRestart(capabilities.gracefulRestart));
  }
  if (capabilities.fourOctetAsn !== undefined) {
    add(code.fourOctetAs, new ByteWriter(4).uint32(capabilities.fourOctetAsn).finish());
  }
  if (capabilities.addPath.length > 0) add(code.addPath, addPath(capabilities.addPath));
  if (capabilities.enhancedRouteRefresh) add(code.enhancedRouteRefresh, new Uint8Array(0));
  if (capabilities.fqdn) add(code.fqdn, fqdn(capabilities.fqdn));
  return list;
}

function multiprotocol({ afi, safi }: AfiSafi): Uint8Array {
  return new ByteWriter(4).uint16(afi).uint8(0).uint8(safi).finish();
}

/** RFC 8950 §4: AFI, SAFI as two octets, next hop AFI. */
function extendedNextHop(list: Capabilities['extendedNextHop']): Uint8Array {
  const writer = new ByteWriter(list.length * 6);
  for (const { afi, safi, nextHopAfi } of list) {
    writer.uint16(afi).uint16(safi).uint16(nextHopAfi);
  }
  return writer.finish();
}

/** RFC 4724 §3: R and N (RFC 8538 §2) in the upper bits of the restart time. */
function gracefulRestart(capability: GracefulRestartCapability): Uint8Array {
  const flags = (capability.restarting ? 0x8000 : 0) | (capability.notification ? 0x4000 : 0);
  const writer = new ByteWriter(2 + capability.families.length * 4);
  writer.uint16(flags | (capability.restartTimeSeconds & 0x0fff));
  for (const { afi, safi, forwardingPreserved } of capability.families) {
    writer
      .uint16(afi)
      .uint8(safi)
      .uint8(forwardingPreserved ? 0x80 : 0);
  }
  return writer.finish();
}

/** RFC 7911 §4: 1 receive, 2 send, 3 both. */
function addPath(list: Capabilities['addPath']): Uint8Array {
  const writer = new ByteWriter(list.length * 4);
  for (const { afi, safi, receive, send } of list) {
    writer
      .uint16(afi)
      .uint8(safi)
      .uint8((receive ? 1 : 0) | (send ? 2 : 0));
  }
  return writer.finish();
}

function fqdn({ hostName, domainName }: { hostName: string; domainName: string }): Uint8Array {
  const host = shortName(hostName);
  const domain = shortName(domainName);
  const writer = new ByteWriter(2 + host.length + domain.length);
  return writer.uint8(host.length).bytes(host).uint8(domain.length).bytes(domain).finish();
}

/** FRR takes names of up to 64 bytes. */
function shortName(name: string): Uint8Array {
  return new TextEncoder().encode(name).subarray(0, 64);
}

/** Throws a BgpError where a capability that we act upon has a value it cannot have. */
export function decodeCapabilities(list: readonly RawCapability[]): Capabilities {
  const capabilities = { ...noCapabilities };
  for (const raw of list) {
    const decode = decoders[raw.code];
    if (decode === undefined) {
      capabilities.others = [...capabilities.others, raw.code];
      continue;
    }
    try {
      decode(new ByteReader(raw.value), capabilities);
    } catch (error) {
      if (error instanceof ReadError) throw malformedCapability(raw, error.message);
      throw error;
    }
  }
  return capabilities;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
type Decoder = (reader: ByteReader, into: Mutable<Capabilities>) => void;

/** One row per capability. A second one of a kind adds to the first where it is a list, else replaces it (RFC 5492 §4). */
const decoders: Readonly<Record<number, Decoder>> = {
  [code.multiprotocol]: (reader, into) => {
    const afi = reader.uint16();
    reader.uint8();
    into.multiprotocol = [...into.multiprotocol, { afi, safi: reader.uint8() }];
    expectEnd(reader);
  },
  [code.routeRefresh]: (_reader, into) => {
    into.routeRefresh = true;
  },
  [code.ciscoRouteRefresh]: (_reader, into) => {
    into.routeRefresh = true;
  },
  [code.enhancedRouteRefresh]: (_reader, into) => {
    into.enhancedRouteRefresh = true;
  },
  [code.extendedMessage]: (_reader, into) => {
    into.extendedMessage = true;
  },
  [code.fourOctetAs]: (reader, into) => {
    into.fourOctetAsn = reader.uint32();
    expectEnd(reader);
  },
  [code.extendedNextHop]: (reader, into) => {
    const entries = [...into.extendedNextHop];
    while (reader.remaining > 0) {
      entries.push({ afi: reader.uint16(), safi: reader.uint16(), nextHopAfi: reader.uint16() });
    }
    into.extendedNextHop = entries;
  },
  [code.gracefulRestart]: (reader, into) => {
    into.gracefulRestart = decodeGracefulRestart(reader);
  },
  [code.addPath]: (reader, into) => {
    const entries = [...into.addPath];
    while (reader.remaining > 0) {
      const family = { afi: reader.uint16(), safi: reader.uint8() };
      const mode = reader.uint8();
      // RFC 7911 §4: any other value is as if the entry were absent
      if (mode < 1 || mode > 3) continue;
      entries.push({ ...family, receive: (mode & 1) !== 0, send: (mode & 2) !== 0 });
    }
    into.addPath = entries;
  },
  [code.fqdn]: (reader, into) => {
    into.fqdn = decodeFqdn(reader);
  },
};

function decodeGracefulRestart(reader: ByteReader): GracefulRestartCapability {
  const head = reader.uint16();
  const families: GracefulRestartCapability['families'][number][] = [];
  while (reader.remaining > 0) {
    const family = { afi: reader.uint16(), safi: reader.uint8() };
    families.push({ ...family, forwardingPreserved: (reader.uint8() & 0x80) !== 0 });
  }
  return {
    restarting: (head & 0x8000) !== 0,
    notification: (head & 0x4000) !== 0,
    restartTimeSeconds: head & 0x0fff,
    families,
  };
}

/** Only for show, so that nothing in it is an error; control characters could fool a terminal. */
function decodeFqdn(reader: ByteReader): Capabilities['fqdn'] {
  const name = () => {
    if (reader.remaining === 0) return '';
    const size = Math.min(reader.uint8(), reader.remaining);
    return new TextDecoder().decode(reader.bytes(size)).replace(/\p{Cc}/gu, ' ');
  };
  return { hostName: name(), domainName: name() };
}

function expectEnd(reader: ByteReader): void {
  if (reader.remaining > 0) throw reader.error(`${reader.remaining} bytes too many`);
}

function malformedCapability({ code: number }: RawCapability, message: string): BgpError {
  return openError(0, `capability ${capabilityName(number) ?? number}: ${message}`);
}
