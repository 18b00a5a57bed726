// OPEN → a plain object for people, every capability named (RFC 4271 §4.2, RFC 5492, RFC 9072). The session's own codec is
// open.ts; it refuses what this one shows.
import { ByteReader, ReadError } from '../../net/byte-reader.ts';
import { formatHex } from '../../net/hex.ts';
import { formatIpAddress } from '../../net/ip-address.ts';
import { addressFamilyName, CapabilityCode, capabilityName } from '../iana.ts';

export interface DescribedOpen {
  readonly type: 'open';
  readonly version: number;
  /** The two-octet field; see the fourOctetAs capability for the real number. */
  readonly asn: number;
  readonly holdTimeSeconds: number;
  readonly bgpIdentifier: string;
  /** Parameters in the form of RFC 9072. */
  readonly extendedParameters: boolean;
  readonly capabilities: DescribedCapability[];
}

/** Each family with what the capability says of it. */
type CapabilityFamilies = readonly Readonly<Record<string, string | number>>[];

/** `hex` is always there; the other fields where the code is known here and the value keeps to its form. */
export interface DescribedCapability {
  readonly code: number;
  readonly name?: string;
  readonly hex: string;
  readonly family?: string;
  readonly asn?: number;
  readonly families?: CapabilityFamilies;
  readonly restartTimeSeconds?: number;
  readonly restartFlags?: number;
  readonly hostName?: string;
  readonly domainName?: string;
  readonly softwareVersion?: string;
  readonly role?: number;
}

const PARAMETER_CAPABILITIES = 2;
const EXTENDED_FORM = 255;

/** Takes a reader over the body. Throws a ReadError where it is cut. */
export function describeOpen(reader: ByteReader): DescribedOpen {
  const version = reader.uint8();
  const asn = reader.uint16();
  const holdTimeSeconds = reader.uint16();
  const bgpIdentifier = formatIpAddress(reader.bytes(4));
  const length = reader.uint8();
  // RFC 9072 §2: the type octet 255 announces two-octet lengths
  const extendedParameters =
    length > 0 && reader.remaining > 0 && reader.peekUint8() === EXTENDED_FORM;
  if (extendedParameters) reader.uint8();
  const parameters = reader.slice(extendedParameters ? reader.uint16() : length);
  if (reader.remaining > 0) throw reader.error(`${reader.remaining} bytes after the parameters`);
  const capabilities: DescribedCapability[] = [];
  while (parameters.remaining > 0) {
    const type = parameters.uint8();
    const parameter = parameters.slice(
      extendedParameters ? parameters.uint16() : parameters.uint8(),
    );
    while (type === PARAMETER_CAPABILITIES && parameter.remaining > 0) {
      const code = parameter.uint8();
      capabilities.push(describeCapability(code, parameter.bytes(parameter.uint8())));
    }
  }
  return {
    type: 'open',
    version,
    asn,
    holdTimeSeconds,
    bgpIdentifier,
    extendedParameters,
    capabilities,
  };
}

/** One capability. Fields only where the value keeps to its form. */
export function describeCapability(code: number, value: Uint8Array): DescribedCapability {
  const name = capabilityName(code);
  const named = name === undefined ? { code } : { code, name };
  return { ...named, hex: formatHex(value), ...soundFields(code, value) };
}

function soundFields(code: number, value: Uint8Array): Partial<DescribedCapability> {
  const reader = new ByteReader(value);
  try {
    const fields = capabilityFields(code, reader);
    return reader.remaining === 0 ? fields : {};
  } catch (error) {
    if (error instanceof ReadError) return {};
    throw error;
  }
}

function capabilityFields(code: number, reader: ByteReader): Partial<DescribedCapability> {
  switch (code) {
    case CapabilityCode.multiprotocol: {
      const afi = reader.uint16();
      reader.uint8(); // reserved
      return { family: addressFamilyName(afi, reader.uint8()) };
    }
    case CapabilityCode.fourOctetAs:
      return { asn: reader.uint32() };
    case CapabilityCode.addPath:
      return { families: readFamilies(reader, () => ({ sendReceive: reader.uint8() })) };
    case CapabilityCode.extendedNextHop:
      return { families: readExtendedNextHops(reader) };
    case CapabilityCode.gracefulRestart: {
      const word = reader.uint16();
      const families = readFamilies(reader, () => ({ flags: reader.uint8() }));
      return { restartFlags: word >> 12, restartTimeSeconds: word & 0xfff, families };
    }
    case CapabilityCode.longLivedGracefulRestart:
      return {
        families: readFamilies(reader, () => ({
          flags: reader.uint8(),
          staleTimeSeconds: reader.uint24(),
        })),
      };
    case CapabilityCode.multipleLabels:
      return { families: readFamilies(reader, () => ({ count: reader.uint8() })) };
    case CapabilityCode.fqdn:
      return { hostName: readText(reader), domainName: readText(reader) };
    case CapabilityCode.softwareVersion:
      return { softwareVersion: readText(reader) };
    case CapabilityCode.role:
      return { role: reader.uint8() };
    default:
      return {};
  }
}

/** AFI and SAFI, then what the capability says of the family. */
function readFamilies(
  reader: ByteReader,
  readRest: () => Readonly<Record<string, number>>,
): CapabilityFamilies {
  const families: Readonly<Record<string, string | number>>[] = [];
  while (reader.remaining > 0) {
    const family = addressFamilyName(reader.uint16(), reader.uint8());
    families.push({ family, ...readRest() });
  }
  return families;
}

/** RFC 8950 §4: here the SAFI has two octets, and the next hop's AFI follows. */
function readExtendedNextHops(reader: ByteReader): CapabilityFamilies {
  const families: Readonly<Record<string, string | number>>[] = [];
  while (reader.remaining > 0) {
    const family = addressFamilyName(reader.uint16(), reader.uint16());
    families.push({ family, nextHopAfi: reader.uint16() });
  }
  return families;
}

function readText(reader: ByteReader): string {
  return new TextDecoder().decode(reader.bytes(reader.uint8()));
}
