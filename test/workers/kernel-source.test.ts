// The thread that follows the kernel, when it dies.
import { expect, it } from 'vitest';
import { KernelSourceWorker } from '../../src/workers/kernel-source.ts';

it('is started again when it dies, and says so each time', async () => {
  const file = new URL('./dying-kernel.worker.ts', import.meta.url);
  const heard: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const worker = new KernelSourceWorker(
    { namespace: undefined, sources: [] },
    {
      onMessage: ({ type }) => heard.push(type),
      onLost: (reason) => {
        heard.push(reason);
        if (heard.length === 4) resolve();
      },
    },
    file,
  );
  worker.start();
  await promise;
  await worker.stop();
  expect(heard).toEqual(['state', 'a bug', 'state', 'a bug']);
});
