// Our decoded records as `bgpdump -m` (1.6.2) prints them, so that its output can be compared line by line. A reading of the
// attributes of its own, independent of src/bgp: what it disagrees with is worth a look on either side.
import type { MessageRecord, MrtRecord, RibRecord } from '../../src/sources/mrt-types.ts';
import { MrtType } from '../../src/sources/mrt-types.ts';

export interface LineOptions {
  /** bgpdump does not tell unicast (1) from multicast (2). */
  readonly safis: readonly number[];
  /** Of an AS4_PATH with confederation segments bgpdump takes nothing; RFC 6793 §6 drops these segments. */
  readonly as4Confed: 'ignore-path' | 'drop-segments';
}

const asBgpdump: LineOptions = { safis: [1, 2], as4Confed: 'ignore-path' };

/** The lines bgpdump prints for a record. */
export function bgpdumpLines(record: MrtRecord, options = asBgpdump): string[] {
  switch (record.kind) {
    case 'rib':
      return options.safis.includes(record.safi) ? ribLines(record, options) : [];
    case 'message':
      return record.message[18] === 2 ? updateLines(record, options) : [];
    case 'stateChange': {
      const { peer, oldState, newState } = record;
      const head = `${typeName(record)}|${time(record)}|STATE`;
      return [`${head}|${formatAddress(peer.address)}|${peer.asn}|${oldState}|${newState}`];
    }
    default:
      return [];
  }
}

function typeName({ mrtType }: MrtRecord): string {
  const names = {
    [MrtType.bgp]: 'BGP',
    [MrtType.bgp4mp]: 'BGP4MP',
    [MrtType.bgp4mpEt]: 'BGP4MP_ET',
  };
  return names[mrtType as keyof typeof names];
}

function time({ mrtType, timestamp }: MrtRecord): string {
  if (mrtType !== MrtType.bgp4mpEt) return String(timestamp / 1e6);
  return `${Math.floor(timestamp / 1e6)}.${String(timestamp % 1e6).padStart(6, '0')}`;
}

function ribLines(record: RibRecord, options: LineOptions): string[] {
  if (record.safi > 2 || record.afi > 2) return [];
  const [prefix] = readPrefixes(record.nlri, record.afi, false);
  const name = record.mrtType === MrtType.tableDump ? 'TABLE_DUMP' : 'TABLE_DUMP2';
  return record.entries.flatMap(({ peer, pathId, attributes }) => {
    if (peer === undefined) return [];
    const facts = readAttributes(attributes, record.fourOctetAs, options);
    const head = `${name}${record.addPath ? '_AP' : ''}|${time(record)}|B`;
    const path = record.addPath ? `|${pathId}` : '';
    const nextHop = facts.mpNextHop ?? (facts.nextHop || '255.255.255.255'); // INADDR_NONE
    return [
      `${head}|${formatAddress(peer.address)}|${peer.asn}|${prefix!.text}${path}|${facts.describe(nextHop)}`,
    ];
  });
}

function updateLines(record: MessageRecord, options: LineOptions): string[] {
  const { message, peer, addPath, fourOctetAs } = record;
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const withdrawnEnd = 21 + view.getUint16(19);
  const attributesEnd = withdrawnEnd + 2 + view.getUint16(withdrawnEnd);
  const facts = readAttributes(
    message.subarray(withdrawnEnd + 2, attributesEnd),
    fourOctetAs,
    options,
  );
  const line = (kind: string, { text, pathId }: Nlri, rest = '') =>
    `${typeName(record)}${addPath ? '_AP' : ''}|${time(record)}|${kind}|` +
    `${formatAddress(peer.address)}|${peer.asn}|${text}${addPath ? `|${pathId}` : ''}${rest}`;
  const announced = (nextHop: string) => (nlri: Nlri) =>
    line('A', nlri, `|${facts.describe(nextHop)}`);
  const lists = (parts: MpPart[], afi: number, safi: number) =>
    parts.filter((part) => part.afi === afi && part.safi === safi);
  const families = [1, 2].flatMap((afi) => options.safis.map((safi) => [afi, safi] as const));
  return [
    ...readPrefixes(message.subarray(21, withdrawnEnd), 1, addPath).map((nlri) => line('W', nlri)),
    ...families.flatMap(([afi, safi]) =>
      lists(facts.mpUnreach, afi, safi).flatMap((part) =>
        readPrefixes(part.nlri, afi, addPath).map((nlri) => line('W', nlri)),
      ),
    ),
    ...readPrefixes(message.subarray(attributesEnd), 1, addPath).map(announced(facts.nextHop)),
    ...families.flatMap(([afi, safi]) =>
      lists(facts.mpReach, afi, safi).flatMap((part) =>
        readPrefixes(part.nlri, afi, addPath).map(announced(part.nextHop)),
      ),
    ),
  ];
}

interface Nlri {
  readonly text: string;
  readonly pathId: number;
}

function readPrefixes(bytes: Uint8Array, afi: number, addPath: boolean): Nlri[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: Nlri[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const pathId = addPath ? view.getUint32(offset) : 0;
    if (addPath) offset += 4;
    const length = bytes[offset]!;
    const size = (length + 7) >> 3;
    const address = new Uint8Array(afi === 1 ? 4 : 16);
    address.set(bytes.subarray(offset + 1, offset + 1 + size));
    found.push({ text: `${formatAddress(address)}/${length}`, pathId });
    offset += 1 + size;
  }
  return found;
}

interface MpPart {
  readonly afi: number;
  readonly safi: number;
  readonly nextHop: string;
  readonly nlri: Uint8Array;
}

interface Segment {
  readonly type: number;
  readonly asns: number[];
}

interface Facts {
  readonly nextHop: string;
  readonly mpNextHop: string | undefined;
  readonly mpReach: MpPart[];
  readonly mpUnreach: MpPart[];
  /** AS path, origin, next hop, LOCAL_PREF, MED, communities, aggregator: the tail of a line. */
  describe(nextHop: string): string;
}

const origins = ['IGP', 'EGP', 'INCOMPLETE'];

function readAttributes(bytes: Uint8Array, fourOctetAs: boolean, options: LineOptions): Facts {
  const values = new Map<number, Uint8Array>();
  let offset = 0;
  while (offset < bytes.length) {
    const isLong = (bytes[offset]! & 0x10) !== 0;
    const size = isLong ? (bytes[offset + 2]! << 8) | bytes[offset + 3]! : bytes[offset + 2]!;
    const start = offset + (isLong ? 4 : 3);
    values.set(bytes[offset + 1]!, bytes.subarray(start, start + size));
    offset = start + size;
  }
  const number = (code: number) => {
    const value = values.get(code);
    return value === undefined ? 0 : viewOf(value).getUint32(0);
  };
  const path = mergePaths(
    readSegments(values.get(2) ?? new Uint8Array(), fourOctetAs),
    readAs4Segments(values.get(17) ?? new Uint8Array(), options),
  );
  const nextHop = values.has(3) ? formatAddress(values.get(3)!) : '';
  const describe = (hop: string) =>
    [
      path.map(formatSegment).join(' '),
      origins[values.get(1)?.[0] ?? 2],
      hop,
      number(5),
      number(4),
      communities(values.get(8)),
      values.has(6) ? 'AG' : 'NAG',
      aggregator(values.get(7), values.get(18)),
      '',
    ].join('|');
  return { nextHop, describe, ...readMp(values.get(14), values.get(15)) };
}

function readMp(reach: Uint8Array | undefined, unreach: Uint8Array | undefined) {
  const mpUnreach: MpPart[] = [];
  if (unreach !== undefined) {
    const afi = (unreach[0]! << 8) | unreach[1]!;
    mpUnreach.push({ afi, safi: unreach[2]!, nextHop: '', nlri: unreach.subarray(3) });
  }
  if (reach === undefined) return { mpNextHop: undefined, mpReach: [], mpUnreach };
  if (reach[0] !== 0) {
    // abbreviated, as in a RIB entry
    const hop = reach.subarray(1, reach[0]! >= 16 ? 17 : 5);
    return { mpNextHop: formatAddress(hop), mpReach: [], mpUnreach };
  }
  const afi = (reach[0]! << 8) | reach[1]!;
  const size = reach[3]!;
  const nextHop = formatAddress(reach.subarray(4, 4 + Math.min(size, size >= 16 ? 16 : 4)));
  const part = { afi, safi: reach[2]!, nextHop, nlri: reach.subarray(5 + size) };
  return { mpNextHop: nextHop, mpReach: [part], mpUnreach };
}

function readSegments(value: Uint8Array, fourOctetAs: boolean): Segment[] {
  const view = viewOf(value);
  const size = fourOctetAs ? 4 : 2;
  const segments: Segment[] = [];
  let offset = 0;
  while (offset < value.length) {
    const asns: number[] = [];
    const count = value[offset + 1]!;
    for (let i = 0; i < count; i++) {
      const at = offset + 2 + i * size;
      asns.push(fourOctetAs ? view.getUint32(at) : view.getUint16(at));
    }
    segments.push({ type: value[offset]!, asns });
    offset += 2 + count * size;
  }
  return segments;
}

function readAs4Segments(value: Uint8Array, { as4Confed }: LineOptions): Segment[] {
  const segments = readSegments(value, true);
  const plain = segments.filter(({ type }) => type < 3);
  return as4Confed === 'ignore-path' && plain.length < segments.length ? [] : plain;
}

/** RFC 6793 §4.2.3: AS4_PATH replaces the end of AS_PATH that is as long. */
function mergePaths(path: Segment[], as4Path: Segment[]): Segment[] {
  let keep = hops(path) - hops(as4Path);
  if (as4Path.length === 0 || keep < 0) return path;
  const merged: Segment[] = [];
  for (const { type, asns } of path) {
    if (keep <= 0) break;
    const part = type === 2 ? asns.slice(0, keep) : asns;
    merged.push({ type, asns: part });
    keep -= type === 2 ? part.length : 1;
  }
  return [...merged, ...as4Path];
}

function hops(path: readonly Segment[]): number {
  return path.reduce((sum, { type, asns }) => sum + (type === 2 ? asns.length : 1), 0);
}

function formatSegment({ type, asns }: Segment): string {
  if (type === 1) return `{${asns.join(',')}}`;
  if (type === 3) return `(${asns.join(' ')})`;
  if (type === 4) return `[${asns.join(',')}]`;
  return asns.join(' ');
}

const namedCommunities: Record<number, string> = {
  4294967041: 'no-export',
  4294967042: 'no-advertise',
  4294967043: 'local-AS',
};

function communities(value: Uint8Array | undefined): string {
  const view = viewOf(value ?? new Uint8Array());
  const texts: string[] = [];
  for (let offset = 0; offset < view.byteLength; offset += 4) {
    const text = `${view.getUint16(offset)}:${view.getUint16(offset + 2)}`;
    texts.push(namedCommunities[view.getUint32(offset)] ?? text);
  }
  return texts.join(' ');
}

function aggregator(value: Uint8Array | undefined, as4: Uint8Array | undefined): string {
  const read = (bytes: Uint8Array) => {
    const view = viewOf(bytes);
    const asn = bytes.length === 8 ? view.getUint32(0) : view.getUint16(0);
    return { asn, text: `${asn} ${formatAddress(bytes.subarray(bytes.length - 4))}` };
  };
  if (value === undefined) return '';
  const { asn, text } = read(value);
  return asn === 23456 && as4 !== undefined ? read(as4).text : text;
}

/** Unlike RFC 5952, bgpdump shortens a single zero word too. */
function formatAddress(address: Uint8Array): string {
  if (address.length === 4) return address.join('.');
  const isMapped =
    address[10] === 0xff && address[11] === 0xff && !address.subarray(0, 10).some(Boolean);
  if (isMapped) return `::ffff:${address.subarray(12).join('.')}`;
  const words: number[] = [];
  for (let i = 0; i < 16; i += 2) words.push((address[i]! << 8) | address[i + 1]!);
  const text = words.map((word) => word.toString(16)).join(':');
  let longest = '';
  for (const [run] of text.matchAll(/\b0(?::0\b)*/g))
    if (run.length > longest.length) longest = run;
  if (longest === '') return text;
  const at = text.search(new RegExp(`\\b${longest}\\b`));
  const [head, tail] = [text.slice(0, at), text.slice(at + longest.length)];
  return `${head.replace(/:$/, '')}::${tail.replace(/^:/, '')}`;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
