// Following a real kernel against listing it: random operations of iproute2, and what kernels do in silence.
import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeObservations } from '../../src/core/records.ts';
import { execute } from '../../src/lab/execute.ts';
import { NetworkNamespaces, namespaceProcesses } from '../../src/lab/namespaces.ts';
import { waitUntil } from '../../src/lab/processes.ts';
import { formatIpAddress } from '../../src/net/ip-address.ts';
import { formatPrefix } from '../../src/net/prefix.ts';
import { KernelFollower } from '../../src/sources/kernel/follower.ts';
import type { KernelSourceMessage } from '../../src/sources/kernel/messages.ts';
import { listKernelRoutes } from '../naive/kernel-routes.ts';

const TABLE = 100;
const BGP = 186;

/** A namespace with two devices, and a follower that tells what it learned. */
class FollowedKernel {
  readonly namespace: string;
  readonly #namespaces: NetworkNamespaces;
  readonly #devices = new Map<number, string>();
  readonly #follower: KernelFollower;
  readonly learned = new Map<string, string>();
  readonly learnedInMain = new Map<string, string>();
  readonly messages: KernelSourceMessage[] = [];

  private constructor(namespaces: NetworkNamespaces, namespace: string, doubtPauseMs: number) {
    this.#namespaces = namespaces;
    this.namespace = namespace;
    const sources = [TABLE, 'main'].map((table) => {
      return { name: `kernel:${table}`, table, isVrf: false, protocol: BGP };
    });
    this.#follower = new KernelFollower({ namespace, sources, doubtPauseMs }, (message) =>
      this.#hear(message),
    );
  }

  static async create(label: string, doubtPauseMs: number): Promise<FollowedKernel> {
    const namespaces = new NetworkNamespaces(`follow-${label}-${process.pid}`);
    const namespace = await namespaces.add('node');
    const other = await namespaces.add('peer');
    for (const n of [1, 2]) {
      const addresses = (host: number) => [`10.1.${n}.${host}/24`, `2001:db8:${n}::${host}/64`];
      await namespaces.link(
        { namespace, device: `up${n}`, addresses: addresses(1) },
        { namespace: other, device: `dn${n}`, addresses: addresses(2) },
      );
    }
    const kernel = new FollowedKernel(namespaces, namespace, doubtPauseMs);
    const links = JSON.parse(await kernel.ip('-json', 'link')) as {
      ifindex: number;
      ifname: string;
    }[];
    for (const { ifindex, ifname } of links) kernel.#devices.set(ifindex, ifname);
    return kernel;
  }

  async start(): Promise<void> {
    await this.#follower.start();
    await this.untilFollowing();
  }

  async untilFollowing(): Promise<void> {
    await waitUntil(async () => this.state === 'following', { what: 'following' });
  }

  get state(): string | undefined {
    const states = this.messages.filter((message) => message.type === 'state');
    return states.at(-1)?.state;
  }

  get listings(): number {
    return this.messages.filter(({ type, source }) => type === 'listed' && source === 'kernel:100')
      .length;
  }

  ip(...args: readonly string[]): Promise<string> {
    return execute('ip', ['-n', this.namespace, ...args]);
  }

  /** The process id of `ip monitor`. */
  async monitor(): Promise<number> {
    let found: number | undefined;
    await waitUntil(
      async () => {
        for (const each of await namespaceProcesses(this.namespace)) {
          const line = await readFile(`/proc/${each}/cmdline`, 'latin1').catch(() => '');
          if (line.includes('monitor')) found = each;
        }
        return found !== undefined;
      },
      { what: 'ip monitor' },
    );
    return found!;
  }

  /** As a sweep after a refresh does: what was not told since the last loss goes. */
  forgetStale(): void {
    const lost = this.messages.findLastIndex(
      (message) => message.type === 'state' && message.state === 'lost',
    );
    const told = this.messages.slice(lost).flatMap((message) => {
      if (message.type !== 'routes') return [];
      return decodeObservations(message.records, message.byteLength);
    });
    const kept = new Set(told.map(({ prefix }) => formatPrefix(prefix)));
    for (const prefix of this.learned.keys()) if (!kept.has(prefix)) this.learned.delete(prefix);
  }

  /** Whether routes are told of, and listed with their ways, when their next-hop object changes. */
  async setCompatible(isCompatible: boolean): Promise<void> {
    const setting = `net.ipv4.nexthop_compat_mode=${Number(isCompatible)}`;
    await execute('sysctl', ['-q', '-w', setting], { namespace: this.namespace });
  }

  /** One process for all lines; the kernel may refuse some. */
  async batch(lines: readonly string[]): Promise<void> {
    const args = ['-n', this.namespace, '-force', '-batch', '-'];
    await execute('ip', args, { input: `${lines.join('\n')}\n` }).catch(() => undefined);
  }

  /** What a listing says now, once the follower says the same. */
  async untilAlike(after: readonly string[] = []): Promise<Map<string, string>> {
    let listed = new Map<string, string>();
    const isAlike = async () => {
      listed = await listKernelRoutes(this.namespace, TABLE, BGP);
      return text(listed) === text(this.learned);
    };
    await waitUntil(isAlike, { what: 'the same routes', timeoutMs: 8000 }).catch((cause) => {
      const sides = `listed\n${text(listed)}\nfollowed\n${text(this.learned)}`;
      throw new Error(`after\n${after.join('\n')}\n${sides}`, { cause });
    });
    return listed;
  }

  async dispose(): Promise<void> {
    this.#follower.stop();
    await this.#namespaces[Symbol.asyncDispose]();
  }

  #hear(message: KernelSourceMessage): void {
    this.messages.push(message);
    if (message.type !== 'routes') return;
    const learned = message.source === 'kernel:main' ? this.learnedInMain : this.learned;
    for (const { prefix, set } of decodeObservations(message.records, message.byteLength)) {
      if (set === undefined) learned.delete(formatPrefix(prefix));
      else {
        const ways = set.members.map(({ address, interfaceIndex, weight }) => {
          const device = interfaceIndex === 0 ? '' : `%${this.#devices.get(interfaceIndex)}`;
          return `${formatIpAddress(address)}${device}×${weight}`;
        });
        learned.set(formatPrefix(prefix), ways.sort().join(' '));
      }
    }
  }
}

function text(routes: ReadonlyMap<string, string>): string {
  return [...routes]
    .map(([prefix, ways]) => `${prefix} → ${ways}`)
    .sort()
    .join('\n');
}

const tail = (metric: number) => `table ${TABLE} proto ${BGP} metric ${metric}`;

const device = fc.integer({ min: 1, max: 2 });
const host = fc.integer({ min: 2, max: 5 });
const metric = fc.constantFrom(20, 20, 20, 30);
const id = fc.integer({ min: 1, max: 4 });
const groupId = fc.integer({ min: 11, max: 12 });
const prefix4 = fc.integer({ min: 0, max: 3 }).map((n) => `10.9.${n}.0/24`);
const prefix6 = fc.integer({ min: 0, max: 3 }).map((n) => `2001:db8:9${n}::/48`);
const way4 = fc.tuple(device, host).map(([n, h]) => `via 10.1.${n}.${h} dev up${n}`);
const way6 = fc
  .tuple(device, host, fc.boolean())
  .map(([n, h, isLocal]) => `via ${isLocal ? 'fe80' : `2001:db8:${n}`}::${h} dev up${n}`);
const verb = fc.constantFrom('add', 'append', 'replace', 'replace', 'prepend', 'change', 'del');

const ways = (way: fc.Arbitrary<string>) =>
  fc
    .uniqueArray(fc.tuple(way, fc.integer({ min: 1, max: 3 })), {
      minLength: 2,
      maxLength: 3,
      selector: ([each]) => each,
    })
    .map((list) => list.map(([each, weight]) => `nexthop ${each} weight ${weight}`).join(' '));

const anyObject = fc.oneof(id, groupId);
const route = (prefix: fc.Arbitrary<string>, way: fc.Arbitrary<string>) =>
  fc
    .tuple(
      verb,
      fc.constantFrom('', '', '', 'blackhole '),
      prefix,
      fc.oneof(
        way,
        ways(way),
        anyObject.map((each) => `nhid ${each}`),
        device.map((n) => `dev up${n}`),
      ),
      metric,
    )
    .map(([what, type, dst, by, at]) =>
      type === ''
        ? `route ${what} ${dst} ${tail(at)} ${by}`
        : `route ${what} ${type}${dst} ${tail(at)}`,
    );

const operation = fc.oneof(
  { weight: 6, arbitrary: route(prefix4, way4) },
  { weight: 6, arbitrary: route(prefix6, way6) },
  {
    weight: 1,
    arbitrary: prefix4.map((dst) => `route replace ${dst} ${tail(20)} via inet6 fe80::7 dev up1`),
  },
  {
    weight: 1,
    arbitrary: prefix4.map(
      (dst) => `route append ${dst} table ${TABLE} proto 4 metric 20 via 10.1.1.2`,
    ),
  },
  { weight: 3, arbitrary: fc.tuple(id, way4).map(([n, by]) => `nexthop replace id ${n} ${by}`) },
  { weight: 1, arbitrary: fc.tuple(id, way6).map(([n, by]) => `nexthop replace id ${n} ${by}`) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(groupId, id, id)
      .map(([g, a, b]) => `nexthop replace id ${g} group ${a},2/${b}`),
  },
  { weight: 1, arbitrary: anyObject.map((n) => `nexthop del id ${n}`) },
  { weight: 1, arbitrary: device.map((n) => `link set up${n} down`) },
  { weight: 2, arbitrary: device.map((n) => `link set up${n} up`) },
);

/** What FRR does, and what else says all in its lines. */
const plainOperation = fc.oneof(
  fc
    .tuple(fc.oneof(prefix4, prefix6), anyObject, metric)
    .map(([dst, n, at]) => `route replace ${dst} ${tail(at)} nhid ${n}`),
  fc
    .tuple(fc.oneof(prefix4, prefix6), anyObject, metric)
    .map(([dst, n, at]) => `route del ${dst} ${tail(at)} nhid ${n}`),
  fc
    .tuple(fc.constantFrom('add', 'append', 'replace', 'del'), fc.oneof(way6, ways(way6)), metric)
    .map(([what, by, at]) => `route ${what} 2001:db8:a::/48 ${tail(at)} ${by}`),
  fc.tuple(id, fc.oneof(way4, way6)).map(([n, by]) => `nexthop replace id ${n} ${by} proto 11`),
  fc
    .tuple(groupId, id, id)
    .map(([g, a, b]) => `nexthop replace id ${g} group ${a},2/${b} proto 11`),
  anyObject.map((n) => `nexthop del id ${n}`),
);

describe.runIf(process.getuid?.() === 0)('following FRR', () => {
  let kernel: FollowedKernel;

  beforeAll(async () => {
    kernel = await FollowedKernel.create('frr', 86_400_000);
    await kernel.start();
  });
  afterAll(() => kernel?.dispose());

  it('needs no second listing, whatever FRR does', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(plainOperation, { minLength: 1, maxLength: 12 }),
        fc.boolean(),
        async (lines, isCompatible) => {
          // Without it the kernel tells of an object and not of its routes; a listing needs it to show their ways.
          await kernel.setCompatible(isCompatible);
          await kernel.batch(lines);
          await kernel.setCompatible(true);
          await kernel.untilAlike(lines);
        },
      ),
      { numRuns: 60, endOnFailure: true },
    );
  }, 60_000);
});

describe.runIf(process.getuid?.() === 0)('following a kernel', () => {
  let kernel: FollowedKernel;

  beforeAll(async () => {
    kernel = await FollowedKernel.create('kernel', 0);
    await kernel.start();
  });
  afterAll(() => kernel?.dispose());

  it('tells the routes of one table apart from those of the other', async () => {
    await kernel.batch([`route add 10.8.0.0/24 proto ${BGP} via 10.1.1.2`]);
    await waitUntil(async () => kernel.learnedInMain.size === 1, { what: 'one route' });
    await kernel.batch([`route del 10.8.0.0/24 proto ${BGP}`]);
    await waitUntil(async () => kernel.learnedInMain.size === 0, { what: 'no route' });
    expect(kernel.learned.size).toBe(0);
  });

  it('comes to what a listing says, whatever is done', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 12 }), async (lines) => {
        await kernel.batch(lines);
        await kernel.untilAlike(lines);
      }),
      { numRuns: 60, endOnFailure: true },
    );
  }, 60_000);

  it('lists again when an address went that routes are sent from', async () => {
    await kernel.batch(['link set up1 up', 'address add 10.1.1.7/24 dev up1']);
    // Only a route in the table of the device goes with its source.
    const sent = `10.9.7.0/24 proto ${BGP} metric 20 via 10.1.1.2 dev up1 src 10.1.1.7`;
    const learned = kernel.learnedInMain;
    await kernel.batch([`route replace ${sent}`]);
    await waitUntil(async () => learned.has('10.9.7.0/24'), { what: 'the route' });
    await kernel.batch(['address del 10.1.1.7/24 dev up1']);
    expect(await kernel.ip('route', 'show', '10.9.7.0/24')).toBe('');
    await waitUntil(async () => !learned.has('10.9.7.0/24'), { what: 'the route gone' });
  });

  it('lists once when the monitor missed lines, and tells the difference', async () => {
    const before = kernel.listings;
    const monitor = await kernel.monitor();
    process.kill(monitor, 'SIGSTOP');
    try {
      // More than its socket's buffer holds.
      await kernel.batch(manyRoutes('add'));
    } finally {
      process.kill(monitor, 'SIGCONT');
    }
    expect((await kernel.untilAlike()).size).toBeGreaterThan(60_000);
    expect(await kernel.monitor()).toBe(monitor);
    expect(kernel.listings).toBe(before); // told as a difference: nothing was lost
  }, 30_000);

  it('is lost when the monitor dies, and tells everything again', async () => {
    const before = kernel.listings;
    const monitor = await kernel.monitor();
    process.kill(monitor, 'SIGKILL');
    await waitUntil(async () => kernel.state === 'lost', { what: 'lost' });
    await kernel.batch([`route flush table ${TABLE} proto ${BGP}`]);
    await kernel.untilFollowing();
    expect(kernel.listings).toBe(before + 1);
    await kernel.batch([`route replace 10.9.0.0/24 ${tail(20)} via 10.1.1.2 dev up1`]);
    // What was told before it was lost and is not told again goes with the end of the refresh.
    kernel.forgetStale();
    await kernel.untilAlike();
    expect(await kernel.monitor()).not.toBe(monitor);
  }, 30_000);
});

function manyRoutes(what: string): string[] {
  return Array.from({ length: 65_536 }, (_, n) => {
    return `route ${what} 11.${n >> 8}.${n & 255}.0/24 ${tail(20)} via 10.1.1.2 dev up1`;
  });
}
