// Hears a sink and keeps what it says is in place, as text.
import { decodeObservations, type Observation } from '../../src/core/records.ts';
import { formatIpAddress } from '../../src/net/ip-address.ts';
import { formatPrefix } from '../../src/net/prefix.ts';
import type { SinkEvent } from '../../src/sinks/sink.ts';

export class SinkListener {
  readonly types: SinkEvent['type'][] = [];
  readonly states: string[] = [];
  /** Prefix → `address%index*weight …` or `discard`: the last snapshot and what was observed since. */
  readonly installed = new Map<string, string>();
  /** Prefixes of `released` events. */
  readonly released: string[] = [];
  /** Prefix and text of every observation outside snapshots. */
  readonly drift: [string, string][] = [];
  snapshotCount = 0;
  foreignCount = 0;
  #inSnapshot = false;

  get state(): string | undefined {
    return this.states.at(-1);
  }

  ready(): Promise<void> {
    return until(() => this.state === 'ready', 'a ready sink');
  }

  hear(event: SinkEvent): void {
    this.types.push(event.type);
    switch (event.type) {
      case 'state':
        this.states.push(event.state);
        break;
      case 'snapshotBegin':
        this.#inSnapshot = true;
        this.installed.clear();
        break;
      case 'snapshotEnd':
        this.#inSnapshot = false;
        this.snapshotCount++;
        this.foreignCount = event.foreignCount;
        break;
      case 'observed':
        for (const each of decodeObservations(event.records, event.byteLength)) this.#observe(each);
        break;
      case 'released':
        for (const { prefix } of decodeObservations(event.records, event.byteLength)) {
          this.released.push(formatPrefix(prefix));
        }
        break;
      case 'refused':
        break;
    }
  }

  #observe({ prefix, set }: Observation): void {
    const key = formatPrefix(prefix);
    const text = setText(set);
    if (text === '') this.installed.delete(key);
    else this.installed.set(key, text);
    if (!this.#inSnapshot) this.drift.push([key, text]);
  }
}

function setText(set: Observation['set']): string {
  if (set === undefined) return '';
  if (set.discard) return 'discard';
  const members = set.members.map(({ address, interfaceIndex, weight }) => {
    const device = interfaceIndex === 0 ? '' : `%${interfaceIndex}`;
    return `${formatIpAddress(address)}${device}${weight === 1 ? '' : `*${weight}`}`;
  });
  return members.join(' ');
}

/** Waits for a condition that other threads and processes bring about. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 15_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`${what} did not come in ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
