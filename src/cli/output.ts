// Prints lists and single objects in the format asked for. Table, JSON and CSV come from the same objects.
//
// Everything streams: a list may be of any length, and takes the memory of a screenful.
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import { Option } from 'commander';

const outputFormats = ['table', 'json', 'jsonl', 'csv'] as const;
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

/** Prints every item and returns how many there were. Ends early, without an error, when the reader (`| head`) has left. */
export async function printList<Item extends object>(
  items: AsyncIterable<Item> | Iterable<Item>,
  listing: Listing<Item>,
  format: OutputFormat,
  stream: Writable = process.stdout,
): Promise<number> {
  const out = new TextOutput(stream);
  const formatter = formatters[format](listing, stream);
  let count = 0;
  // Two loops: a turn of the event loop per item would cost more than its text.
  if (Symbol.iterator in items) {
    for (const item of items) {
      count++;
      out.add(formatter.item(item));
      if (out.isFull && !(await out.flush())) break;
    }
  } else {
    for await (const item of items) {
      count++;
      out.add(formatter.item(item));
      if (out.isFull && !(await out.flush())) break;
    }
  }
  out.add(formatter.end());
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
  out.add(formatObject(object, format));
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

/** Makes text of items one by one; may hold some back. */
interface Formatter<Item> {
  item(item: Item): string;
  end(): string;
}

type MakeFormatter = <Item extends object>(
  listing: Listing<Item>,
  stream: Writable,
) => Formatter<Item>;

const formatters: Readonly<Record<OutputFormat, MakeFormatter>> = {
  table: (listing, stream) => new TableFormatter(listing.columns, stream),
  json: jsonArray,
  jsonl: () => ({ item: (item) => `${JSON.stringify(item)}\n`, end: () => '' }),
  csv: csvLines,
};

/** One item per line inside an array: for a parser, for `grep` and for people. */
function jsonArray(): Formatter<object> {
  let separator = '[\n';
  return {
    item: (item) => {
      const text = `${separator}${JSON.stringify(item)}`;
      separator = ',\n';
      return text;
    },
    end: () => (separator === '[\n' ? '[]\n' : '\n]\n'),
  };
}

/** RFC 4180, with plain line feeds. */
function csvLines<Item extends object>({ fields }: Listing<Item>): Formatter<Item> {
  let heading = csvLine(fields);
  const takeHeading = () => {
    const text = heading;
    heading = '';
    return text;
  };
  return {
    item: (item) => takeHeading() + csvLine(fields.map((field) => flatText(item[field]))),
    end: takeHeading,
  };
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
class TableFormatter<Item> implements Formatter<Item> {
  readonly #columns: readonly Column<Item>[];
  readonly #stream: Writable;
  readonly #screenful: number;
  #held: string[][] = [];
  #widths: readonly number[] | undefined;

  constructor(columns: readonly Column<Item>[], stream: Writable) {
    this.#columns = columns;
    this.#stream = stream;
    this.#screenful = 'rows' in stream ? Math.max(10, Number(stream.rows) - 2) : 200;
  }

  item(item: Item): string {
    const row = this.#columns.map(({ text }) => text(item));
    if (this.#widths !== undefined) return this.#line(row, this.#widths);
    this.#held.push(row);
    return this.#held.length < this.#screenful ? '' : this.#open();
  }

  end(): string {
    return this.#widths === undefined && this.#held.length > 0 ? this.#open() : '';
  }

  /** The heading and the rows held so far. */
  #open(): string {
    const widths = this.#columns.map(({ heading }, index) =>
      Math.max(heading.length, ...this.#held.map((row) => row[index]!.length)),
    );
    const headings = this.#columns.map(({ heading }) => heading);
    const heading = styled('bold', this.#line(headings, widths).trimEnd(), this.#stream);
    const lines = this.#held.map((row) => this.#line(row, widths));
    this.#widths = widths;
    this.#held = [];
    return `${heading}\n${lines.join('')}`;
  }

  #line(cells: readonly string[], widths: readonly number[]): string {
    const padded = cells.map((cell, index) =>
      this.#columns[index]!.align === 'right'
        ? cell.padStart(widths[index]!)
        : cell.padEnd(widths[index]!),
    );
    return `${padded.join('  ').trimEnd()}\n`;
  }
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

  add(text: string): void {
    this.#pending += text;
  }

  get isFull(): boolean {
    return this.#pending.length >= WRITE_SIZE;
  }

  async end(): Promise<void> {
    await this.flush();
    // An error of the last write arrives a turn later.
    await new Promise((resolve) => setImmediate(resolve));
    // The listener stays where the reader has left: an error without one would end the process.
    if (!this.#isClosed) this.#stream.off('error', this.#onError);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** False when nobody reads any more. */
  async flush(): Promise<boolean> {
    const text = this.#pending;
    this.#pending = '';
    if (text !== '' && !this.#isClosed && !this.#stream.write(text)) await this.#drained();
    return !this.#isClosed;
  }

  async #drained(): Promise<void> {
    const left = new AbortController();
    const { signal } = left;
    try {
      await Promise.race([
        once(this.#stream, 'drain', { signal }),
        once(this.#stream, 'close', { signal }),
      ]);
    } catch (error) {
      // once() rejects with the stream's own error, which #onError has judged.
      if (!this.#isClosed) throw error;
    } finally {
      left.abort();
    }
  }
}
