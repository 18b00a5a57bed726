// A BGP speaker that takes the feed: Rutter or a peer, started the same way and asked the same questions.
import type { Sample } from '../harness/scenario.ts';
import type { Site } from './site.ts';

export interface ReceiverOptions {
  /** Programs the kernel's main table as well. */
  readonly intoKernel: boolean;
  /** Sessions; default: one. */
  readonly feeds?: number;
  /** Feeds that are equally good share the load; otherwise one of them is chosen. */
  readonly isMultipath?: boolean;
}

export interface Receiver {
  readonly name: string;
  /** Undefined when it is not installed. */
  version(): Promise<string | undefined>;
  /** Resolves when it waits for the feed's session. */
  start(site: Site, options: ReceiverOptions): Promise<RunningReceiver>;
}

export interface RunningReceiver {
  /** Everything that works for it; children of these are counted by themselves. */
  readonly pids: readonly number[];
  /** Time between two questions for the count, where counting costs it much; default: the scenario's. */
  readonly pollMs?: number;
  /** Routes learned from the feeds and decided on. */
  routeCount(): Promise<number>;
  /** Figures only this one can tell, by metric key. */
  figures?(): Promise<Record<string, number>>;
  /** Whether what it has programmed forwards as the routes say, where it can tell (harness/verified.ts); rejects when not. */
  verify?(): Promise<Sample>;
}
