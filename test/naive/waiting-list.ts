// The slow, obvious twin of src/sinks/ovn/waiting-list.ts: a list that is sorted whenever somebody asks.
import { compareIpAddresses } from '../../src/net/ip-address.ts';
import { parsePrefix } from '../../src/net/prefix.ts';

interface Waiting {
  readonly prefix: string;
  readonly rows: number;
}

export class NaiveWaitingList {
  #waiting: Waiting[] = [];

  get size(): number {
    return this.#waiting.length;
  }

  add(prefix: string, rows: number): void {
    this.delete(prefix);
    this.#waiting.push({ prefix, rows });
  }

  delete(prefix: string): void {
    this.#waiting = this.#waiting.filter((each) => each.prefix !== prefix);
  }

  take(room: number): Waiting[] {
    let left = room;
    const taken = this.#waiting.toSorted(compare).filter(({ rows }) => {
      const fits = rows <= left;
      if (fits) left -= rows;
      return fits;
    });
    this.#waiting = this.#waiting.filter((each) => !taken.includes(each));
    return taken;
  }
}

function compare(a: Waiting, b: Waiting): number {
  const [prefixA, prefixB] = [parsePrefix(a.prefix)!, parsePrefix(b.prefix)!];
  return prefixA.length - prefixB.length || compareIpAddresses(prefixA.address, prefixB.address);
}
