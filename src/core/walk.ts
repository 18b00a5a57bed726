// Walks through the core's tables: which part of a table, page by page.
import {
  MATCH_ALL,
  MATCH_COVERING,
  MATCH_EXACT,
  MATCH_LONGER,
  MATCH_LONGEST,
  PAGE_CURSOR,
  PAGE_MATCH,
  RESULT_NEXT_BITS,
} from '../../assembly/abi.ts';
import type { Prefix } from '../net/prefix.ts';
import type { Border } from './border.ts';
import { keySize } from './stored-key.ts';

/** Which part of a table: everything, or relative to a prefix. */
export type PrefixMatch =
  | { readonly kind: 'all' }
  | { readonly kind: 'exact' | 'longer' | 'covering' | 'longest'; readonly prefix: Prefix };

/** Where a walk goes on. Opaque; undefined at the start and at the end. Survives any change of the table. */
export interface WalkCursor {
  readonly key: Uint8Array;
  readonly bits: number;
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly next: WalkCursor | undefined;
}

const matches = {
  all: MATCH_ALL,
  exact: MATCH_EXACT,
  longer: MATCH_LONGER,
  covering: MATCH_COVERING,
  longest: MATCH_LONGEST,
};

/** The match as the core's calls take it; its prefix is in the input buffer from then on. */
export function writeMatch(
  border: Border,
  match: PrefixMatch,
): { readonly kind: number; readonly bits: number } {
  const kind = matches[match.kind];
  if (match.kind === 'all') return { kind, bits: 0 };
  writePrefix(border, match.prefix, PAGE_MATCH);
  return { kind, bits: match.prefix.length };
}

export function writePrefix(border: Border, prefix: Prefix, at: number): void {
  writeKey(border, prefix.address, prefix.length, at);
}

/** Its length in bits, −1 for a walk that begins. */
export function writeCursor(border: Border, cursor: WalkCursor | undefined): number {
  if (!cursor) return -1;
  writeKey(border, cursor.key, cursor.bits, PAGE_CURSOR);
  return cursor.bits;
}

export function readCursor(border: Border): WalkCursor | undefined {
  const bits = border.signedField(RESULT_NEXT_BITS);
  if (bits < 0) return undefined;
  return { key: border.copyInput(PAGE_CURSOR, keySize(bits)), bits };
}

function writeKey(border: Border, key: Uint8Array, bits: number, at: number): void {
  const padded = new Uint8Array(keySize(bits));
  padded.set(key.subarray(0, padded.length));
  border.write(padded, at);
}
