// `rutter replay`: the updates of an MRT file into a running agent as one of its peers, or through a core of our own into nowhere.

import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { ControlClient, ControlError } from '../control/client.ts';
import { formatIpAddress } from '../net/ip-address.ts';
import { readBytes } from '../sources/compression.ts';
import { toFourOctetAs } from '../sources/four-octet-as.ts';
import { readMrt } from '../sources/mrt.ts';
import { type PeerUpdate, updatesOf } from '../sources/mrt-updates.ts';
import { OFFLINE_FIB, OfflineCore } from './offline-core.ts';
import { type OutputFormat, outputOption, printObject } from './output.ts';
import { startProgress } from './progress.ts';
import { socketOption } from './socket-option.ts';

interface ReplayOptions {
  readonly peer: string;
  readonly from?: string;
  readonly rate?: number;
  readonly realTime?: true;
  readonly offline?: true;
  readonly output: OutputFormat;
  readonly socket: string;
}

export function replayCommand(): Command {
  return new Command('replay')
    .description('an MRT file into a running agent, or through the whole path into nowhere')
    .argument('<file>', 'MRT file (plain, gz, bz2, xz)')
    .requiredOption('--peer <name>', "the agent's peer that is to have sent the updates")
    .option('--from <address>', 'only the updates of this peer of the file')
    .addOption(
      new Option('--rate <updates>', 'updates per second')
        .argParser(readRate)
        .conflicts('realTime'),
    )
    .option('--real-time', 'with the pauses of the recording')
    .option('--offline', 'into a core of our own, even if an agent runs')
    .addOption(outputOption())
    .addOption(socketOption())
    .action(replay);
}

function readRate(text: string): number {
  const rate = Number(text);
  if (!(rate > 0)) throw new InvalidArgumentError('must be a number of updates per second');
  return rate;
}

/** What was sent, and how fast. */
interface Sent {
  updateCount: number;
  /** Updates that could not be sent: with path identifiers, which the peer's session has not. */
  leftOutCount: number;
  failure: Error | undefined;
}

async function replay(file: string, options: ReplayOptions, command: Command): Promise<void> {
  const start = performance.now();
  const sent: Sent = { updateCount: 0, leftOutCount: 0, failure: undefined };
  const result = await feed(file, options, sent, command);
  const seconds = (performance.now() - start) / 1000;
  await printObject(
    {
      ...result,
      updates: sent.updateCount,
      ...(sent.leftOutCount > 0 ? { leftOut: sent.leftOutCount } : {}),
      seconds: Number(seconds.toFixed(3)),
      updatesPerSecond: Math.round(sent.updateCount / seconds),
    },
    options.output,
  );
  if (sent.failure !== undefined) throw sent.failure;
}

async function feed(
  file: string,
  options: ReplayOptions,
  sent: Sent,
  command: Command,
): Promise<object> {
  if (options.offline) return intoNowhere(file, options, sent);
  try {
    return await intoAgent(file, options, sent);
  } catch (error) {
    const isAbsent = error instanceof ControlError && error.code === 'no-agent';
    if (!isAbsent || command.getOptionValueSource('socket') === 'cli') throw error;
    Object.assign(sent, { updateCount: 0, leftOutCount: 0, failure: undefined });
    return intoNowhere(file, options, sent);
  }
}

async function intoAgent(file: string, options: ReplayOptions, sent: Sent): Promise<object> {
  const client = new ControlClient(options.socket);
  await client.get('/v1/status'); // without an agent nothing is read
  async function* messages(): AsyncGenerator<Uint8Array> {
    for await (const updates of paced(file, options, sent)) {
      const bodies = updates.flatMap((update) => {
        // The session of an agent's peer has 4-octet AS numbers and no path identifiers from us.
        if (!update.addPath)
          return [update.fourOctetAs ? update.message : toFourOctetAs(update.message)];
        sent.leftOutCount++;
        return [];
      });
      sent.updateCount += bodies.length;
      if (bodies.length > 0) yield Buffer.concat(bodies);
    }
  }
  const answer = await client.post('/v1/replay', { peer: options.peer }, messages());
  return { into: options.socket, peer: options.peer, ...(answer as object) };
}

/** Parsing, tables, decision, FIB and its changes, taken by a sink that keeps nothing. */
async function intoNowhere(file: string, options: ReplayOptions, sent: Sent): Promise<object> {
  const offline = await OfflineCore.create();
  let changeCount = 0;
  for await (const updates of paced(file, options, sent)) {
    for (const update of updates) offline.feed(update, update.seconds);
    sent.updateCount += updates.length;
    changeCount += drain(offline);
  }
  offline.finish();
  changeCount += drain(offline);
  const { announcedCount, withdrawnCount, treatedAsWithdrawCount, sessionResetCount } =
    offline.counts;
  const { routeCount, prefixCount } = offline.core.memory();
  return {
    into: 'nowhere',
    announced: announcedCount,
    withdrawn: withdrawnCount,
    malformed: treatedAsWithdrawCount + sessionResetCount,
    routes: routeCount,
    prefixes: prefixCount,
    changes: changeCount,
  };
}

const BATCH_SIZE = 1000;

function drain({ core }: OfflineCore): number {
  let count = 0;
  for (;;) {
    const batch = core.drain(OFFLINE_FIB, BATCH_SIZE);
    if (batch.count === 0) return count;
    core.acknowledge(OFFLINE_FIB, []);
    count += batch.count;
  }
}

/** Updates in batches, held back as the options say. A file that breaks off is noted, not thrown: what came before counts. */
async function* paced(
  file: string,
  options: ReplayOptions,
  sent: Sent,
): AsyncGenerator<PeerUpdate[]> {
  const pace = startPace(options);
  const size = await stat(file).then(
    (found) => found.size,
    () => undefined, // the reader says what is wrong with it
  );
  const progress = startProgress('replaying', size);
  let batch: PeerUpdate[] = [];
  try {
    for await (const record of readMrt(readBytes(file, (count) => progress.advance(count)))) {
      for (const update of updatesOf(record)) {
        if (options.from !== undefined && formatIpAddress(update.peer.address) !== options.from)
          continue;
        const pauseMs = pace(record.timestamp);
        if (pauseMs > 0 || batch.length >= BATCH_SIZE) {
          yield batch;
          batch = [];
        }
        if (pauseMs > 0) await sleep(pauseMs);
        batch.push(update);
      }
    }
  } catch (error) {
    if (!(error instanceof Error) || error instanceof ControlError) throw error;
    sent.failure = error;
  } finally {
    progress.stop();
  }
  yield batch;
}

/** Milliseconds to wait before the next update, which was recorded at `timestamp` (µs). Short waits are saved up. */
function startPace({ rate, realTime }: ReplayOptions): (timestamp: number) => number {
  const start = performance.now();
  let first: number | undefined;
  let count = 0;
  const dueMs = (timestamp: number) => {
    if (rate !== undefined) return (count++ * 1000) / rate;
    first ??= timestamp;
    return realTime ? (timestamp - first) / 1000 : 0;
  };
  return (timestamp) => {
    const aheadMs = dueMs(timestamp) - (performance.now() - start);
    return aheadMs > 5 ? aheadMs : 0;
  };
}
