// The closed loop of one target, with a sink in this thread and a clock that is turned by hand.
import { beforeEach, describe, expect, it } from 'vitest';
import type { FibBatchMessage } from '../../src/core/records.ts';
import { encodeObservations, FibBatch } from '../../src/core/records.ts';
import { parseIpAddress } from '../../src/net/ip-address.ts';
import { parsePrefix } from '../../src/net/prefix.ts';
import { MemorySink } from '../../src/sinks/memory.ts';
import { Reconciler } from '../../src/sinks/reconciler.ts';
import type { ApplyResult } from '../../src/sinks/sink.ts';
import type { TargetListener, TargetWorker } from '../../src/sinks/target-worker.ts';
import { Turns } from '../../src/sinks/turns.ts';
import { NaiveFib } from '../naive/fib.ts';

/** A memory sink in this thread; answers come when the test lets them. */
class HandWorker implements TargetWorker {
  readonly sink = new MemorySink((event) => this.listener?.onEvent(event));
  listener: TargetListener | undefined;
  openCount = 0;
  isTaken: boolean | undefined;
  /** Records of each apply, in order. */
  readonly applied: number[] = [];
  /** What the next applies refuse: prefix → code. */
  readonly refuse = new Map<string, string>();
  answer: 'known' | 'unknown' | 'lost' = 'known';
  durationMs = 1;
  /** How long others work on what was written. */
  windowMs = 0;
  #held: (() => void)[] | undefined;

  /** From now on answers wait for release(). */
  hold(): void {
    this.#held = [];
  }

  async release(): Promise<void> {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const go of held) go();
    await settled();
  }

  async open(listener: TargetListener, isTaken: boolean): Promise<void> {
    this.openCount++;
    this.isTaken = isTaken;
    this.listener = listener;
    await this.sink.open();
  }

  async apply({ buffer, count, byteLength }: FibBatchMessage): Promise<ApplyResult> {
    const batch = new FibBatch(buffer.transfer(), count, byteLength);
    this.applied.push(count);
    const held = this.#held;
    if (held !== undefined) await new Promise<void>((resolve) => held.push(resolve));
    if (this.answer === 'lost') throw new Error('the worker has ended');
    if (this.answer === 'unknown') return { known: false, failures: [], durationMs: 0 };
    return this.#applyKnown(batch);
  }

  async #applyKnown(batch: FibBatch): Promise<ApplyResult> {
    const failures = Array.from({ length: batch.count }, (_, index) => index).flatMap((index) => {
      const text = [...batch.address(index)].join('.');
      const code = this.refuse.get(`${text}/${batch.bits(index)}`);
      return code === undefined ? [] : [{ index, code, message: 'not today' }];
    });
    if (failures.length === 0) await this.sink.apply(batch);
    return { known: true, failures, durationMs: this.durationMs, windowMs: this.windowMs };
  }

  block(isTaken: boolean): void {
    this.isTaken = isTaken;
  }

  flush(): Promise<{ removedCount: number }> {
    return this.sink.flush();
  }

  async close(): Promise<void> {}
}

class HandClock {
  #now = 1_000_000;
  #timers: { at: number; callback: () => void }[] = [];

  wallTime(): number {
    return this.#now;
  }

  /** No spread: delays are exactly what the rules say. */
  chance(): number {
    return 0.5;
  }

  setTimer(delayMs: number, callback: () => void): { cancel(): void } {
    const timer = { at: this.#now + delayMs, callback };
    this.#timers.push(timer);
    return { cancel: () => this.#drop(timer) };
  }

  async advance(ms: number): Promise<void> {
    this.#now += ms;
    for (const timer of this.#timers.filter(({ at }) => at <= this.#now)) {
      this.#drop(timer);
      timer.callback();
    }
    await settled();
  }

  #drop(timer: { at: number; callback: () => void }): void {
    this.#timers = this.#timers.filter((each) => each !== timer);
  }
}

/** Lets every promise that can go on go on. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
const A = '10.0.0.0/24';
const B = '10.0.1.0/24';

describe('Reconciler', () => {
  let fib: NaiveFib;
  let worker: HandWorker;
  let clock: HandClock;
  let reconciler: Reconciler;
  let logged: string[];

  beforeEach(() => {
    logged = [];
    fib = new NaiveFib();
    worker = new HandWorker();
    clock = new HandClock();
    reconciler = new Reconciler({
      core: fib,
      fib: 0,
      name: 'default/host',
      kind: 'host',
      worker,
      clock,
      log: {
        info: (_, event) => logged.push(`info ${event}`),
        warn: (_, event) => logged.push(`warn ${event}`),
        error: (_, event) => logged.push(`error ${event}`),
      },
      onWork: () => undefined,
    });
  });

  const want = async (prefix: string, nextHop: string | undefined): Promise<void> => {
    fib.want(prefix, nextHop);
    reconciler.kick();
    await settled();
  };
  const names = (prefix: string) =>
    encodeObservations([{ prefix: parsePrefix(prefix)!, set: undefined }]);

  it('writes a change of an idle target at once, and what was pending when it opened', async () => {
    fib.want(A, '192.0.2.1');
    reconciler.kick();
    expect(worker.applied).toEqual([]);
    await reconciler.start();
    await settled();
    expect(worker.applied).toEqual([1]);
    await want(B, '192.0.2.1');
    expect(worker.applied).toEqual([1, 1]);
    expect([...worker.sink.entries.keys()]).toEqual([A, B]);
    expect(reconciler.status()).toMatchObject({ state: 'ready', writtenCount: 2, batchCount: 2 });
  });

  it('has one batch in flight; what comes meanwhile goes together, and ends as nothing if it goes back', async () => {
    await reconciler.start();
    worker.hold();
    await want(A, '192.0.2.1');
    for (let i = 0; i < 50; i++) await want(`10.1.${i}.0/24`, '192.0.2.1');
    await want(B, '192.0.2.1');
    await want(B, undefined);
    expect(worker.applied).toEqual([1]);
    await worker.release();
    expect(worker.applied).toEqual([1, 50]);
    expect(worker.sink.entries.has(B)).toBe(false);
  });

  it('halves batches that take long and doubles full ones that are short', async () => {
    await reconciler.start();
    const load = async (octet: number, count: number) => {
      for (let i = 0; i < count; i++) fib.want(`${octet}.${i >> 8}.${i & 255}.0/24`, '192.0.2.1');
      worker.applied.length = 0;
      reconciler.kick();
      for (let turn = 0; turn < 5; turn++) await settled();
    };
    worker.durationMs = 50;
    await load(20, 20_000);
    expect(worker.applied).toEqual([4096, 8192, 7712]);
    worker.durationMs = 300;
    await load(21, 32_000);
    expect(worker.applied).toEqual([16_384, 8192, 4096, 2048, 1024, 256]);
    worker.durationMs = 150;
    await load(22, 3000);
    expect(worker.applied).toEqual([1024, 1024, 952]);
  });

  it('keeps refused records with their reason and retries them with growing waits', async () => {
    await reconciler.start();
    worker.refuse.set(A, 'rejected');
    await want(A, '192.0.2.1');
    const prefix = parsePrefix(A)!;
    expect(reconciler.failure(prefix)).toMatchObject({
      code: 'rejected',
      message: 'not today',
      attempts: 1,
      retryAt: 1_001_000,
    });
    expect(reconciler.status().failures).toEqual([
      { prefix: A, code: 'rejected', message: 'not today' },
    ]);
    await clock.advance(999);
    expect(worker.applied).toEqual([1]);
    await clock.advance(1);
    expect(worker.applied).toEqual([1, 1]);
    for (const wait of [2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]) {
      const before = worker.applied.length;
      await clock.advance(wait - 1);
      expect(worker.applied).toHaveLength(before);
      await clock.advance(1);
      expect(worker.applied).toHaveLength(before + 1);
    }
    worker.refuse.clear();
    await clock.advance(60_000);
    expect(reconciler.failure(prefix)).toBeUndefined();
    expect(worker.sink.entries.has(A)).toBe(true);
  });

  it('says once that a kind of refusal has begun, loudly of a full target, and once that it has ended', async () => {
    await reconciler.start();
    logged = [];
    worker.refuse.set(A, 'limit');
    worker.refuse.set(B, 'limit');
    await want(A, '192.0.2.1');
    await want(B, '192.0.2.1');
    expect(logged).toEqual(['error records refused']);
    expect(reconciler.status().refusedByCode).toEqual({ limit: 2 });
    worker.refuse.clear();
    worker.listener!.onEvent({ type: 'released', ...names(A) });
    await settled();
    expect(reconciler.status().refusedByCode).toEqual({ limit: 1 });
    worker.listener!.onEvent({ type: 'released', ...names(B) });
    await settled();
    expect(logged).toEqual(['error records refused', 'info no more records refused']);
  });

  it('waits for the sink to release a collision', async () => {
    await reconciler.start();
    worker.refuse.set(A, 'collision');
    await want(A, '192.0.2.1');
    await clock.advance(120_000);
    expect(worker.applied).toEqual([1]);
    worker.refuse.clear();
    worker.listener!.onEvent({ type: 'released', ...names(A) });
    await settled();
    expect(worker.applied).toEqual([1, 1]);
    expect(reconciler.failure(parsePrefix(A)!)).toBeUndefined();
  });

  it('forgets failures of prefixes nobody wants any more', async () => {
    await reconciler.start();
    worker.refuse.set(A, 'rejected');
    await want(A, '192.0.2.1');
    await want(A, undefined);
    await clock.advance(1000);
    await want(B, '192.0.2.1');
    expect(reconciler.failure(parsePrefix(A)!)).toBeUndefined();
  });

  it('takes a refusal the sink tells of its own accord', async () => {
    await reconciler.start();
    await want(A, '192.0.2.1');
    worker.listener!.onEvent({
      type: 'refused',
      ...names(A),
      code: 'collision',
      message: 'theirs came',
    });
    expect(fib.refused.has(A)).toBe(true);
    expect(reconciler.failure(parsePrefix(A)!)).toMatchObject({ code: 'collision' });
  });

  it('puts back what it hears is gone', async () => {
    await reconciler.start();
    await want(A, '192.0.2.1');
    worker.listener!.onEvent({ type: 'observed', ...names(A) });
    await settled();
    expect(worker.applied).toEqual([1, 1]);
    expect(fib.installed.get(A)).toBe('192.0.2.1');
  });

  it('writes nothing after an unknown answer until a snapshot has said what is there', async () => {
    await reconciler.start();
    worker.answer = 'unknown';
    await want(A, '192.0.2.1');
    worker.answer = 'known';
    await want(B, '192.0.2.1');
    expect(worker.applied).toEqual([1]);
    await worker.sink.open();
    await settled();
    expect(worker.applied).toEqual([1, 2]);
    expect([...worker.sink.entries.keys()].sort()).toEqual([A, B]);
  });

  it("writes and flushes nothing while the place is another's, and all of it afterwards", async () => {
    await reconciler.start();
    await want(A, '192.0.2.1');
    expect(worker.isTaken).toBe(false);
    reconciler.block("is network red's");
    expect(worker.isTaken).toBe(true);
    await want(B, '192.0.2.1');
    expect(worker.applied).toEqual([1]);
    expect(reconciler.status()).toMatchObject({ state: 'waiting', reason: "is network red's" });
    reconciler.block(undefined);
    await settled();
    expect(worker.applied).toEqual([1, 1]);
    expect(reconciler.status().state).toBe('ready');
    reconciler.block("is network red's");
    expect(await reconciler.flush()).toEqual({ removedCount: 0 });
    expect([...worker.sink.entries.keys()]).toEqual([A, B]);
  });

  it('writes nothing inside a snapshot', async () => {
    await reconciler.start();
    worker.listener!.onEvent({ type: 'snapshotBegin' });
    await want(A, '192.0.2.1');
    expect(worker.applied).toEqual([]);
    worker.listener!.onEvent({ type: 'snapshotEnd', ownedCount: 0, foreignCount: 3 });
    await settled();
    expect(worker.applied).toEqual([1]);
    expect(reconciler.status().foreignCount).toBe(3);
  });

  it('opens a lost sink again, a little later each time, and lets its snapshot decide', async () => {
    await reconciler.start();
    await want(A, '192.0.2.1');
    worker.answer = 'lost';
    await want(B, '192.0.2.1');
    worker.listener!.onLost('the worker has ended');
    expect(reconciler.status()).toMatchObject({ state: 'connecting' });
    worker.answer = 'known';
    await clock.advance(499);
    expect(worker.openCount).toBe(1);
    await clock.advance(1);
    expect(worker.openCount).toBe(2);
    expect([...worker.sink.entries.keys()]).toEqual([A, B]);
  });

  describe('removals of a first sync (P3)', () => {
    const leaveOver = async (installed: number, wanted: number) => {
      for (let i = 0; i < installed; i++) fib.installed.set(`10.1.${i >> 8}.${i & 255}/32`, 'x');
      for (let i = 0; i < wanted; i++) fib.want(`10.1.${i >> 8}.${i & 255}/32`, 'x');
      fib.holdRemovals = true;
    };

    /** The target is read: what is installed in the core is what it names. */
    const readWhatIsThere = async () => {
      const records = encodeObservations(
        [...fib.installed.keys()].map((prefix) => ({
          prefix: parsePrefix(prefix)!,
          set: {
            discard: false,
            members: [{ address: parseIpAddress('192.0.2.1')!, weight: 1, interfaceIndex: 0 }],
          },
        })),
      );
      worker.open = async (listener) => {
        worker.listener = listener;
        listener.onEvent({ type: 'snapshotBegin' });
        listener.onEvent({ type: 'observed', ...records });
        listener.onEvent({ type: 'snapshotEnd', ownedCount: fib.installed.size, foreignCount: 0 });
      };
      await reconciler.start();
    };

    it('are not decided on before the target has been read', async () => {
      await leaveOver(1000, 100);
      const { installed } = fib;
      reconciler.releaseRemovals();
      expect(fib.holdRemovals).toBe(true);
      await readWhatIsThere();
      expect(fib.holdRemovals).toBe(true);
      expect(reconciler.status().removalsHeld).toBe('900 of 1000 entries would go, more than 50 %');
      expect(installed.size).toBe(1000);
    });

    it("an operator's word given before that counts once it is", async () => {
      await leaveOver(1000, 100);
      reconciler.releaseRemovals({ force: true });
      reconciler.releaseRemovals();
      expect(fib.holdRemovals).toBe(true);
      await readWhatIsThere();
      expect(fib.holdRemovals).toBe(false);
    });

    it.each([
      ['few of many go', 1000, 600, true],
      ['most stay', 1000, 400, false],
      ['up to a hundred go, whatever their share', 100, 0, true],
      ['all stay when everything would go', 101, 0, false],
    ])('%s', async (_name, installed, wanted, go) => {
      await leaveOver(installed, wanted);
      await readWhatIsThere();
      reconciler.releaseRemovals();
      expect(fib.holdRemovals).toBe(!go);
      expect(reconciler.status().removalsHeld === undefined).toBe(go);
      reconciler.releaseRemovals({ force: true });
      expect(fib.holdRemovals).toBe(false);
      expect(reconciler.status().removalsHeld).toBeUndefined();
    });

    describe('entries left over that stand for routes which are there', () => {
      beforeEach(async () => {
        await leaveOver(1000, 0);
        await readWhatIsThere();
      });
      const stand = (count: number) => {
        for (const prefix of [...fib.installed.keys()].slice(0, count)) fib.standing.add(prefix);
      };
      const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

      it('are no reason to hold removals, however many', () => {
        stand(600);
        reconciler.releaseRemovals();
        expect(fib.holdRemovals).toBe(false);
      });

      it('are not counted among those that would go', () => {
        stand(300);
        reconciler.releaseRemovals();
        expect(fib.holdRemovals).toBe(true);
        expect(reconciler.status().removalsHeld).toBe(
          '700 of 1000 entries would go, more than 50 %',
        );
      });

      it('are counted in short turns', async () => {
        stand(600);
        fib.lossesPerCall = 150;
        reconciler.releaseRemovals();
        expect(fib.holdRemovals).toBe(true);
        await nextTurn();
        expect(fib.holdRemovals).toBe(true);
        await nextTurn();
        expect(fib.holdRemovals).toBe(false);
      });

      it("are not waited for after an operator's word", async () => {
        fib.lossesPerCall = 150;
        reconciler.releaseRemovals();
        reconciler.releaseRemovals({ force: true });
        expect(fib.holdRemovals).toBe(false);
        for (let turn = 0; turn < 10; turn++) await nextTurn();
        expect(reconciler.status().removalsHeld).toBeUndefined();
      });
    });
  });

  describe('entries of a part of the routes are none of the whole', () => {
    const observed = encodeObservations([
      {
        prefix: parsePrefix(A)!,
        set: {
          discard: false,
          members: [{ address: parseIpAddress('192.0.2.1')!, weight: 1, interfaceIndex: 0 }],
        },
      },
    ]);
    const atRest: (() => void)[] = [];

    const start = async (ownedCount: number, { released = false } = {}) => {
      atRest.length = 0;
      reconciler = new Reconciler({
        core: fib,
        fib: 0,
        name: 'default/ovn',
        kind: 'ovn',
        worker,
        clock,
        log: quiet,
        onWork: () => undefined,
        atRest: (callback) => atRest.push(callback),
        waitsForFirstSync: true,
      });
      worker.open = async (listener) => {
        worker.listener = listener;
        listener.onEvent({ type: 'snapshotBegin' });
        if (ownedCount > 0) listener.onEvent({ type: 'observed', ...observed });
        listener.onEvent({ type: 'snapshotEnd', ownedCount, foreignCount: 0 });
        listener.onEvent({ type: 'state', state: 'ready', reason: '' });
      };
      fib.holdRemovals = true;
      if (released) reconciler.releaseRemovals();
      await reconciler.start();
      await settled();
    };

    it('what is in place stays until every source has been heard', async () => {
      await start(1);
      await want(A, '192.0.2.2');
      await want(B, '192.0.2.1');
      expect(worker.applied).toEqual([]);
      reconciler.releaseRemovals();
      await settled();
      expect(worker.applied).toEqual([2]);
    });

    it('they are written at once where nothing is in place', async () => {
      await start(0);
      await want(B, '192.0.2.1');
      expect(worker.applied).toEqual([1]);
    });

    it('a release that came first counts when the core has worked on what was read', async () => {
      await start(1, { released: true });
      await want(A, '192.0.2.1');
      await want(B, '192.0.2.1');
      expect(worker.applied).toEqual([]);
      for (const callback of atRest) callback();
      await settled();
      expect(worker.applied).toEqual([1]);
    });

    it('many removals that stay held keep nothing else waiting', async () => {
      await start(1);
      for (let i = 0; i < 200; i++) fib.installed.set(`10.1.0.${i}/32`, '192.0.2.1');
      await want(B, '192.0.2.1');
      reconciler.releaseRemovals();
      await settled();
      expect(reconciler.status().removalsHeld).toBeDefined();
      expect(worker.applied).toEqual([1]);
    });
  });

  it('flush empties the target and leaves it alone', async () => {
    await reconciler.start();
    await want(A, '192.0.2.1');
    expect(await reconciler.flush()).toEqual({ removedCount: 1 });
    await want(B, '192.0.2.1');
    expect(worker.sink.entries.size).toBe(0);
    expect(reconciler.status().state).toBe('flushed');
  });

  it('stop waits for the batch in flight and removes nothing', async () => {
    await reconciler.start();
    worker.hold();
    await want(A, '192.0.2.1');
    const stopping = reconciler.stop();
    await want(B, '192.0.2.1');
    await worker.release();
    await stopping;
    expect([...worker.sink.entries.keys()]).toEqual([A]);
  });
});

it('two targets of one database write one after the other, bad news first', async () => {
  const turns = new Turns();
  const targets = [A, B].map((prefix, i) => {
    const fib = new NaiveFib();
    const worker = new HandWorker();
    const reconciler = new Reconciler({
      core: fib,
      fib: 0,
      name: `network-${i}/ovn`,
      kind: 'ovn',
      worker,
      turns,
      clock: new HandClock(),
      log: quiet,
      onWork: () => undefined,
    });
    return { fib, worker, reconciler, prefix };
  });
  const [one, two] = targets as [(typeof targets)[0], (typeof targets)[0]];
  for (const { reconciler, worker } of targets) {
    await reconciler.start();
    await settled();
    worker.hold();
  }
  for (const { fib, reconciler, prefix } of targets) {
    fib.want(prefix, '10.9.0.1');
    reconciler.kick();
    await settled();
  }
  expect([one.worker.applied, two.worker.applied]).toEqual([[1], []]);
  two.fib.want(B, undefined); // ended where it began before its turn came
  await one.worker.release();
  expect(two.worker.applied).toEqual([]);
  two.fib.want(B, '10.9.0.2');
  two.reconciler.kick();
  await settled();
  expect(two.worker.applied).toEqual([1]);
  await two.worker.release();
});

describe('a window after a write', () => {
  async function start(routes: number) {
    const [fib, worker, clock] = [new NaiveFib(), new HandWorker(), new HandClock()];
    const turns = new Turns({
      now: () => clock.wallTime(),
      setTimer: (delayMs, callback) => clock.setTimer(delayMs, callback),
    });
    worker.windowMs = 1000;
    for (let i = 0; i < routes; i++) fib.want(`10.${i >> 8}.${i & 255}.0/24`, '10.9.0.1');
    const options = {
      core: fib,
      fib: 0,
      name: 'default/ovn',
      kind: 'ovn',
      worker,
      turns,
      clock,
    } as const;
    const reconciler = new Reconciler({ ...options, log: quiet, onWork: () => reconciler.kick() });
    await reconciler.start();
    await settled();
    reconciler.kick();
    await settled();
    return { fib, worker, clock, reconciler };
  }

  it('is none inside a table that is loaded', async () => {
    const { worker, fib } = await start(1500);
    expect(worker.applied.length).toBeGreaterThan(1);
    expect(fib.installed.size).toBe(1500);
  });

  it('gathers what comes meanwhile, and drops what ends where it began', async () => {
    const { worker, fib, clock, reconciler } = await start(2);
    for (const nextHop of ['10.9.0.2', '10.9.0.3', '10.9.0.1']) {
      fib.want('10.0.0.0/24', nextHop);
      fib.want('10.0.1.0/24', `${nextHop}1`);
      reconciler.kick();
      await settled();
    }
    expect(worker.applied).toEqual([2]);
    await clock.advance(1000);
    expect(worker.applied).toEqual([2, 1]);
  });

  it('is none for bad news, nor for who stops', async () => {
    const { worker, fib, reconciler } = await start(2);
    fib.want('10.0.0.0/24', '10.9.0.2');
    reconciler.kick();
    await settled();
    expect(worker.applied).toEqual([2]);
    fib.want('10.0.1.0/24', undefined);
    reconciler.kick();
    await settled();
    expect(worker.applied).toEqual([2, 2]);
    fib.want('10.0.0.0/24', '10.9.0.3');
    reconciler.kick();
    await reconciler.stop();
    expect(worker.applied).toEqual([2, 2]);
  });
});
