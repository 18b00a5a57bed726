// Prefixes that wait for room on a full router, in the order in which they get it. Pure.
//
// The order is total: shorter prefixes first (a covering route before its more-specifics), of equal length IPv4 before IPv6, then by
// address. Who needs more rows than there is room for is passed over: the room goes to the next who fits.
//
// A full table may be waiting here, and room may come one row at a time. So there is one heap per number of rows, and a prefix that
// is taken off the list stays in its heap until it comes up there.
import { formatPrefix, type Prefix, parsePrefix } from '../../net/prefix.ts';

/** A heap is not made anew for fewer than this. */
const SLACK = 1000;

export class WaitingList {
  /** Rank → rows. */
  readonly #waiting = new Map<string, number>();
  /** Rows → ranks, the first on top. */
  readonly #heaps = new Map<number, RankHeap>();

  get size(): number {
    return this.#waiting.size;
  }

  /** Places that are kept, of prefixes that wait and that are off the list. */
  get kept(): number {
    return [...this.#heaps.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** `rows`: how many rows the prefix lacks. */
  add(prefix: string, rows: number): void {
    const rank = rankOf(parsePrefix(prefix)!);
    if (this.#waiting.get(rank) === rows) return;
    const heap = this.#heap(rows);
    this.#waiting.set(rank, rows);
    heap.push(rank);
  }

  delete(prefix: string): void {
    if (this.#waiting.size > 0) this.#waiting.delete(rankOf(parsePrefix(prefix)!));
  }

  /** Takes those whose turn it is, with the rows they lack, until `room` rows are given away. */
  take(room: number): { prefix: string; rows: number }[] {
    const taken: { prefix: string; rows: number }[] = [];
    let left = room;
    for (let rows = this.#widthOfFirst(left); rows !== undefined; rows = this.#widthOfFirst(left)) {
      const rank = this.#heaps.get(rows)!.pop();
      this.#waiting.delete(rank);
      taken.push({ prefix: formatPrefix(prefixOf(rank)), rows });
      left -= rows;
    }
    return taken;
  }

  /** One that is mostly prefixes taken off the list is made anew. */
  #heap(rows: number): RankHeap {
    const heap = this.#heaps.get(rows);
    if (heap && heap.size <= 2 * this.#waiting.size + SLACK) return heap;
    const made = new RankHeap();
    if (heap) for (const [rank, lacks] of this.#waiting) if (lacks === rows) made.push(rank);
    this.#heaps.set(rows, made);
    return made;
  }

  /** How many rows the first one lacks who fits into `room`. */
  #widthOfFirst(room: number): number | undefined {
    let first: { readonly rank: string; readonly rows: number } | undefined;
    for (const [rows, heap] of this.#heaps) {
      while (heap.top !== undefined && this.#waiting.get(heap.top) !== rows) heap.pop();
      const rank = heap.top;
      if (rank === undefined) this.#heaps.delete(rows);
      else if (rows <= room && (!first || rank < first.rank)) first = { rank, rows };
    }
    return first?.rows;
  }
}

/** The order of two prefixes that want the same room: see above. */
export function compareRanks(a: string, b: string): number {
  const [rankA, rankB] = [rankOf(parsePrefix(a)!), rankOf(parsePrefix(b)!)];
  return rankA < rankB ? -1 : Number(rankA > rankB);
}

// Rank: a string with one character for the length, then the address byte by byte. Longer strings (IPv6) need no mark of their own: the second
// character is the number of bytes.
function rankOf({ address, length }: Prefix): string {
  return String.fromCharCode(length, address.length, ...address);
}

function prefixOf(rank: string): Prefix {
  const address = Uint8Array.from(rank.slice(2), (character) => character.charCodeAt(0));
  return { address, length: rank.charCodeAt(0) };
}

/** A binary heap of strings. */
class RankHeap {
  readonly #ranks: string[] = [];

  get size(): number {
    return this.#ranks.length;
  }

  get top(): string | undefined {
    return this.#ranks[0];
  }

  push(rank: string): void {
    const ranks = this.#ranks;
    let place = ranks.length;
    for (
      let above = (place - 1) >> 1;
      place > 0 && rank < ranks[above]!;
      above = (place - 1) >> 1
    ) {
      ranks[place] = ranks[above]!;
      place = above;
    }
    ranks[place] = rank;
  }

  /** The heap must not be empty. */
  pop(): string {
    const ranks = this.#ranks;
    const top = ranks[0]!;
    const last = ranks.pop()!;
    if (ranks.length > 0) this.#sink(last);
    return top;
  }

  /** Puts a rank in the place of the top, and down to where it belongs. */
  #sink(rank: string): void {
    const ranks = this.#ranks;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      if (below + 1 < ranks.length && ranks[below + 1]! < ranks[below]!) below++;
      if (below >= ranks.length || rank <= ranks[below]!) break;
      ranks[place] = ranks[below]!;
      place = below;
    }
    ranks[place] = rank;
  }
}
