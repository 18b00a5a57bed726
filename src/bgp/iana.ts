// Assigned numbers of BGP, each with its registry or RFC. Names keep the registry's spelling.

/** RFC 4271 §4.1, RFC 2918. */
export const MessageType = {
  open: 1,
  update: 2,
  notification: 3,
  keepalive: 4,
  routeRefresh: 5,
} as const;

/** RFC 4271 §4.1: marker, length, type. */
export const HEADER_SIZE = 19;
/** RFC 4271 §4.1. */
export const MAX_MESSAGE_SIZE = 4096;
/** RFC 8654 §3: of every type but OPEN and KEEPALIVE. */
export const MAX_EXTENDED_MESSAGE_SIZE = 65535;

/** Stands for a 4-octet AS number where only two octets fit (RFC 6793 §9). */
export const AS_TRANS = 23456;

/** Path attribute flags (RFC 4271 §4.3). */
export const AttributeFlag = {
  optional: 0x80,
  transitive: 0x40,
  partial: 0x20,
  extendedLength: 0x10,
} as const;

/** IANA "BGP Path Attributes". */
export const AttributeType = {
  origin: 1, // RFC 4271
  asPath: 2, // RFC 4271
  nextHop: 3, // RFC 4271
  med: 4, // RFC 4271
  localPref: 5, // RFC 4271
  atomicAggregate: 6, // RFC 4271
  aggregator: 7, // RFC 4271
  communities: 8, // RFC 1997
  originatorId: 9, // RFC 4456
  clusterList: 10, // RFC 4456
  mpReachNlri: 14, // RFC 4760
  mpUnreachNlri: 15, // RFC 4760
  extendedCommunities: 16, // RFC 4360
  as4Path: 17, // RFC 6793
  as4Aggregator: 18, // RFC 6793
  pmsiTunnel: 22, // RFC 6514
  tunnelEncapsulation: 23, // RFC 9012
  trafficEngineering: 24, // RFC 5543
  ipv6ExtendedCommunities: 25, // RFC 5701
  aigp: 26, // RFC 7311
  peDistinguisherLabels: 27, // RFC 6514
  bgpLs: 29, // RFC 9552
  largeCommunities: 32, // RFC 8092
  bgpsecPath: 33, // RFC 8205
  onlyToCustomer: 35, // RFC 9234
  domainPath: 36, // RFC 9542
  sfp: 37, // RFC 9015
  bfdDiscriminator: 38, // RFC 9026
  prefixSid: 40, // RFC 8669
  attrSet: 128, // RFC 6368
} as const;

const attributeNames = new Map<number, string>(
  Object.entries(AttributeType).map(([name, type]) => [type, name]),
);

/** The camel-cased name of a path attribute type, or undefined when the table here has none. */
export function attributeName(type: number): string | undefined {
  return attributeNames.get(type);
}

/** ORIGIN (RFC 4271 §4.3), by value. */
export const origins = ['igp', 'egp', 'incomplete'] as const;
export type Origin = (typeof origins)[number];

/** AS_PATH segment types (RFC 4271 §4.3, RFC 5065 §3). */
export const SegmentType = {
  asSet: 1,
  asSequence: 2,
  asConfedSequence: 3,
  asConfedSet: 4,
} as const;

/** IANA "Address Family Numbers", as far as BGP uses them. */
const afiNames = new Map<number, string>([
  [1, 'ipv4'],
  [2, 'ipv6'],
  [25, 'l2vpn'], // RFC 4761
  [16388, 'bgp-ls'], // RFC 9552
]);

/** IANA "SAFI Values". */
const safiNames = new Map<number, string>([
  [1, 'unicast'], // RFC 4760
  [2, 'multicast'], // RFC 4760
  [4, 'labeled'], // RFC 8277
  [5, 'mvpn'], // RFC 6514
  [65, 'vpls'], // RFC 4761
  [66, 'mdt'], // RFC 6037
  [70, 'evpn'], // RFC 7432
  [71, 'bgp-ls'], // RFC 9552
  [72, 'bgp-ls-vpn'], // RFC 9552
  [73, 'srpolicy'], // RFC 9830
  [80, 'bgp-ls-spf'], // RFC 9815
  [85, 'mup'], // draft-ietf-bess-mup-safi
  [128, 'vpn'], // RFC 4364
  [129, 'multicast-vpn'], // RFC 6514
  [132, 'rtc'], // RFC 4684
  [133, 'flowspec'], // RFC 8955
  [134, 'flowspec-vpn'], // RFC 8955
]);

/** A name for any AFI/SAFI pair: "ipv4-unicast", "l2vpn-evpn", "afi3-safi1" when the registry here has no word. */
export function addressFamilyName(afi: number, safi: number): string {
  const afiName = afiNames.get(afi) ?? `afi${afi}`;
  const safiName = safiNames.get(safi) ?? `safi${safi}`;
  return afiName === safiName ? afiName : `${afiName}-${safiName}`;
}

/** Whether a text is a name that addressFamilyName gives a registered pair. */
export function isAddressFamilyName(text: string): boolean {
  const afis = [...afiNames.keys()];
  return afis.some((afi) =>
    [...safiNames.keys()].some((safi) => addressFamilyName(afi, safi) === text),
  );
}

/** IANA "Capability Codes". */
export const CapabilityCode = {
  multiprotocol: 1, // RFC 4760
  routeRefresh: 2, // RFC 2918
  outboundRouteFiltering: 3, // RFC 5291
  extendedNextHop: 5, // RFC 8950
  extendedMessage: 6, // RFC 8654
  bgpsec: 7, // RFC 8205
  multipleLabels: 8, // RFC 8277
  role: 9, // RFC 9234
  gracefulRestart: 64, // RFC 4724
  fourOctetAs: 65, // RFC 6793
  dynamicCapability: 67, // draft-ietf-idr-dynamic-cap
  multisession: 68, // draft-ietf-idr-bgp-multisession
  addPath: 69, // RFC 7911
  enhancedRouteRefresh: 70, // RFC 7313
  longLivedGracefulRestart: 71, // RFC 9494
  fqdn: 73, // draft-walton-bgp-hostname-capability
  softwareVersion: 75, // draft-abraitis-bgp-version-capability
  pathsLimit: 76, // draft-abraitis-idr-addpath-paths-limit
  linkLocalNextHop: 77, // draft-ietf-idr-linklocal-capability
  ciscoRouteRefresh: 128, // before RFC 2918
} as const;

const capabilityNames = new Map<number, string>(
  Object.entries(CapabilityCode).map(([name, code]) => [code, name]),
);

/** The camel-cased name of a capability code, or undefined. */
export function capabilityName(code: number): string | undefined {
  return capabilityNames.get(code);
}

/** NOTIFICATION error codes (RFC 4271 §4.5, RFC 7313 §5, RFC 9687 §4). */
export const ErrorCode = {
  messageHeader: 1,
  openMessage: 2,
  updateMessage: 3,
  holdTimerExpired: 4,
  finiteStateMachine: 5,
  cease: 6,
  routeRefreshMessage: 7,
  sendHoldTimerExpired: 8,
} as const;

/** RFC 4271 §6.1. */
export const HeaderError = {
  connectionNotSynchronized: 1,
  badMessageLength: 2,
  badMessageType: 3,
} as const;

/** RFC 4271 §6.2, RFC 5492 §5, RFC 9234 §4.2. */
export const OpenError = {
  unsupportedVersionNumber: 1,
  badPeerAs: 2,
  badBgpIdentifier: 3,
  unsupportedOptionalParameter: 4,
  unacceptableHoldTime: 6,
  unsupportedCapability: 7,
  roleMismatch: 11,
} as const;

/** RFC 4271 §6.3. */
const UpdateError = {
  malformedAttributeList: 1,
  unrecognizedWellKnownAttribute: 2,
  missingWellKnownAttribute: 3,
  attributeFlags: 4,
  attributeLength: 5,
  invalidOrigin: 6,
  invalidNextHop: 8,
  optionalAttribute: 9,
  invalidNetworkField: 10,
  malformedAsPath: 11,
} as const;

/** RFC 6608 §4: the state in which the message was unexpected. */
export const FsmError = {
  unspecified: 0,
  unexpectedInOpenSent: 1,
  unexpectedInOpenConfirm: 2,
  unexpectedInEstablished: 3,
} as const;

/** RFC 4486 §3, RFC 8538 §4, RFC 9384 §3. */
export const CeaseReason = {
  maximumPrefixesReached: 1,
  administrativeShutdown: 2,
  peerDeconfigured: 3,
  administrativeReset: 4,
  connectionRejected: 5,
  otherConfigurationChange: 6,
  connectionCollisionResolution: 7,
  outOfResources: 8,
  hardReset: 9,
  bfdDown: 10,
} as const;

/** RFC 7313 §5. */
export const RouteRefreshError = { invalidMessageLength: 1 } as const;

const subcodes: Readonly<Record<number, Readonly<Record<string, number>>>> = {
  [ErrorCode.messageHeader]: HeaderError,
  [ErrorCode.openMessage]: OpenError,
  [ErrorCode.updateMessage]: UpdateError,
  [ErrorCode.finiteStateMachine]: FsmError,
  [ErrorCode.cease]: CeaseReason,
  [ErrorCode.routeRefreshMessage]: RouteRefreshError,
};

/** A NOTIFICATION's code and subcode in words: "cease: administrative shutdown". */
export function errorText(code: number, subcode: number): string {
  const codeName = nameOf(ErrorCode, code);
  if (codeName === undefined) return `error ${code}/${subcode}`;
  const subcodeName = nameOf(subcodes[code] ?? {}, subcode);
  if (subcodeName !== undefined) return `${inWords(codeName)}: ${inWords(subcodeName)}`;
  return subcode === 0 ? inWords(codeName) : `${inWords(codeName)}: subcode ${subcode}`;
}

function nameOf(table: Readonly<Record<string, number>>, value: number): string | undefined {
  return Object.entries(table).find(([, number]) => number === value)?.[0];
}

function inWords(camelCase: string): string {
  return camelCase.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
