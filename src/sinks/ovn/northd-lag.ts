// How long northd takes over what we write: from the commit in Northbound to the flow in Southbound.
//
// NB_Global's nb_cfg would tell, and belongs to the CMS. What is watched instead is the flow of one of our own rows: northd writes the first
// eight digits of a static route's uuid into its flows as `stage-hint`. Before a transaction that inserts or changes that row, Southbound is
// asked to tell of flows with this hint and no others; when one comes after the commit, the row has been through northd. One row is
// measured at a time, and nothing is asked while we write nothing.
//
// The figure is a guess of how long the next round will take (turns.ts says what for). Where Southbound cannot be read, or northd does not answer
// within GIVE_UP_MS, there is no guess and nobody waits for northd.
import { OvsdbError } from '../../ovsdb/errors.ts';
import { JsonRpc } from '../../ovsdb/json-rpc.ts';
import { openStream, type Remote, type TlsFiles } from '../../ovsdb/remote.ts';
import { atOnce } from '../../ovsdb/slices.ts';

const SOUTHBOUND = 'OVN_Southbound';
const FLOW_TABLE = 'Logical_Flow';
const MONITOR = 'rutter-northd-lag';
const HINT_LENGTH = 8;

const CONNECT_TIMEOUT_MS = 5000;
const RECONNECT_MS = 15_000;
/** A round of northd that takes longer is none that we wait for. */
const GIVE_UP_MS = 20_000;
/** Nobody waits longer than this for northd, whatever was measured. */
const LONGEST_WINDOW_MS = 2000;
/** What is written shortly before northd looks again is in time. */
const SHARE_OF_LAG = 0.8;

export interface NorthdLagOptions {
  /** Servers of the Southbound database, any of them: what it tells is only measured. */
  readonly remotes: readonly Remote[];
  readonly tls?: TlsFiles | undefined;
}

/** A row about to be written. */
export interface Marker {
  readonly uuid: string;
  /** Southbound has no flow of it yet. */
  readonly isNew: boolean;
}

interface Measurement extends Marker {
  committedAt: number | undefined;
  /** Flows that are there already have been told. */
  isArmed: boolean;
}

export class NorthdLag {
  readonly #options: NorthdLagOptions;
  #rpc: JsonRpc | undefined;
  #isMonitoring = false;
  #measurement: Measurement | undefined;
  #lastMs: number | undefined;
  #attempt = 0;
  #reconnectTimer: NodeJS.Timeout | undefined;
  #giveUpTimer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: NorthdLagOptions) {
    this.#options = options;
  }

  start(): void {
    void this.#connect();
  }

  /** The last measured time, undefined when there is none. */
  get lastMs(): number | undefined {
    return this.#lastMs;
  }

  /** How long to wait with what is not urgent after a write. */
  get windowMs(): number {
    return Math.min(LONGEST_WINDOW_MS, SHARE_OF_LAG * (this.#lastMs ?? 0));
  }

  /** To be called before the transaction that writes the row; the first of several rows is taken. */
  expect(marker: Marker | undefined): void {
    if (marker === undefined || this.#measurement !== undefined || !this.#isMonitoring) return;
    const measurement: Measurement = { ...marker, committedAt: undefined, isArmed: marker.isNew };
    this.#measurement = measurement;
    const hint = marker.uuid.slice(0, HINT_LENGTH);
    const where = [['external_ids', 'includes', ['map', [['stage-hint', hint]]]]];
    this.#rpc!.request(
      'monitor_cond_change',
      [MONITOR, MONITOR, { [FLOW_TABLE]: [{ where }] }],
      () => {
        measurement.isArmed = true;
      },
    ).catch(() => this.#end(undefined));
    this.#giveUpTimer = setTimeout(() => this.#end(undefined), GIVE_UP_MS).unref();
  }

  /** To be called when a transaction is answered. */
  committed(marker: Marker | undefined): void {
    const measurement = this.#measurement;
    if (measurement !== undefined && measurement.uuid === marker?.uuid) {
      measurement.committedAt ??= performance.now();
    }
  }

  /** The transaction was refused: no flow will come of it. */
  refused(marker: Marker | undefined): void {
    if (this.#measurement !== undefined && this.#measurement.uuid === marker?.uuid) {
      this.#end(this.#lastMs);
    }
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#reconnectTimer);
    this.#rpc?.close(new OvsdbError('not-connected', 'closed by us'));
  }

  #end(ms: number | undefined): void {
    clearTimeout(this.#giveUpTimer);
    this.#measurement = undefined;
    this.#lastMs = ms;
  }

  async #connect(): Promise<void> {
    const { remotes, tls } = this.#options;
    try {
      const remote = remotes[this.#attempt++ % remotes.length]!;
      const stream = await openStream(remote, tls, CONNECT_TIMEOUT_MS);
      if (this.#isClosed) stream.destroy();
      else await this.#monitor(new JsonRpc(stream, this.#handlers()));
    } catch {
      this.#reconnectLater();
    }
  }

  #handlers() {
    return {
      notification: atOnce((method: string, params: readonly unknown[]) =>
        this.#hear(method, params),
      ),
      closed: () => this.#reconnectLater(),
    };
  }

  async #monitor(rpc: JsonRpc): Promise<void> {
    this.#rpc = rpc;
    const request = { columns: ['external_ids'], where: [false] };
    await rpc.request('monitor_cond', [SOUTHBOUND, MONITOR, { [FLOW_TABLE]: [request] }]);
    this.#isMonitoring = true;
  }

  /** Without Southbound nothing is known; routes are written all the same. */
  #reconnectLater(): void {
    this.#isMonitoring = false;
    this.#end(undefined);
    if (this.#isClosed) return;
    clearTimeout(this.#reconnectTimer);
    this.#reconnectTimer = setTimeout(() => void this.#connect(), RECONNECT_MS).unref();
  }

  #hear(method: string, [, tables]: readonly unknown[]): void {
    const measurement = this.#measurement;
    if (method !== 'update2' || measurement?.isArmed !== true) return;
    const flows = (tables as Record<string, Record<string, object>>)[FLOW_TABLE] ?? {};
    if (!Object.values(flows).some((change) => 'insert' in change)) return;
    // The flow may be told before the commit's answer is read.
    this.#end(performance.now() - (measurement.committedAt ?? performance.now()));
  }
}
