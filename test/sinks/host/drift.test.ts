// Own writes told from other people's changes: whatever the order in which things happen and are heard, what the core believes in the end
// is what the kernel holds.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Drift } from '../../../src/sinks/host/drift.ts';
import type { SetMembers } from '../../../src/sinks/host/nexthop-objects.ts';
import { OwnWrites, type Written } from '../../../src/sinks/host/own-writes.ts';

const set = (id: number): SetMembers => ({
  discard: false,
  members: [{ address: Uint8Array.of(192, 0, 2, id), weight: 1, interfaceIndex: 0 }],
});
const idOf = (members: SetMembers | undefined): number | undefined =>
  members?.members[0]?.address[3];

interface Change {
  readonly prefix: string;
  readonly from: number | undefined;
  readonly to: number | undefined;
}

/** The kernel, the monitor that tells of it late, and the core that believes what it is told. */
class Model {
  readonly kernel = new Map<string, number>();
  readonly believed = new Map<string, number>();
  readonly writes = new OwnWrites();
  readonly drift = new Drift();
  readonly #untold: { prefix: string; written: Written }[] = [];
  #batch = 0;
  #answered = 0;
  /** Drained, not written yet. */
  #drained: Change[] = [];
  /** Written, not answered yet. */
  #written: Change[] = [];

  /** The core drains a batch: one record per prefix that is not as wanted. */
  drain(wanted: ReadonlyMap<string, number | undefined>): void {
    this.answer();
    for (const [prefix, to] of wanted) {
      const from = this.believed.get(prefix);
      if (from !== to) this.#drained.push({ prefix, from, to });
    }
  }

  /** The sink writes what was drained. */
  write(): void {
    if (this.#drained.length === 0) return;
    this.report(); // The sink reports before each batch.
    this.#batch++;
    this.writes.beginBatch();
    for (const change of this.#drained) this.#write(change);
    this.#written = this.#drained;
    this.#drained = [];
  }

  answer(): void {
    this.write();
    for (const { prefix, to } of this.#written) assign(this.believed, prefix, to);
    this.#written = [];
    this.#answered = this.#batch;
  }

  /** Somebody changes a route of ours. */
  meddle(prefix: string, to: number | undefined): void {
    if (this.kernel.get(prefix) === to) return;
    assign(this.kernel, prefix, to);
    this.#untold.push({ prefix, written: to ?? 'removed' });
  }

  hear(count: number): void {
    for (const { prefix, written } of this.#untold.splice(0, count)) {
      if (this.writes.takeEcho(prefix, written)) this.drift.overwritten(prefix);
      else this.drift.see(prefix, written === 'removed' ? undefined : set(written), this.#batch);
    }
  }

  report(): void {
    const ready = this.drift.take(this.#answered, (prefix) => this.writes.isOutstanding(prefix));
    for (const { prefix, set: members } of ready) assign(this.believed, prefix, idOf(members));
  }

  settle(): void {
    this.answer();
    this.hear(Number.POSITIVE_INFINITY);
    this.writes.settle();
    this.report();
  }

  #write({ prefix, from, to }: Change): void {
    const now = this.kernel.get(prefix);
    this.writes.expect(prefix, to ?? 'removed');
    if (to === undefined && now !== from) {
      // `del` names the object: refused. What is there is looked up.
      this.writes.forget(prefix);
      if (now !== undefined) this.drift.see(prefix, set(now), this.#batch);
      return;
    }
    if (now === to) {
      // The kernel tells nothing of a change that changes nothing. `add` is refused then, `replace` is not: it stays expected for a
      // second, and what may hide behind it is not handled (own-writes.ts).
      this.writes.forget(prefix);
      return;
    }
    assign(this.kernel, prefix, to);
    this.#untold.push({ prefix, written: to ?? 'removed' });
  }
}

function assign(map: Map<string, number>, prefix: string, to: number | undefined): void {
  if (to === undefined) map.delete(prefix);
  else map.set(prefix, to);
}

const prefix = fc.constantFrom('10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/24');
const object = fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined });
/** Printed as they are when a run fails. */
type Operation =
  | { readonly drain: readonly (readonly [string, number | undefined])[] }
  | { readonly meddle: readonly [string, number | undefined] }
  | { readonly hear: number }
  | 'write'
  | 'answer'
  | 'report';

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ drain: fc.array(fc.tuple(prefix, object), { maxLength: 3 }) }),
  fc.record({ meddle: fc.tuple(prefix, object) }),
  fc.record({ hear: fc.nat(4) }),
  fc.constantFrom('write' as const, 'answer' as const, 'report' as const),
);

function perform(model: Model, operation: Operation): void {
  if (typeof operation === 'string') model[operation]();
  else if ('drain' in operation) model.drain(new Map(operation.drain));
  else if ('meddle' in operation) model.meddle(...operation.meddle);
  else model.hear(operation.hear);
}

describe('own writes and drift', () => {
  it('leave the core believing what the kernel holds', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 40, size: 'max' }), (operations) => {
        const model = new Model();
        for (const each of operations) perform(model, each);
        model.settle();
        expect(Object.fromEntries(model.believed)).toEqual(Object.fromEntries(model.kernel));
      }),
      { numRuns: 3000 },
    );
  });

  it('report nothing when nobody meddles', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 40, size: 'max' }), (operations) => {
        const model = new Model();
        model.meddle = () => undefined;
        for (const each of operations) perform(model, each);
        model.hear(Number.POSITIVE_INFINITY);
        expect(model.drift.size).toBe(0);
      }),
      { numRuns: 1000 },
    );
  });
});
