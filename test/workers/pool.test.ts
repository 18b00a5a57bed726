// Sinks in real worker threads.
import { afterEach, describe, expect, it } from 'vitest';
import { buildBatchMessage } from '../../bench/ovsdb-batch.ts';
import type { SinkEvent } from '../../src/sinks/sink.ts';
import { SinkWorker } from '../../src/workers/pool.ts';
import { SinkListener, until } from '../sinks/sink-listener.ts';

const options = { kind: 'memory', network: 'default' } as const;
const dyingFile = new URL('./dying.worker.ts', import.meta.url);

describe('SinkWorker', () => {
  const workers: SinkWorker[] = [];

  afterEach(async () => {
    for (const worker of workers.splice(0)) await worker.close();
  });

  function newWorker(file?: URL): { worker: SinkWorker; heard: SinkListener; lost: string[] } {
    const worker = new SinkWorker(options, file);
    workers.push(worker);
    return { worker, heard: new SinkListener(), lost: [] };
  }

  it('opens a sink in its thread, applies a batch there and takes its buffer', async () => {
    const { worker, heard } = newWorker();
    await worker.open({ onEvent: (event) => heard.hear(event), onLost: () => undefined }, false);
    expect(heard.types).toEqual(['state', 'snapshotBegin', 'snapshotEnd', 'state']);
    const message = buildBatchMessage([{ prefix: '10.0.0.0/8', to: ['192.0.2.1'] }]);
    expect(await worker.apply(message)).toMatchObject({ known: true, failures: [] });
    expect(message.buffer.byteLength).toBe(0);
    expect(await worker.flush()).toEqual({ removedCount: 1 });
  });

  it('gives every task its own answer when a batch comes before the sink has answered that it is open', async () => {
    const { worker } = newWorker();
    const applied = new Promise<unknown>((resolve, reject) => {
      const onEvent = (event: SinkEvent) => {
        if (event.type !== 'state' || event.state !== 'ready') return;
        const message = buildBatchMessage([{ prefix: '10.0.0.0/8', to: ['192.0.2.1'] }]);
        worker.apply(message).then(resolve, reject);
      };
      void worker.open({ onEvent, onLost: reject }, false).catch(reject);
    });
    expect(await applied).toMatchObject({ known: true, failures: [] });
    expect(await worker.flush()).toEqual({ removedCount: 1 });
  });

  it('says that the thread was lost, and starts anew in another', async () => {
    const { worker, heard, lost } = newWorker(dyingFile);
    const listener = {
      onEvent: (event: SinkEvent) => heard.hear(event),
      onLost: (reason: string) => void lost.push(reason),
    };
    await worker.open(listener, false);
    await expect(worker.flush()).rejects.toThrow();
    await until(() => lost.length === 1, 'the loss');
    await worker.open(listener, false);
    const message = buildBatchMessage([{ prefix: '10.0.0.0/8', to: ['192.0.2.1'] }]);
    expect(await worker.apply(message)).toMatchObject({ known: true });
    expect(heard.states).toEqual(['connecting', 'ready', 'connecting', 'ready']);
  });
});
