// Worker entry: one sink per thread. A task comes in, the sink does it; the answer and everything it says go out over one port.
import type { MessagePort } from 'node:worker_threads';
import { FibBatch } from '../core/records.ts';
import { createHostSink } from '../sinks/host/sink.ts';
import { createMemorySink } from '../sinks/memory.ts';
import { createOvnSink } from '../sinks/ovn/sink.ts';
import type { EmitSinkEvent, Sink } from '../sinks/sink.ts';
import type { SinkMessage, SinkOptions, SinkReply, SinkTask } from './messages.ts';

interface Running {
  readonly sink: Sink;
  readonly port: MessagePort;
}

let running: Running | undefined;

/** Piscina calls this once per task, never before the last has ended. */
export default async function perform(task: SinkTask): Promise<void> {
  if (task.type === 'open') {
    running = await start(task.sink, task.events);
    running.sink.block?.(task.isTaken);
  }
  if (running === undefined) throw new Error(`task ${task.type} before open`);
  const { port } = running;
  say(port, await reply(running.sink, task));
  if (task.type !== 'close') return;
  port.close();
  running = undefined;
}

async function start(options: SinkOptions, port: MessagePort): Promise<Running> {
  await running?.sink.close();
  return { sink: createSink(options, (event) => say(port, event)), port };
}

function createSink(options: SinkOptions, emit: EmitSinkEvent): Sink {
  switch (options.kind) {
    case 'ovn':
      return createOvnSink(options, emit);
    case 'host':
      return createHostSink(options, emit);
    case 'memory':
      return createMemorySink(options, emit);
  }
}

/** A task the sink fails at as a whole is answered too: the main thread waits for a snapshot and tries again. */
async function reply(sink: Sink, task: SinkTask): Promise<SinkReply> {
  try {
    return await doTask(sink, task);
  } catch (error) {
    return { type: 'failed', message: (error as Error).message };
  }
}

async function doTask(sink: Sink, task: SinkTask): Promise<SinkReply> {
  switch (task.type) {
    case 'open':
      await sink.open();
      return { type: 'opened' };
    case 'block':
      sink.block?.(task.isTaken);
      return { type: 'blocked' };
    case 'apply': {
      const { buffer, count, byteLength, remaining } = task.batch;
      const result = await sink.apply(new FibBatch(buffer, count, byteLength, remaining));
      return { type: 'applied', result };
    }
    case 'flush':
      return { type: 'flushed', ...(await sink.flush()) };
    case 'close':
      await sink.close();
      return { type: 'closed' };
  }
}

/** Buffers of records are handed over, not copied. */
function say(port: MessagePort, message: SinkMessage): void {
  port.postMessage(message, 'records' in message ? [message.records] : []);
}
