// `rutter decode`: BGP messages, TCP streams of them, BMP and MRT → JSON. What the bytes say comes from the readers for people
// (src/bgp, src/sources); what a session would do about a malformed UPDATE is the core's verdict (RFC 7606).
//
// What can be read is printed, whatever follows. Anything that cannot ends in one error line and exit code 1.
import { stat } from 'node:fs/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { isAddressFamilyName } from '../bgp/iana.ts';
import { parseHex } from '../net/hex.ts';
import { readBytes } from '../sources/compression.ts';
import { type DecodeOptions, decodeRecords, type InputKind } from './decode-records.ts';
import { printList } from './output.ts';
import { startProgress } from './progress.ts';
import { updateJudge } from './update-judge.ts';

interface DecodeFlags {
  readonly hex?: Uint8Array;
  readonly output: 'json' | 'jsonl';
  readonly kind?: InputKind;
  readonly twoOctetAs?: true;
  readonly addPath?: readonly string[];
  readonly ibgp?: true;
}

/** The core only judges here; it keeps no route. */
const CORE_BYTES = 64 << 20;

export function decodeCommand(): Command {
  return new Command('decode')
    .description('BGP messages, MRT and BMP as JSON')
    .argument('[file]', 'plain, gz, bz2 or xz; standard input without a name')
    .option('--hex <bytes>', 'the bytes themselves in hex, instead of a file', parseHexFlag)
    .addOption(
      new Option('-o, --output <format>', 'how to print')
        .choices(['json', 'jsonl'])
        .default('json'),
    )
    .addOption(
      new Option('--kind <kind>', 'what the input is, when its first bytes do not tell').choices([
        'bgp',
        'bmp',
        'mrt',
        'stream',
      ]),
    )
    .option('--two-octet-as', 'AS_PATH has 2-octet AS numbers (BGP input)')
    .option(
      '--add-path <families>',
      'families whose prefixes carry path identifiers, comma-separated or one by one',
      parseFamilies,
    )
    .option('--ibgp', 'judge UPDATEs as from an internal peer')
    .action(runDecode);
}

async function runDecode(file: string | undefined, flags: DecodeFlags): Promise<void> {
  if (file !== undefined && flags.hex !== undefined) {
    throw new InvalidArgumentError('a file and --hex were given, expected one of them');
  }
  const { loadCore } = await import('../core/core.ts'); // no other command pays for it
  const core = await loadCore({ maximumBytes: CORE_BYTES });
  const options: DecodeOptions = {
    kind: flags.kind,
    fourOctetAs: !flags.twoOctetAs,
    addPath: flags.addPath && new Set(flags.addPath),
  };
  const size = file === undefined || file === '-' ? undefined : (await stat(file)).size;
  const progress = startProgress('decoding', size);
  const chunks =
    flags.hex === undefined
      ? readBytes(file ?? '-', (byteCount) => progress.advance(byteCount))
      : oneChunk(flags.hex);
  try {
    const judge = updateJudge(core, flags.ibgp ? 'ibgp' : 'ebgp');
    await printWhole(decodeRecords(chunks, options, judge), flags.output);
  } finally {
    progress.stop();
  }
}

/** The output is ended properly before an error of the input goes on. */
async function printWhole(records: AsyncIterable<object>, format: 'json' | 'jsonl'): Promise<void> {
  const failures: unknown[] = [];
  async function* untilFailure(): AsyncGenerator<object, void, undefined> {
    try {
      yield* records;
    } catch (error) {
      failures.push(error);
    }
  }
  await printList(untilFailure(), { columns: [], fields: [] }, format);
  if (failures.length > 0) throw failures[0];
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

function parseFamilies(text: string, previous: readonly string[] = []): readonly string[] {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !isAddressFamilyName(name));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(
      `${unknown} is no address family, expected such as ipv4-unicast`,
    );
  }
  return [...previous, ...names];
}

function parseHexFlag(text: string): Uint8Array {
  const bytes = parseHex(text);
  if (bytes === undefined || bytes.length === 0) {
    throw new InvalidArgumentError('expected pairs of hexadecimal digits');
  }
  return bytes;
}
