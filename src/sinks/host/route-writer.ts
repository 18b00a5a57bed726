// Writes a batch of FIB changes into the kernel: lines go to `ip` while they are made, refusals come back to their records.
import type { FibBatch, FibChange, NextHopSet } from '../../core/records.ts';
import type { IpBatch } from '../../iproute2/batch.ts';
import type { LineFailure } from '../../iproute2/batch-report.ts';
import type { KernelRoute } from '../../iproute2/kernel-route.ts';
import { formatPrefix } from '../../net/prefix.ts';
import type { RecordFailure } from '../sink.ts';
import type { NextHopMaker, Target } from './nexthop-maker.ts';
import type { NextHopObjects } from './nexthop-objects.ts';
import type { OwnWrites } from './own-writes.ts';
import { type RouteLines, refusals } from './route-line.ts';
import type { WaitingRecords } from './waiting-records.ts';

export interface RouteWriterParts {
  readonly ip: IpBatch;
  readonly lines: RouteLines;
  readonly objects: NextHopObjects;
  readonly maker: NextHopMaker;
  readonly writes: OwnWrites;
  /** Prefixes where a route of somebody else has our metric. */
  readonly foreign: Set<string>;
  readonly waiting: WaitingRecords;
  readonly isOurs: (route: KernelRoute) => boolean;
  /** The routes with our metric at these prefixes. */
  readonly readExact: (
    prefixes: ReadonlySet<string>,
  ) => Promise<Map<string, { readonly route: KernelRoute }>>;
  /** A route went from one object to another; undefined is no route. */
  readonly onMoved: (from: number | undefined, to: number | undefined) => void;
}

export interface WriteResult {
  readonly failures: RecordFailure[];
  /** Lines fed to the kernel. */
  readonly lineCount: number;
  /** An object that should be there was not: the kernel has dropped it. */
  readonly objectMissing: boolean;
  /** Prefixes whose route was not there to be removed: gone, or changed by somebody. */
  readonly notFound: ReadonlySet<string>;
}

/** The batch while it is written. */
interface Write {
  readonly batch: FibBatch;
  readonly targets: ReadonlyMap<number, Target>;
  readonly failures: RecordFailure[];
  /** Record index of each line fed. */
  readonly records: number[];
  readonly notFound: Set<string>;
  objectMissing: boolean;
}

export class RouteWriter {
  readonly #parts: RouteWriterParts;

  constructor(parts: RouteWriterParts) {
    this.#parts = parts;
  }

  async write(batch: FibBatch): Promise<WriteResult> {
    const { ip, writes, maker } = this.#parts;
    const targets = await maker.prepare(targetSets(batch));
    const write: Write = {
      batch,
      targets,
      failures: [],
      records: [],
      notFound: new Set(),
      objectMissing: false,
    };
    writes.beginBatch();
    const refused = await ip.run(this.#lines(write));
    const existing = this.#sort(write, refused);
    if (existing.length > 0) await this.#writeOver(write, existing);
    write.failures.sort((a, b) => a.index - b.index);
    const { failures, records, objectMissing, notFound } = write;
    return { failures, lineCount: records.length, objectMissing, notFound };
  }

  *#lines(write: Write): Generator<string> {
    for (let index = 0; index < write.batch.count; index++) {
      const line = this.#line(write, index);
      if (line === undefined) continue;
      write.records.push(index);
      yield line;
    }
  }

  /** The line of a record, or undefined when it needs none or fails without being tried. */
  #line(write: Write, index: number): string | undefined {
    const { lines, objects, writes, foreign, onMoved } = this.#parts;
    const change = write.batch.change(index);
    const prefix = formatPrefix(change.prefix);
    const from = change.from === undefined ? undefined : objects.idInPlace(change.from);
    if (change.to === undefined) {
      writes.expect(prefix, 'removed');
      onMoved(from, undefined);
      return lines.remove(prefix, from);
    }
    const target = write.targets.get(change.to.id)!;
    if (target.id === undefined) {
      this.#failUnreachable(write, index, change, target);
      return undefined;
    }
    if (foreign.has(prefix)) {
      this.#failCollision(write, index, change);
      return undefined;
    }
    if (from === target.id) return undefined;
    writes.expect(prefix, target.id);
    onMoved(from, target.id);
    if (change.from === undefined) return lines.add(prefix, target.id);
    return lines.replace(prefix, target.id);
  }

  /** Judges refused lines; returns the records whose prefix holds a route already. */
  #sort(write: Write, refused: readonly LineFailure[]): number[] {
    return refused.flatMap(({ index: line, reason }) => {
      const index = write.records[line]!;
      return this.#judge(write, index, reason) === 'exists' ? [index] : [];
    });
  }

  /** What became of a refused record: a failure, nothing to worry about, or something that is in its place. */
  #judge(write: Write, index: number, reason: string): 'exists' | 'judged' {
    const change = write.batch.change(index);
    const code = refusals.get(reason) ?? 'rejected';
    this.#parts.writes.forget(formatPrefix(change.prefix));
    if (code === 'exists') return code;
    if (code === 'absent' && change.to === undefined) {
      write.notFound.add(formatPrefix(change.prefix));
      return 'judged';
    }
    const [nextHop] = change.to?.members ?? [];
    if (code === 'unreachable-next-hop' && nextHop !== undefined) {
      write.objectMissing = true;
      this.#parts.waiting.addUnreachable(nextHop, change.prefix);
    }
    const message = this.#message(change, reason);
    write.failures.push({ index, code: code === 'absent' ? 'rejected' : code, message });
    return 'judged';
  }

  /** Something has our prefix and metric already: ours is brought up to date, somebody else's is left alone (P2). */
  async #writeOver(write: Write, existing: readonly number[]): Promise<void> {
    const { ip, readExact, isOurs, foreign, lines, writes } = this.#parts;
    const prefixes = existing.map((index) => formatPrefix(write.batch.change(index).prefix));
    const installed = await readExact(new Set(prefixes));
    const again: { index: number; line: string }[] = [];
    for (const [i, index] of existing.entries()) {
      const prefix = prefixes[i]!;
      const change = write.batch.change(index);
      const id = write.targets.get(change.to!.id)!.id!;
      const route = installed.get(prefix)?.route;
      if (route !== undefined && !isOurs(route)) {
        foreign.add(prefix);
        this.#failCollision(write, index, change);
      } else if (route?.nextHopId !== id) {
        writes.expect(prefix, id);
        const line = route === undefined ? lines.add(prefix, id) : lines.replace(prefix, id);
        again.push({ index, line });
      }
    }
    if (again.length === 0) return;
    for (const { index: line, reason } of await ip.run(again.map((each) => each.line))) {
      const { index } = again[line]!;
      // Somebody was quicker once more: theirs, until the monitor says otherwise.
      if (this.#judge(write, index, reason) === 'exists') {
        this.#failCollision(write, index, write.batch.change(index));
      }
    }
  }

  #failUnreachable(
    write: Write,
    index: number,
    change: FibChange,
    { reason, missing }: Extract<Target, { id: undefined }>,
  ): void {
    this.#parts.waiting.addUnreachable(missing, change.prefix);
    const message = this.#message(change, reason);
    write.failures.push({ index, code: 'unreachable-next-hop', message });
  }

  #failCollision(write: Write, index: number, change: FibChange): void {
    this.#parts.waiting.addCollision(change.prefix);
    const message = this.#message(change, 'somebody else has a route with the same metric there');
    write.failures.push({ index, code: 'collision', message });
  }

  #message(change: FibChange, reason: string): string {
    return `${formatPrefix(change.prefix)}: ${reason}`;
  }
}

/** Every set the batch changes something to, once. */
function targetSets(batch: FibBatch): Set<NextHopSet> {
  const sets = new Set<NextHopSet>();
  for (let index = 0; index < batch.count; index++) {
    const set = batch.to(index);
    if (set !== undefined) sets.add(set);
  }
  return sets;
}
