// The part of the core that serves one FIB, slow and obvious: maps of text. A twin to test what drives the core.
import { buildBatchMessage, type ChangeText } from '../../bench/ovsdb-batch.ts';
import type { FibCounters } from '../../src/core/fibs.ts';
import type { FibBatchMessage } from '../../src/core/records.ts';
import { decodeObservations } from '../../src/core/records.ts';
import type { WalkCursor } from '../../src/core/walk.ts';
import type { AddressFamily } from '../../src/net/address-family.ts';
import { formatIpAddress } from '../../src/net/ip-address.ts';
import { formatPrefix } from '../../src/net/prefix.ts';
import type { FibCore } from '../../src/sinks/fib-core.ts';

interface InFlight {
  readonly prefix: string;
  readonly to: string | undefined;
}

export class NaiveFib implements FibCore {
  readonly desired = new Map<string, string>();
  readonly installed = new Map<string, string>();
  readonly refused = new Set<string>();
  /** Sizes of the batches drained. */
  readonly batches: number[] = [];
  holdRemovals = false;
  /** Left-over entries that stand for routes which are there. */
  readonly standing = new Set<string>();
  lossesPerCall = Number.POSITIVE_INFINITY;
  #inFlight: InFlight[] | undefined;
  #snapshot: Set<string> | undefined;

  want(prefix: string, nextHop: string | undefined): void {
    if (nextHop === undefined) this.desired.delete(prefix);
    else this.desired.set(prefix, nextHop);
    this.refused.delete(prefix);
  }

  pendingFibs(): readonly number[] {
    return this.#pending().length > 0 ? [0] : [];
  }

  /** A removal is bad news. */
  isUrgent(): boolean {
    return !this.holdRemovals && this.#leftOver().length > 0;
  }

  drain(_fib: number, limit: number): FibBatchMessage {
    if (this.#inFlight !== undefined) throw new Error('a batch is in flight');
    if (this.#snapshot !== undefined) throw new Error('drained inside a snapshot');
    const prefixes = this.#pending().slice(0, limit);
    const changes = prefixes.map((prefix): ChangeText => {
      const [from, to] = [this.installed.get(prefix), this.desired.get(prefix)];
      return { prefix, ...(from && { from: [from] }), ...(to && { to: [to] }) };
    });
    if (prefixes.length > 0) {
      this.#inFlight = prefixes.map((prefix) => ({ prefix, to: this.desired.get(prefix) }));
    }
    this.batches.push(prefixes.length);
    return { ...buildBatchMessage(changes), remaining: this.#pending().length - prefixes.length };
  }

  acknowledge(_fib: number, failedIndexes: readonly number[]): void {
    for (const [index, { prefix, to }] of this.#takeInFlight().entries()) {
      if (failedIndexes.includes(index)) this.refused.add(prefix);
      else this.#install(prefix, to);
    }
  }

  forget(): void {
    this.#takeInFlight();
  }

  beginSnapshot(): void {
    this.#snapshot = new Set();
  }

  observe(_fib: number, records: ArrayBuffer, byteLength: number): void {
    for (const { prefix, set } of decodeObservations(records, byteLength)) {
      const [member] = set?.members ?? [];
      this.#install(formatPrefix(prefix), member && formatIpAddress(member.address));
      this.#snapshot?.add(formatPrefix(prefix));
    }
  }

  observeForeign(): void {
    // nothing here is aggregated
  }

  endSnapshot(): void {
    for (const prefix of this.installed.keys()) {
      if (!this.#snapshot?.has(prefix)) this.installed.delete(prefix);
    }
    this.#snapshot = undefined;
  }

  refuse(_fib: number, records: ArrayBuffer, byteLength: number): void {
    for (const { prefix } of decodeObservations(records, byteLength)) {
      this.refused.add(formatPrefix(prefix));
    }
  }

  retry(_fib: number, records: ArrayBuffer, byteLength: number): void {
    for (const { prefix } of decodeObservations(records, byteLength)) {
      this.refused.delete(formatPrefix(prefix));
    }
  }

  releaseRemovals(): void {
    this.holdRemovals = false;
  }

  /** What is left over is lost, but for what was said to stand for others. */
  countLosses(
    _fib: number,
    family: AddressFamily,
    cursor: WalkCursor | undefined,
  ): { count: number; next: WalkCursor | undefined } {
    if (family !== 'ipv4-unicast') return { count: 0, next: undefined };
    const left = this.#leftOver().filter((prefix) => !this.standing.has(prefix));
    const from = cursor?.bits ?? 0;
    const to = Math.min(left.length, from + this.lossesPerCall);
    const next = to < left.length ? { key: new Uint8Array(), bits: to } : undefined;
    return { count: to - from, next };
  }

  fibCounters(): FibCounters {
    return {
      entryCount: this.desired.size,
      installedCount: this.installed.size,
      pendingCount: this.#pending().length,
      refusedCount: this.refused.size,
      heldCount: this.holdRemovals ? this.#leftOver().length : 0,
    };
  }

  #pending(): string[] {
    const busy = new Set(this.#inFlight?.map(({ prefix }) => prefix));
    const changed = [...this.desired].filter(([prefix, to]) => this.installed.get(prefix) !== to);
    const removals = this.holdRemovals ? [] : this.#leftOver();
    return [...removals, ...changed.map(([prefix]) => prefix)].filter(
      (prefix) => !busy.has(prefix) && !this.refused.has(prefix),
    );
  }

  #leftOver(): string[] {
    return [...this.installed.keys()].filter((prefix) => !this.desired.has(prefix));
  }

  #install(prefix: string, to: string | undefined): void {
    if (to === undefined) this.installed.delete(prefix);
    else this.installed.set(prefix, to);
  }

  #takeInFlight(): InFlight[] {
    const records = this.#inFlight;
    if (records === undefined) throw new Error('no batch is in flight');
    this.#inFlight = undefined;
    return records;
  }
}
