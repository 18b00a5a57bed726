// Real MRT files against what EXPECTED.json says of them, and against bgpdump line by line.
//
// RUTTER_DATA names a directory of the form of ../shared/data; how far a file is demanded is its `oracle` (see the README there).
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CompressionError, readBytes } from '../../src/sources/compression.ts';
import { readMrt } from '../../src/sources/mrt.ts';
import { MrtError, type MrtRecord, mrtTypeName } from '../../src/sources/mrt-types.ts';
import { updatesOf } from '../../src/sources/mrt-updates.ts';
import { bgpdumpLines } from './bgpdump-lines.ts';

interface Expected {
  readonly uncompressed_bytes: number;
  readonly records: number;
  readonly record_types: Record<string, number>;
  readonly bgp_messages: Record<string, number>;
  readonly rib_entries: number;
  readonly rib_prefixes: number;
  readonly peers_in_index: number;
  readonly trailing_bytes: number;
  readonly bgpdump_m: {
    readonly lines_by_kind: Record<string, number>;
    readonly sha256_of_output: string;
  };
  readonly oracle: 'exact' | 'suite' | 'counts' | 'none';
  readonly suite_expect?: { readonly extended_state_changes?: StateChange[] };
}

/** Peer address, AS number, old state, new state, seconds. */
type StateChange = [string, number, string, string, number];

const data = resolve(process.env['RUTTER_DATA'] ?? '../shared/data');
const index = `${data}/mrt/EXPECTED.json`;
const files: [string, Expected][] = existsSync(index)
  ? Object.entries(JSON.parse(readFileSync(index, 'utf8')))
  : [];
const withOracle = (...oracles: string[]) =>
  files.filter(([, { oracle }]) => oracles.includes(oracle));

interface Summary {
  readonly types: Record<string, number>;
  readonly messages: Record<string, number>;
  readonly linesByKind: Record<string, number>;
  readonly stateChanges: StateChange[];
  readonly linesSha256: string;
  recordCount: number;
  ribEntryCount: number;
  ribPrefixes: Set<string>;
  peerCount: number;
  updateCount: number;
  problems: string[];
  error: unknown;
}

const messageNames = ['', 'open', 'update', 'notification', 'keepalive', 'route-refresh'];
const stateNames = [
  '',
  'Idle(1)',
  'Connect(2)',
  'Active(3)',
  'OpenSent(4)',
  'OpenConfirm(5)',
  'Established(6)',
  'Clearing(7)',
  'Deleted(8)',
];

/** Reads a file once and counts everything in it. */
async function summarize(path: string): Promise<Summary> {
  const hash = createHash('sha256');
  const summary = {
    types: {} as Record<string, number>,
    messages: {} as Record<string, number>,
    linesByKind: {} as Record<string, number>,
    stateChanges: [] as StateChange[],
    linesSha256: '',
    recordCount: 0,
    ribEntryCount: 0,
    ribPrefixes: new Set<string>(),
    peerCount: 0,
    updateCount: 0,
    problems: [] as string[],
    error: undefined as unknown,
  };
  const print = (record: MrtRecord) => {
    for (const line of bgpdumpLines(record)) {
      count(summary.linesByKind, line.split('|')[2]!);
      hash.update(`${line}\n`);
    }
  };
  try {
    for await (const record of readMrt(readBytes(path))) {
      summary.recordCount++;
      countRecord(summary, record);
      for (const _ of updatesOf(record, ({ reason }) => summary.problems.push(reason))) {
        summary.updateCount++;
      }
      printSafely(print, record);
    }
  } catch (error) {
    summary.error = error;
  }
  return { ...summary, linesSha256: hash.digest('hex') };
}

/** NLRI with unmarked path identifiers cannot be printed; reading them must not fail. */
function printSafely(print: (record: MrtRecord) => void, record: MrtRecord): void {
  try {
    print(record);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
}

function countRecord(summary: Summary, record: MrtRecord): void {
  count(summary.types, mrtTypeName(record.mrtType, record.subtype));
  switch (record.kind) {
    case 'peerIndexTable':
      summary.peerCount = Math.max(summary.peerCount, record.peers.length);
      break;
    case 'rib':
      if (record.safi > 2 || record.afi > 2) break;
      summary.ribEntryCount += record.entries.length;
      summary.ribPrefixes.add(`${record.afi} ${Buffer.from(record.nlri).toString('hex')}`);
      break;
    case 'message':
      count(summary.messages, messageNames[record.message[18]!]!);
      break;
    case 'stateChange':
      if (record.oldState > 6 || record.newState > 6)
        summary.stateChanges.push(stateChange(record));
      break;
    default:
      summary.problems.push(record.kind === 'broken' ? record.reason : record.name);
  }
}

function stateChange(record: MrtRecord & { kind: 'stateChange' }): StateChange {
  const [line] = bgpdumpLines(record);
  const { peer, oldState, newState, timestamp } = record;
  return [
    line!.split('|')[3]!,
    peer.asn,
    stateNames[oldState]!,
    stateNames[newState]!,
    timestamp / 1e6,
  ];
}

function count(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}

describe.skipIf(files.length === 0)(`MRT files of ${data}`, () => {
  it.each(withOracle('exact'))('reads %s exactly', async (name, expected) => {
    const summary = await summarize(`${data}/${name}`);
    expect(summary.error).toBeUndefined();
    expect(summary.recordCount).toBe(expected.records);
    expect(summary.types).toEqual(expected.record_types);
    expect(summary.messages).toEqual(expected.bgp_messages);
    expect(summary.ribEntryCount).toBe(expected.rib_entries);
    expect(summary.ribPrefixes.size).toBe(expected.rib_prefixes);
    expect(summary.peerCount).toBe(expected.peers_in_index);
    expect(summary.linesByKind).toEqual(expected.bgpdump_m.lines_by_kind);
    expect(summary.linesSha256).toBe(expected.bgpdump_m.sha256_of_output);
    if (expected.suite_expect?.extended_state_changes) {
      expect(summary.stateChanges).toEqual(expected.suite_expect.extended_state_changes);
    }
  });

  // bgpdump leaves a column out for the old type, so its lines are counted, not compared.
  it.each(withOracle('suite'))('recovers all of %s', async (name, expected) => {
    const summary = await summarize(`${data}/${name}`);
    expect(summary.error).toBeUndefined();
    expect(summary.recordCount).toBe(expected.records);
    expect(summary.types).toEqual(expected.record_types);
    expect(summary.linesByKind).toEqual(expected.bgpdump_m.lines_by_kind);
  });

  it.each(withOracle('counts'))(
    'reads %s up to the cut and reports the rest',
    async (name, expected) => {
      const summary = await summarize(`${data}/${name}`);
      expect(summary.recordCount).toBe(expected.records);
      expect(summary.types).toEqual(expected.record_types);
      expect(summary.linesSha256).toBe(expected.bgpdump_m.sha256_of_output);
      expect(summary.error).toBeInstanceOf(MrtError);
      const error = summary.error as MrtError;
      expect(error.code).toBe('truncated');
      expect(error.offset).toBe(expected.uncompressed_bytes - expected.trailing_bytes);
      expect(error.message).toContain(`${expected.trailing_bytes} of`);
      if (!name.endsWith('.mrt')) expect(error.cause).toBeInstanceOf(CompressionError);
    },
  );

  it.each(withOracle('none'))('reads what is sound of %s', async (name, expected) => {
    const summary = await summarize(`${data}/${name}`);
    expect(summary.error).toBeUndefined();
    expect(summary.recordCount).toBe(expected.records);
    expect(summary.types).toEqual(expected.record_types);
    // Every path is an UPDATE or is reported with its reason.
    const paths = summary.updateCount + summary.problems.length;
    expect(paths).toBeGreaterThanOrEqual(expected.rib_entries + (summary.messages['update'] ?? 0));
  });
});
