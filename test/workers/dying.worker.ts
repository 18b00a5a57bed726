// A sink worker that ends its thread when it is asked to flush: for tests of what follows.

import type { SinkTask } from '../../src/workers/messages.ts';
import perform from '../../src/workers/sink.worker.ts';

export default async function performOrDie(task: SinkTask): Promise<void> {
  if (task.type === 'flush') process.exit(1);
  await perform(task);
}
