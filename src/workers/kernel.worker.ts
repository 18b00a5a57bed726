// Worker entry: follows kernel tables in a thread of its own, so that reading a large one holds nobody up.
import { parentPort, workerData } from 'node:worker_threads';
import { KernelFollower } from '../sources/kernel/follower.ts';
import type { FollowerOptions } from '../sources/kernel/messages.ts';

const port = parentPort!;
const follower = new KernelFollower(workerData as FollowerOptions, (message) =>
  // Buffers of records are handed over, not copied.
  port.postMessage(message, 'records' in message ? [message.records] : []),
);
port.once('message', () => {
  follower.stop();
  port.close();
});
await follower.start();
