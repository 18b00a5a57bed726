// The feed as a child of the harness: started in its namespace, told what to send, asked when it did.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { inNamespace } from '../../src/lab/execute.ts';
import { feedAt, ROUTER_ADDRESS, type Site } from '../peers/site.ts';
import type { ChurnKind } from './churn.ts';

interface FeedEvent {
  readonly event: string;
  /** Nanoseconds of the monotonic clock. */
  readonly at: number;
  readonly prefix?: string;
  readonly reason?: string;
  readonly updates?: number;
  readonly seconds?: number;
  readonly endedAt?: number;
  readonly silenceMs?: number;
}

export interface ChurnRequest {
  readonly kind: ChurnKind;
  readonly routes: number;
  /** UPDATEs per second; 0: as fast as they are taken. */
  readonly rate: number;
  readonly seconds: number;
  readonly nextHop: string;
}

export interface ChurnDone {
  readonly updates: number;
  /** From the first byte until the receiver's TCP had the last. */
  readonly seconds: number;
  /** When the last UPDATE was given to the system. */
  readonly endedAt: number;
  /** When the receiver's TCP had it. */
  readonly at: number;
  /** The longest that the receiver said nothing. */
  readonly silenceMs: number;
}

export interface FeedProcessOptions {
  /** Next hops by which neighbourhoods of the table go. Of a set, feed number `index` announces member `index`, and nothing where there is none. */
  readonly labels?: NextHopSets;
  /** Neighbours instead of prefixes from all over the table. */
  readonly isStretch?: boolean;
  /** Number of the feed, where there are several: its address and AS. */
  readonly index?: number;
}

/** Each one a label: a single next hop, or several that share the load. */
export type NextHopSets = readonly (readonly string[])[];

const PROGRAM = join(import.meta.dirname, `../feed${extname(import.meta.filename)}`);

export class FeedProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #seen: FeedEvent[] = [];
  #wake: () => void = () => undefined;
  #errors = '';
  #ended = false;

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#seen.push(JSON.parse(line) as FeedEvent);
      this.#wake();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      this.#errors = (this.#errors + chunk.toString()).slice(-2000);
    });
    child.once('close', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** Resolves when the table is encoded; the session is tried from then on. */
  static async start(
    site: Site,
    routes: number,
    { labels = [], isStretch = false, index = 0 }: FeedProcessOptions = {},
  ): Promise<FeedProcess> {
    const { address, asn } = feedAt(index);
    const args = [
      ...[PROGRAM, '--wait', '--connect', `${ROUTER_ADDRESS}:179`],
      ...['--local-address', address, '--local-as', String(asn), '--router-id', address],
      ...['--next-hop', address, '--routes', String(routes)],
      ...(isStretch ? ['--stretch'] : []),
      ...(labels.length > 0 ? ['--labels', labels.map((set) => set[index] ?? '').join(',')] : []),
    ];
    const [command, list] = inNamespace(site.feedNamespace, process.execPath, args);
    const feed = new FeedProcess(spawn(command, list));
    site.onClose(() => feed.stop());
    await feed.#next('ready');
    return feed;
  }

  async established(): Promise<void> {
    await this.#next('established');
  }

  /** Resolves with the time of the first byte. The rest goes on by itself: acknowledged() tells its end. */
  async beginTable(): Promise<number> {
    this.#child.stdin.write('send\n');
    return (await this.#next('begin')).at;
  }

  /** Time at which the receiver's TCP had everything. */
  async acknowledged(): Promise<number> {
    return (await this.#next('acknowledged')).at;
  }

  /** Sends one route again with another next hop; resolves with when it was written. */
  async change(route: number, nextHop: string): Promise<{ at: number; prefix: string }> {
    this.#child.stdin.write(`change ${route} ${nextHop}\n`);
    const { at, prefix } = await this.#next('changed');
    return { at, prefix: prefix ?? '' };
  }

  /** Resolves when the routes are restless no more, and as they were before. */
  async churn({ kind, routes, rate, seconds, nextHop }: ChurnRequest): Promise<ChurnDone> {
    this.#child.stdin.write(`churn ${kind} ${routes} ${rate} ${seconds} ${nextHop}\n`);
    const {
      at,
      updates = 0,
      seconds: took = 0,
      endedAt = 0,
      silenceMs = 0,
    } = await this.#next('churned');
    return { at, updates, seconds: took, endedAt, silenceMs };
  }

  async stop(): Promise<void> {
    if (this.#ended) return;
    const closed = once(this.#child, 'close');
    this.#child.kill('SIGKILL');
    await closed;
  }

  /** The first event of that name not yet taken; events before it are passed over. */
  async #next(name: string): Promise<FeedEvent> {
    for (;;) {
      const event = this.#seen.shift();
      if (event?.event === name) return event;
      if (event?.event === 'closed') throw new Error(`feed: session lost: ${event.reason}`);
      if (event !== undefined) continue;
      if (this.#ended) throw new Error(`feed ended while ${name} was awaited: ${this.#errors}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
