// Lists and objects in every format; readers that are slow or leave.
import { PassThrough, Writable } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  type Listing,
  type OutputFormat,
  printList,
  printObject,
  styled,
} from '../../src/cli/output.ts';

interface Animal {
  readonly name: string;
  readonly legs: number;
  readonly friends?: readonly string[];
}

const animals: Animal[] = [
  { name: 'cat', legs: 4, friends: ['dog', 'mouse'] },
  { name: 'hen, brown', legs: 2 },
];

const listing: Listing<Animal> = {
  columns: [
    { heading: 'Name', text: ({ name }) => name },
    { heading: 'Legs', text: ({ legs }) => String(legs), align: 'right' },
  ],
  fields: ['name', 'legs', 'friends'],
};

async function print(items: Iterable<Animal>, format: OutputFormat): Promise<string> {
  const stream = new PassThrough();
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await printList(items, listing, format, stream);
  return Buffer.concat(chunks).toString();
}

afterEach(() => vi.unstubAllEnvs());

describe('a list', () => {
  it.each<[OutputFormat, string]>([
    ['table', 'Name        Legs\ncat            4\nhen, brown     2\n'],
    [
      'jsonl',
      '{"name":"cat","legs":4,"friends":["dog","mouse"]}\n{"name":"hen, brown","legs":2}\n',
    ],
    ['csv', 'name,legs,friends\ncat,4,dog mouse\n"hen, brown",2,\n'],
  ])('as %s', async (format, text) => {
    expect(await print(animals, format)).toBe(text);
  });

  it('as json is one array', async () => {
    expect(JSON.parse(await print(animals, 'json'))).toEqual(animals);
    expect(await print([], 'json')).toBe('[]\n');
  });

  it('that is empty has no table, and a CSV heading', async () => {
    expect(await print([], 'table')).toBe('');
    expect(await print([], 'csv')).toBe('name,legs,friends\n');
  });

  it('keeps the columns of the first screenful', async () => {
    const many = Array.from({ length: 300 }, (_, legs) => ({
      name: legs < 200 ? 'a' : 'longer',
      legs,
    }));
    const lines = (await print(many, 'table')).split('\n');
    expect(lines[0]).toBe('Name  Legs');
    expect(lines[1]).toBe('a        0');
    expect(lines[300]).toBe('longer   299');
  });

  it('waits for a slow reader instead of filling memory', async () => {
    let written = 0;
    let produced = 0;
    let ahead = 0;
    const slow = new Writable({
      highWaterMark: 1024,
      write(chunk: Buffer, _encoding, done) {
        written += chunk.toString().split('\n').length - 1;
        ahead = Math.max(ahead, produced - written);
        setImmediate(done);
      },
    });
    function* endless() {
      for (; produced < 100_000; produced++) yield animals[0]!;
    }
    expect(await printList(endless(), listing, 'jsonl', slow)).toBe(100_000);
    expect(written).toBe(100_000);
    expect(ahead).toBeLessThan(5000);
  });

  it('ends without an error when its reader leaves', async () => {
    let produced = 0;
    let isReturned = false;
    function* endless() {
      try {
        for (;;) {
          produced++;
          yield animals[0]!;
        }
      } finally {
        isReturned = true;
      }
    }
    const leaving = new Writable({
      write: (_chunk, _encoding, done) =>
        done(Object.assign(new Error('EPIPE'), { code: 'EPIPE' })),
    });
    await printList(endless(), listing, 'jsonl', leaving);
    expect(isReturned).toBe(true);
    expect(produced).toBeLessThan(10_000);
  });

  it('says when it cannot be written', async () => {
    const full = new Writable({
      write: (_chunk, _encoding, done) =>
        done(Object.assign(new Error('no space'), { code: 'ENOSPC' })),
    });
    await expect(printList(animals, listing, 'jsonl', full)).rejects.toThrow('no space');
  });
});

it.each<[OutputFormat, string]>([
  ['table', 'name     cat\nlegs     4\nfriends  dog mouse\n'],
  ['jsonl', '{"name":"cat","legs":4,"friends":["dog","mouse"]}\n'],
  ['csv', 'name,legs,friends\ncat,4,dog mouse\n'],
])('an object as %s', async (format, text) => {
  const stream = new PassThrough();
  await printObject(animals[0]!, format, stream);
  expect(String(stream.read())).toBe(text);
});

describe('colours', () => {
  const terminal = Object.assign(new PassThrough(), { hasColors: () => true });

  it('are for terminals', () => {
    vi.stubEnv('NO_COLOR', '');
    expect(styled('bold', 'x', terminal)).not.toBe('x');
    expect(styled('bold', 'x', new PassThrough())).toBe('x');
  });

  it('are off with NO_COLOR', () => {
    vi.stubEnv('NO_COLOR', '1');
    expect(styled('bold', 'x', terminal)).toBe('x');
  });
});
