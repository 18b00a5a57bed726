// Loads files into a route core: MRT (tables and updates) or text lines `prefix nexthop`, with a progress bar.
import { stat } from 'node:fs/promises';
import { asSequence } from '../bgp/attributes/as-path.ts';
import { encodeAnnouncement } from '../bgp/messages/update.ts';
import type { Aggregation } from '../core/fibs.ts';
import { compareIpAddresses } from '../net/ip-address.ts';
import type { Prefix } from '../net/prefix.ts';
import { readBytes } from '../sources/compression.ts';
import { readMrt } from '../sources/mrt.ts';
import type { MrtRecord } from '../sources/mrt-types.ts';
import { type PeerUpdate, updatesOf } from '../sources/mrt-updates.ts';
import { type PrefixLine, readPrefixes } from '../sources/prefixes.ts';
import { OfflineCore } from './offline-core.ts';
import { type Progress, startProgress } from './progress.ts';

/** Things of one kind that could not be used. */
export interface Trouble {
  readonly file: string;
  readonly what: string;
  /** Where and why, of the first. */
  readonly first: string;
  count: number;
}

export interface Loaded {
  readonly offline: OfflineCore;
  readonly recordCount: number;
  readonly troubles: readonly Trouble[];
  /** A file that could not be read to its end; what came before is loaded. */
  readonly failure: Error | undefined;
}

export interface LoadOptions {
  /** What the FIB of the tables is to be. */
  readonly aggregation?: Aggregation;
}

export interface MrtLoadOptions extends LoadOptions {
  readonly assumeAddPath?: boolean;
}

const STATE_ESTABLISHED = 6;

/** Tables and updates of all files, in their order. */
export async function loadMrt(
  files: readonly string[],
  options: MrtLoadOptions = {},
): Promise<Loaded> {
  const offline = await OfflineCore.create(options.aggregation);
  const troubles = new Troubles();
  let recordCount = 0;
  const failure = await readFiles(files, async (file, chunks) => {
    for await (const record of readMrt(chunks, options)) {
      recordCount++;
      takeRecord(offline, record, file, troubles);
    }
  });
  offline.finish();
  countBadUpdates(offline, files, troubles);
  return { offline, recordCount, troubles: troubles.list, failure };
}

function takeRecord(
  offline: OfflineCore,
  record: MrtRecord,
  file: string,
  troubles: Troubles,
): void {
  switch (record.kind) {
    case 'broken':
      troubles.add(
        file,
        'broken records',
        `${record.name} at byte ${record.offset}: ${record.reason}`,
      );
      return;
    case 'unknown':
      troubles.add(file, 'records of unknown types', `${record.name} at byte ${record.offset}`);
      return;
    case 'stateChange':
      if (record.oldState === STATE_ESTABLISHED) offline.close(record.peer);
      return;
    default:
      for (const update of updatesOf(record, ({ offset, reason }) =>
        troubles.add(file, 'entries without a use', `at byte ${offset}: ${reason}`),
      )) {
        offline.feed(update, update.seconds);
      }
  }
}

/** Text lines; all routes come from one iBGP peer, named `file`. */
export async function loadPrefixes(file: string, options: LoadOptions = {}): Promise<Loaded> {
  const offline = await OfflineCore.create(options.aggregation);
  const troubles = new Troubles();
  let recordCount = 0;
  let isNumbered = false;
  const failure = await readFiles([file], async (_, chunks) => {
    const onBadLine = ({ line, reason }: { line: number; reason: string }) =>
      troubles.add(file, 'lines that are no route', `line ${line}: ${reason}`);
    for await (const routes of readPrefixes(chunks, onBadLine)) {
      recordCount += routes.length;
      isNumbered ||= routes.some((route) => route.isNumbered);
      for (const message of announce(routes)) offline.feed({ ...filePeer, message }, 0);
    }
  });
  if (isNumbered) {
    process.stderr.write(
      'rutter: next hops are numbers in the file: N is shown as 100.64.0.0 + N or 100:: + N\n',
    );
  }
  offline.finish();
  return { offline, recordCount, troubles: troubles.list, failure };
}

const FILE_ASN = 64512; // RFC 6996: private use

const filePeer: Omit<PeerUpdate, 'message'> = {
  peer: { address: Uint8Array.of(192, 0, 2, 1), asn: FILE_ASN, routerId: 1 },
  localAsn: FILE_ASN,
  fourOctetAs: true,
  addPath: false,
  seconds: 0,
};

/** Neighbouring lines with one next hop share their UPDATEs. */
function* announce(routes: readonly PrefixLine[]): Generator<Uint8Array> {
  let start = 0;
  while (start < routes.length) {
    const { nextHop } = routes[start]!;
    const prefixes: Prefix[] = [];
    let end = start;
    while (end < routes.length && compareIpAddresses(routes[end]!.nextHop, nextHop) === 0) {
      prefixes.push(routes[end++]!.prefix);
    }
    const attributes = { origin: 'igp', asPath: asSequence([]), nextHop, localPref: 100 } as const;
    yield* encodeAnnouncement(prefixes, attributes, { fourOctetAs: true, maxMessageBytes: 4096 });
    start = end;
  }
}

/** Reads the files one after the other under one progress bar. The error that stopped it, or undefined. */
async function readFiles(
  files: readonly string[],
  read: (file: string, chunks: AsyncIterable<Uint8Array>) => Promise<void>,
): Promise<Error | undefined> {
  const progress = await startFilesProgress(files);
  try {
    for (const file of files) {
      await read(
        file,
        readBytes(file, (byteCount) => progress.advance(byteCount)),
      );
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return error;
  } finally {
    progress.stop();
  }
}

async function startFilesProgress(files: readonly string[]): Promise<Progress> {
  const sizes = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ size }) => size,
        () => undefined, // the reader says what is wrong with it
      ),
    ),
  );
  const total = sizes.reduce<number | undefined>(
    (sum, size) => (sum === undefined || size === undefined ? undefined : sum + size),
    0,
  );
  return startProgress('loading', total);
}

function countBadUpdates(offline: OfflineCore, files: readonly string[], troubles: Troubles): void {
  const { counts } = offline;
  const file = files.join(', ');
  const kinds: [number, string][] = [
    [counts.treatedAsWithdrawCount, 'malformed UPDATEs taken as withdrawals (RFC 7606)'],
    [counts.attributeDiscardCount, 'UPDATEs with a discarded attribute (RFC 7606)'],
    [counts.sessionResetCount, 'UPDATEs that would have closed the session'],
    [counts.ignoredFamilyCount, 'prefix lists of families that are not carried'],
    [counts.outOfMemoryCount, 'routes that did not fit into memory'],
  ];
  for (const [count, what] of kinds) if (count > 0) troubles.add(file, what, '', count);
}

class Troubles {
  readonly list: Trouble[] = [];

  add(file: string, what: string, first: string, count = 1): void {
    const known = this.list.find((trouble) => trouble.file === file && trouble.what === what);
    if (known !== undefined) known.count += count;
    else this.list.push({ file, what, first, count });
  }
}

/** One line per kind of trouble on stderr. */
export function reportTroubles(troubles: readonly Trouble[]): void {
  for (const { file, count, what, first } of troubles) {
    const example = first === '' ? '' : `, the first ${first}`;
    process.stderr.write(`rutter: ${file}: ${count} ${what}${example}\n`);
  }
}
