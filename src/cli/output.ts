// Prints lists and single objects in the format asked for. Table, JSON and CSV come from the same objects.
//
// Everything streams: a list may be of any length, and takes the memory of a screenful.
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import { Option } from 'commander';

export const outputFormats = ['table', 'json', 'jsonl', 'csv'] as const;
export type OutputFormat = (typeof outputFormats)[number];

/** `-o table|json|jsonl|csv`. */
export function outputOption(): Option {
  return new Option('-o, --output <format>', 'how to print')
    .choices(outputFormats)
    .default('table');
}

/** How a kind of object is shown. */
export interface Listing<Item> {
  readonly columns: readonly Column<Item>[];
  /** Fields of a CSV line, by their JSON names. */
  readonly fields: readonly (keyof Item & string)[];
}

export interface Column<Item> {
  readonly heading: string;
  readonly text: (item: Item) => string;
  readonly align?: 'right';
}

type Items<Item> = AsyncIterable<Item> | Iterable<Item>;

/** Prints every item and returns how many there were. Ends early, without an error, when the reader (`| head`) has left. */
export async function printList<Item extends object>(
  items: Items<Item>,
  listing: Listing<Item>,
  format: OutputFormat,
  stream: Writable = process.stdout,
): Promise<number> {
  const out = new TextOutput(stream);
  let count = 0;
  const lines = listFormats[format](
    counted(items, () => count++),
    listing,
    stream,
  );
  for await (const text of lines) {
    if (!(await out.write(text))) break;
  }
  await out.end();
  return count;
}

/** Prints one object: its fields one below the other, or as JSON. */
export async function printObject(
  object: object,
  format: OutputFormat,
  stream: Writable = process.stdout,
): Promise<void> {
  const out = new TextOutput(stream);
  await out.write(formatObject(object, format));
  await out.end();
}

function formatObject(object: object, format: OutputFormat): string {
  const entries = Object.entries(object);
  switch (format) {
    case 'json':
      return `${JSON.stringify(object, undefined, 2)}\n`;
    case 'jsonl':
      return `${JSON.stringify(object)}\n`;
    case 'csv':
      return `${csvLine(entries.map(([field]) => field))}${csvLine(entries.map(([, value]) => flatText(value)))}`;
    case 'table': {
      const width = Math.max(0, ...entries.map(([field]) => field.length));
      return entries
        .map(([field, value]) => `${field.padEnd(width)}  ${flatText(value)}\n`)
        .join('');
    }
  }
}

async function* counted<Item>(items: Items<Item>, count: () => void): AsyncGenerator<Item> {
  for await (const item of items) {
    count();
    yield item;
  }
}

type Format = <Item extends object>(
  items: AsyncIterable<Item>,
  listing: Listing<Item>,
  stream: Writable,
) => AsyncIterable<string>;

const listFormats: Readonly<Record<OutputFormat, Format>> = {
  table: tableLines,
  json: jsonArray,
  jsonl: jsonLines,
  csv: csvLines,
};

async function* jsonLines(items: AsyncIterable<object>): AsyncGenerator<string> {
  for await (const item of items) yield `${JSON.stringify(item)}\n`;
}

/** One item per line inside an array: for a parser, for `grep` and for people. */
async function* jsonArray(items: AsyncIterable<object>): AsyncGenerator<string> {
  let separator = '[\n';
  for await (const item of items) {
    yield `${separator}${JSON.stringify(item)}`;
    separator = ',\n';
  }
  yield separator === '[\n' ? '[]\n' : '\n]\n';
}

/** RFC 4180, with plain line feeds. */
async function* csvLines<Item extends object>(
  items: AsyncIterable<Item>,
  { fields }: Listing<Item>,
): AsyncGenerator<string> {
  yield csvLine(fields);
  for await (const item of items) yield csvLine(fields.map((field) => flatText(item[field])));
}

function csvLine(values: readonly string[]): string {
  return `${values.map((value) => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)).join(',')}\n`;
}

/** A value in one cell: lists with spaces, maps as `key=value`. */
export function flatText(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value)) return value.map(flatText).join(' ');
  if (typeof value !== 'object') return String(value);
  return Object.entries(value)
    .map(([key, inner]) => `${key}=${flatText(inner)}`)
    .join(' ');
}

/** Column widths are those of the first screenful; what comes later and is wider pushes its line. */
async function* tableLines<Item extends object>(
  items: AsyncIterable<Item>,
  { columns }: Listing<Item>,
  stream: Writable,
): AsyncGenerator<string> {
  const screenful = 'rows' in stream ? Math.max(10, Number(stream.rows) - 2) : 200;
  let held: string[][] | undefined = [];
  let widths: number[] = [];
  const open = (rows: string[][]) => {
    widths = columns.map(({ heading }, index) =>
      Math.max(heading.length, ...rows.map((row) => row[index]!.length)),
    );
    const heading = tableLine(
      columns.map((column) => column.heading),
      columns,
      widths,
    );
    const lines = rows.map((row) => tableLine(row, columns, widths));
    return `${styled('bold', heading.trimEnd(), stream)}\n${lines.join('')}`;
  };
  for await (const item of items) {
    const row = columns.map(({ text }) => text(item));
    if (held === undefined) {
      yield tableLine(row, columns, widths);
      continue;
    }
    held.push(row);
    if (held.length < screenful) continue;
    yield open(held);
    held = undefined;
  }
  if (held !== undefined && held.length > 0) yield open(held);
}

function tableLine(
  cells: readonly string[],
  columns: readonly Column<never>[],
  widths: readonly number[],
): string {
  const padded = cells.map((cell, index) =>
    columns[index]!.align === 'right' ? cell.padStart(widths[index]!) : cell.padEnd(widths[index]!),
  );
  return `${padded.join('  ').trimEnd()}\n`;
}

/** Styled on a terminal that takes colours and where NO_COLOR does not say otherwise. */
export function styled(
  style: 'bold' | 'green' | 'red' | 'yellow' | 'dim',
  text: string,
  stream: Writable,
): string {
  const takesColours = 'hasColors' in stream && (stream as NodeJS.WriteStream).hasColors();
  if (!takesColours || process.env['NO_COLOR']) return text;
  return styleText(style, text, { validateStream: false });
}

const WRITE_SIZE = 1 << 16;

/** Collects text into large writes, waits where the reader is slow, and notices that it has left. */
class TextOutput {
  readonly #stream: Writable;
  #pending = '';
  #isClosed = false;
  #failure: Error | undefined;
  readonly #onError = (error: NodeJS.ErrnoException) => {
    this.#isClosed = true;
    if (error.code !== 'EPIPE') this.#failure = error;
  };

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on('error', this.#onError);
  }

  /** False when nobody reads any more. */
  async write(text: string): Promise<boolean> {
    this.#pending += text;
    if (this.#pending.length >= WRITE_SIZE) await this.#flush();
    return !this.#isClosed;
  }

  async end(): Promise<void> {
    await this.#flush();
    // An error of the last write arrives a turn later.
    await new Promise((resolve) => setImmediate(resolve));
    // The listener stays where the reader has left: an error without one would end the process.
    if (!this.#isClosed) this.#stream.off('error', this.#onError);
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #flush(): Promise<void> {
    const text = this.#pending;
    this.#pending = '';
    if (text === '' || this.#isClosed || this.#stream.destroyed) return;
    if (this.#stream.write(text)) return;
    const left = new AbortController();
    try {
      await Promise.race([
        once(this.#stream, 'drain', { signal: left.signal }),
        once(this.#stream, 'close', { signal: left.signal }),
      ]);
    } catch (error) {
      // once() rejects with the stream's own error, which #onError has judged.
      if (!this.#isClosed) throw error;
    } finally {
      left.abort();
    }
  }
}
