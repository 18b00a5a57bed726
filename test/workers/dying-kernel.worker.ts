// A thread that says one thing and dies of an error: for tests of what follows.
import { parentPort } from 'node:worker_threads';

parentPort!.postMessage({ type: 'state', source: 'kernel:main', state: 'listing', reason: '' });
setTimeout(() => {
  throw new Error('a bug');
}, 20);
