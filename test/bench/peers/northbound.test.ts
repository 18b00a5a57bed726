// Cutting a JSON-RPC stream into documents.
import { describe, expect, it } from 'vitest';
import { documentSplitter } from '../../../bench/peers/northbound.ts';

const documents = ['{"a":[1,{"b":"}]"}]}', '{"s":"\\"{"}', '[]', '{"ü":"\\\\"}'];

describe('documentSplitter', () => {
  it.each([1, 2, 3, 7, 1000])('finds the documents in chunks of %i bytes', (size) => {
    const bytes = Buffer.from(documents.join(''));
    const seen: string[] = [];
    const take = documentSplitter((text) => seen.push(text));
    for (let start = 0; start < bytes.length; start += size) {
      take(bytes.subarray(start, start + size));
    }
    expect(seen).toEqual(documents);
  });
});
