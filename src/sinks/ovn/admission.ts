// May a record be written? What stands at its prefix already, its next hops' family, and the cap on our rows can forbid it. Pure.
//
//   next-hop-family      this OVN cannot forward the prefix by a next hop of the other family
//   connected            the prefix is the network of a port of the router, which wins over any row
//   collision            a row of others has the prefix (`skip`), or cannot be shared with (`share` and a discard on either side)
//   waiting-for-foreign  the same, and the prefix is ours when that row goes (`replace-when-gone`)
//   limit                as many rows as we may have are there
//
// What was refused is remembered, so that it can be told when the reason is gone.
//
// The cap. What is in stays in, whatever comes later. Room goes to the waiting prefixes in the order of waiting-list.ts, by invitation: they are
// told (`released`), the core sends their records again, and the rows are kept free for them until they have come or nobody can have them in mind
// any more. Of a batch, removals are written first, and the room that there is goes to the others in the same order of lengths; they are written
// in the order in which they came, for that may be the only safe one (assembly/fib/order.ts). And while the core holds more than
// fits, its records come in the order in which it learned them: so nothing new is let in until the backlog has been seen, and the order is
// that of everything that is asked for, not of each batch.
import { describeCollision } from './foreign.ts';
import { forwardsAcrossFamilies, mixesFamilies } from './next-hop-family.ts';
import type { OvnSinkOptions } from './options.ts';
import type { RouterRows } from './router-rows.ts';
import { DISCARD, type RouteRow } from './row.ts';
import type { RouteRecord } from './transaction.ts';
import { compareRanks, WaitingList } from './waiting-list.ts';

export interface Refusal {
  readonly code: string;
  readonly message: string;
}

export interface AdmissionContext {
  readonly rows: RouterRows;
  readonly options: Pick<OvnSinkOptions, 'collision' | 'maxRoutes'>;
  /** Version of the database's schema: what this OVN can do. */
  schemaVersion(): string;
}

/** A batch that the core may have sent before it heard of an invitation. */
const MOST_ON_THE_WAY = 4000;

export class Admission {
  readonly #context: AdmissionContext;
  /** Prefixes refused for what stands there or what they forward to, with the next hops they want. */
  readonly #barred = new Map<string, readonly string[]>();
  readonly #waiting = new WaitingList();
  /** Prefixes whose turn it is, with the rows kept free for them. */
  readonly #invited = new Map<string, number>();
  #invitedRows = 0;
  /** Records that come before the last invited one, at most. */
  #untilAnswered = 0;
  /** What the core held behind the last batch. */
  #remaining = 0;
  /** Records of a backlog that does not fit, not seen yet. While there are any, nobody is let in uninvited. */
  #unseen = 0;

  constructor(context: AdmissionContext) {
    this.#context = context;
  }

  /** Why rows of ours with these next hops cannot be at this prefix, however much room there is. */
  bar(prefix: string, nexthops: readonly string[]): Refusal | undefined {
    return (
      this.#familyBar(prefix, nexthops) ??
      this.#connectedBar(prefix) ??
      this.#collision(prefix, nexthops)
    );
  }

  #familyBar(prefix: string, nexthops: readonly string[]): Refusal | undefined {
    if (!mixesFamilies(prefix, nexthops)) return undefined;
    const version = this.#context.schemaVersion();
    if (forwardsAcrossFamilies(version)) return undefined;
    return {
      code: 'next-hop-family',
      message: `${prefix} via ${nexthops.join(', ')}, but OVN with schema ${version} forwards by next hops of the prefix's family only`,
    };
  }

  #connectedBar(prefix: string): Refusal | undefined {
    const port = this.#context.rows.connected.port(prefix);
    if (port === undefined) return undefined;
    return {
      code: 'connected',
      message: `${prefix} is the network of port ${port}, which wins over any static route`,
    };
  }

  #collision(prefix: string, nexthops: readonly string[]): Refusal | undefined {
    const foreign = this.#context.rows.foreign.at(prefix);
    const { collision } = this.#context.options;
    const inTheWay = collision === 'share' ? unshareable(foreign, nexthops) : foreign[0];
    if (!inTheWay) return undefined;
    // A hand-over that is expected is no alarm, and goes by its own code.
    const code = collision === 'replace-when-gone' ? 'waiting-for-foreign' : 'collision';
    return { code, message: describeCollision(inTheWay) };
  }

  /** Why a plan that gains `rows` rows for a prefix cannot be written when `planned` more are on their way. */
  limit(prefix: string, rows: number, planned: number): Refusal | undefined {
    const { maxRoutes } = this.#context.options;
    if (rows <= 0) return undefined;
    const invited = this.#invited.get(prefix);
    if (this.#unseen > 0 && invited === undefined) {
      return {
        code: 'limit',
        message: `more is asked for than fits into ${maxRoutes} rows, expected its turn by length`,
      };
    }
    const there = this.#context.rows.ownedCount + planned + this.#invitedRows - (invited ?? 0);
    if (there + rows <= maxRoutes) return undefined;
    return {
      code: 'limit',
      message: `${rows} more beside ${there} rows, expected at most ${maxRoutes}`,
    };
  }

  /** Rows that may be added when `planned` more are on their way. */
  room(planned: number): number {
    const { rows, options } = this.#context;
    return Math.max(0, options.maxRoutes - rows.ownedCount - planned - this.#invitedRows);
  }

  /**
   * A batch begins: its records in the order in which they are to be written. `remaining`: how many more the core holds.
   */
  begin(records: readonly RouteRecord[], remaining: number): readonly RouteRecord[] {
    const gains = records.map(({ prefix, nexthops }) => {
      return nexthops.length - this.#context.rows.owned(prefix).length;
    });
    const asked = gains.reduce((sum, gain) => sum + Math.max(0, gain), 0);
    // What the core still holds is taken to be like what it has sent.
    const askedLater = Math.ceil((asked * remaining) / Math.max(1, records.length));
    if (asked + askedLater <= this.room(0)) return records;
    if (this.#unseen === 0 && remaining > 0) this.#unseen = records.length + remaining;
    const isRemoval = ({ nexthops }: RouteRecord) => nexthops.length === 0;
    const freed = records.reduce((sum, each, i) => sum - (isRemoval(each) ? gains[i]! : 0), 0);
    const asking = records.map(({ prefix }, i) => ({ prefix, rows: gains[i]! }));
    if (this.#unseen === 0) this.#giveRoom(asking, this.room(-freed));
    return [...records.filter(isRemoval), ...records.filter((each) => !isRemoval(each))];
  }

  /** Room goes to the first by length that fit into it; it is theirs until their records are planned. */
  #giveRoom(asking: readonly { prefix: string; rows: number }[], room: number): void {
    let left = room;
    const first = asking.filter(({ prefix, rows }) => rows > 0 && !this.#invited.has(prefix));
    for (const { prefix, rows } of first.sort((a, b) => compareRanks(a.prefix, b.prefix))) {
      if (rows > left) continue;
      left -= rows;
      this.#invited.set(prefix, rows);
      this.#invitedRows += rows;
    }
  }

  /** A batch of `count` records is answered. */
  end(count: number, remaining: number): void {
    this.#unseen = remaining === 0 ? 0 : Math.max(0, this.#unseen - count);
    this.#remaining = remaining;
    this.#untilAnswered -= count;
    if (remaining === 0 || this.#untilAnswered <= 0) this.lapse();
  }

  /** The record is as the core wants it. */
  forget(prefix: string): void {
    this.#barred.delete(prefix);
    this.#waiting.delete(prefix);
    this.#uninvite(prefix);
  }

  noteBar(prefix: string, nexthops: readonly string[]): void {
    this.forget(prefix);
    this.#barred.set(prefix, nexthops);
  }

  /** `rows`: how many it lacks. */
  noteLimit(prefix: string, rows: number): void {
    this.#barred.delete(prefix);
    this.#uninvite(prefix);
    this.#waiting.add(prefix, rows);
  }

  /** Takes those of the prefixes (default: all) that were barred and are not any more. */
  takeCleared(prefixes: Iterable<string> = this.#barred.keys()): string[] {
    const cleared = [...prefixes].filter((prefix) => {
      const nexthops = this.#barred.get(prefix);
      return nexthops !== undefined && !this.bar(prefix, nexthops);
    });
    for (const prefix of cleared) this.#barred.delete(prefix);
    return cleared;
  }

  /** Invites waiting prefixes, in their order, as many as there is room for now. */
  invite(): string[] {
    if (this.#unseen > 0) return [];
    const taken = this.#waiting.take(this.room(0));
    for (const { prefix, rows } of taken) {
      this.#invited.set(prefix, rows);
      this.#invitedRows += rows;
    }
    if (taken.length > 0) this.#untilAnswered = this.#remaining + MOST_ON_THE_WAY + taken.length;
    return taken.map(({ prefix }) => prefix);
  }

  /** Who was invited and has not come is wanted by nobody. Returns whether there was one. */
  lapse(): boolean {
    const { size } = this.#invited;
    this.#invited.clear();
    this.#invitedRows = 0;
    return size > 0;
  }

  #uninvite(prefix: string): void {
    this.#invitedRows -= this.#invited.get(prefix) ?? 0;
    this.#invited.delete(prefix);
  }
}

/** A row of others that no row of ours with these next hops can be beside, although rows are shared: one discard drops what the whole group carries. */
function unshareable(
  foreign: readonly RouteRow[],
  nexthops: readonly string[],
): RouteRow | undefined {
  return nexthops.includes(DISCARD)
    ? foreign[0]
    : foreign.find(({ nexthop }) => nexthop === DISCARD);
}
