// Announcements in slices: what is bad news comes first, no slice is long, and nothing comes out otherwise than in one go.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnnouncementBacklog } from '../../src/agent/announcement-backlog.ts';
import { parsePrefix } from '../../src/net/prefix.ts';
import type { NetworkRequests } from '../../src/networks/announcements/announcement.ts';
import {
  AnnouncementTable,
  type ChangedPrefix,
} from '../../src/networks/announcements/announcement-table.ts';
import { OvnCandidates } from '../../src/networks/announcements/ovn-candidates.ts';
import type { OvnRequest } from '../../src/networks/announcements/ovn-request.ts';
import type { RowChange } from '../../src/ovsdb/monitor.ts';
import { OvnModel } from '../networks/announcements/ovn-model.ts';

const NETWORKS = ['blue', 'red'] as const;

/** A node with switches `blue` and `red`, announced by the networks of these names; red's prefixes in blue's sessions too. */
class Site {
  readonly #model = new OvnModel();
  readonly #table = new AnnouncementTable();
  readonly #candidates = new OvnCandidates(NETWORKS.map(portsOf), 'node', (subject) =>
    this.#table.has(subject),
  );
  readonly #backlog: AnnouncementBacklog;
  readonly #slices: (() => void)[] = [];
  readonly #ports: Readonly<Record<string, Set<string>>> = { blue: new Set(), red: new Set() };
  #time = 0;
  /** `+blue 10.0.0.1/32` into the sessions of blue, `-…` out of them, in the order of saying. */
  readonly said: string[] = [];
  /** What the sessions hold. */
  readonly told = new Set<string>();
  emptied = 0;
  longestSlice = 0;

  /** `stepMs`: how long a step takes. */
  constructor(stepMs: number) {
    this.#backlog = new AnnouncementBacklog({
      read: (most) => {
        this.#time += stepMs;
        if (!this.#candidates.hasTouched) return false;
        const touched = this.#candidates.takeTouched(most);
        for (const [subject, found] of touched) this.#table.setCandidates(subject, found);
        return true;
      },
      takeChanges: () => this.#table.takeChanges(),
      isInPlace: ({ text }) => NETWORKS.some((name) => this.told.has(`${name} ${text}`)),
      settle: (changes) => {
        this.#time += stepMs;
        for (const change of changes) this.#settle(change);
      },
      onEmpty: () => this.emptied++,
      now: () => this.#time,
      schedule: (slice) => this.#slices.push(slice),
    });
    this.#table.configure(NETWORKS.map(requestsOf));
    this.#candidates.setChassis('chassis');
  }

  #settle({ network, text }: ChangedPrefix): void {
    for (const place of this.#table.announcedIn(network)) {
      const verdicts = this.#table.verdicts(place, text);
      const key = `${place} ${text}`;
      const isReady = verdicts.some(({ state }) => state === 'ready');
      if (isReady === this.told.has(key)) continue;
      this.said.push(`${isReady ? '+' : '-'}${key}`);
      if (isReady) this.told.add(key);
      else this.told.delete(key);
    }
  }

  /** A port of a switch, up here or not. */
  port(name: string, color: string, prefix: string, up = true): RowChange[] {
    this.#ports[color]!.add(name);
    const addresses = new Set([`00:00:00:00:00:01 ${prefix}`]);
    return [
      this.#model.put('Logical_Switch_Port', name, { name, up: true, addresses }),
      this.#model.put('Logical_Switch', color, { name: color, ports: new Set(this.#ports[color]) }),
      this.#binding(name, up),
    ];
  }

  #binding(name: string, up: boolean): RowChange {
    const columns = { logical_port: name, chassis: 'chassis', up };
    return this.#model.put('Port_Binding', `binding of ${name}`, columns);
  }

  down(name: string): RowChange[] {
    return [this.#binding(name, false)];
  }

  /** A message of the database. */
  hear(changes: readonly RowChange[]): this {
    this.#candidates.take(changes);
    return this.#timed(() => this.#backlog.work());
  }

  /** The next turn; false: nothing was left for it. */
  turn(): boolean {
    const slice = this.#slices.shift();
    if (slice) this.#timed(slice);
    return slice !== undefined;
  }

  finish(): this {
    while (this.turn());
    return this;
  }

  #timed(work: () => void): this {
    const start = this.#time;
    work();
    this.longestSlice = Math.max(this.longestSlice, this.#time - start);
    return this;
  }
}

function portsOf(name: string): OvnRequest {
  return { id: name, network: name, gatewayRouter: undefined, kind: 'switch', what: 'ports', name };
}

function requestsOf(name: string): NetworkRequests {
  return {
    name,
    requests: [{ id: name, attributes: {} }],
    aggregates: [
      {
        prefix: parsePrefix(`10.${name === 'red' ? 0 : 1}.0.0/24`)!,
        suppress: true,
        attributes: {},
      },
    ],
    exports: name === 'red' ? [{ to: 'blue', policy: 'accept' }] : [],
    table: undefined,
  };
}

const load = (site: Site, count: number) =>
  Array.from({ length: count }, (_, each) =>
    site.port(`p${each}`, 'blue', `10.2.${each >> 8}.${each & 255}`),
  ).flat();

describe('AnnouncementBacklog', () => {
  it('holds the main thread for no longer than a slice and a step', () => {
    const site = new Site(1);
    site.hear(load(site, 2000)).finish();
    expect(site.told.size).toBe(2000);
    expect(site.longestSlice).toBeLessThanOrEqual(6);
  });

  it('tells what little has changed in the turn of the message', () => {
    const site = new Site(1);
    site.hear(site.port('vm', 'blue', '10.2.0.1'));
    expect(site.said).toEqual(['+blue 10.2.0.1/32']);
    site.hear(site.down('vm'));
    expect(site.said).toEqual(['+blue 10.2.0.1/32', '-blue 10.2.0.1/32']);
  });

  it('withdraws before it announces what came earlier (P6)', () => {
    const site = new Site(1);
    site.hear(site.port('vm', 'blue', '10.9.0.1'));
    site.hear(load(site, 2000));
    site.hear(site.down('vm'));
    site.finish();
    expect(site.said.slice(0, 2)).toEqual(['+blue 10.9.0.1/32', '-blue 10.9.0.1/32']);
    expect(site.told.size).toBe(2000);
  });

  it('withdraws in the next turn while it announces (P6)', () => {
    const site = new Site(1);
    site.hear(load(site, 2000));
    while (site.told.size === 0) site.turn();
    expect(site.said[0]).toBe('+blue 10.2.0.0/32');
    const before = site.said.length;
    site.hear(site.down('p0')).turn();
    expect(site.said.slice(before).indexOf('-blue 10.2.0.0/32')).toBe(0);
  });

  it('does not announce first what the rest of the load keeps from being announced', () => {
    const site = new Site(1);
    site.hear([...load(site, 2000), ...site.port('vm', 'red', '10.2.0.0')]).finish();
    expect(site.told.has('red 10.2.0.0/32')).toBe(true);
    expect(site.said).not.toContain('+blue 10.2.0.0/32');
  });

  it('says that nothing is left when everything is told, not before', () => {
    const site = new Site(1);
    site.hear(load(site, 2000));
    expect(site.emptied).toBe(0);
    site.finish();
    expect(site.emptied).toBe(1);
  });

  it('comes out the same however it is sliced', () => {
    const event = fc.record({
      name: fc.integer({ min: 0, max: 120 }),
      color: fc.constantFrom(...NETWORKS),
      address: fc.integer({ min: 0, max: 300 }),
      up: fc.boolean(),
      turns: fc.integer({ min: 0, max: 2 }),
    });
    const bulk = fc.array(event, { maxLength: 200 });
    fc.assert(
      fc.property(fc.array(bulk, { maxLength: 4 }), (messages) => {
        const [sliced, whole] = [new Site(3), new Site(0)];
        for (const message of messages) {
          for (const site of [sliced, whole]) {
            const changes = message.flatMap(({ name, color, address, up }) =>
              site.port(
                `${color}-${name}`,
                color,
                `10.${color === 'red' ? address % 2 : 1}.0.${address & 255}`,
                up,
              ),
            );
            site.hear(changes);
            for (let turns = message[0]?.turns ?? 0; turns > 0; turns--) site.turn();
          }
        }
        expect([...sliced.finish().told].sort()).toEqual([...whole.finish().told].sort());
      }),
      { numRuns: 60 },
    );
  });
});
