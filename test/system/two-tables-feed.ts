// A peer with two tables: sends one or the other at the beginning of a session, or changes from one to the other within it.
//
// The program that runs in the peer's namespace, and whoever starts it: `open one`, `change other`, `close` on standard input, each answered by a line.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { FeedSession } from '../../bench/feed/session.ts';
import { feedAt, ROUTER_ADDRESS, type Site } from '../../bench/peers/site.ts';
import { asSequence } from '../../src/bgp/attributes/as-path.ts';
import {
  encodeAnnouncement,
  encodeEndOfRib,
  encodeWithdrawal,
} from '../../src/bgp/messages/update.ts';
import { inNamespace } from '../../src/lab/execute.ts';
import { parseIpAddress } from '../../src/net/ip-address.ts';
import { parsePrefix } from '../../src/net/prefix.ts';
import { type RouteTable, twoTables } from './two-tables.ts';

export type TableName = 'one' | 'other';

const CONNECT_DEADLINE_MS = 30_000;
const wire = { fourOctetAs: true, maxMessageBytes: 4096 };

export class TwoTablesFeed {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    this.#answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  static start(site: Site, blockCount: number): TwoTablesFeed {
    const program = [import.meta.filename, String(blockCount)];
    const [command, args] = inNamespace(site.feedNamespace, process.execPath, program);
    const child = spawn(command, args);
    child.stderr.pipe(process.stderr);
    site.onClose(async () => {
      if (child.exitCode !== null) return;
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    });
    return new TwoTablesFeed(child);
  }

  /** Resolves when the session is established and the table is in the receiver's TCP. */
  open(table: TableName): Promise<void> {
    return this.#say(`open ${table}`);
  }

  /** Brings the receiver of the session from one table to another. */
  change(to: TableName): Promise<void> {
    return this.#say(`change ${to}`);
  }

  close(): Promise<void> {
    return this.#say('close');
  }

  async #say(words: string): Promise<void> {
    this.#child.stdin.write(`${words}\n`);
    const { value } = await this.#answers.next();
    if (value !== words) throw new Error(`feed: ${value}, expected ${words}`);
  }
}

function announce(routes: Iterable<readonly [string, string]>): Uint8Array[] {
  const byNextHop = Map.groupBy(routes, ([, nextHop]) => nextHop);
  return [...byNextHop].flatMap(([nextHop, members]) => {
    const attributes = {
      origin: 'igp',
      asPath: asSequence([feedAt(0).asn]),
      nextHop: parseIpAddress(nextHop)!,
    } as const;
    const prefixes = members.map(([prefix]) => parsePrefix(prefix)!);
    return encodeAnnouncement(prefixes, attributes, wire);
  });
}

/** Withdrawals first and last announcements mixed as they come: a receiver must be right in between, too. */
function difference(from: RouteTable, to: RouteTable): Uint8Array[] {
  const gone = [...from.keys()].filter((prefix) => !to.has(prefix));
  const changed = [...to].filter(([prefix, nextHop]) => from.get(prefix) !== nextHop);
  return [
    ...encodeWithdrawal(
      gone.map((prefix) => parsePrefix(prefix)!),
      wire,
    ),
    ...announce(changed),
  ];
}

async function obey(blockCount: number): Promise<void> {
  const tables = twoTables(blockCount);
  const { address, asn } = feedAt(0);
  let session: FeedSession | undefined;
  let held: TableName = 'one';
  for await (const words of createInterface({ input: process.stdin })) {
    const [verb, name] = words.split(' ') as [string, TableName];
    if (verb === 'open') {
      session = await FeedSession.open({
        host: ROUTER_ADDRESS,
        port: 179,
        localAddress: address,
        localAs: asn,
        routerId: parseIpAddress(address)!,
        connectDeadlineMs: CONNECT_DEADLINE_MS,
      });
      await session.write(
        Buffer.concat([...announce(tables[name]), encodeEndOfRib('ipv4-unicast')]),
      );
      await session.acknowledged();
      held = name;
    } else if (verb === 'change') {
      await session!.write(Buffer.concat(difference(tables[held], tables[name])));
      await session!.acknowledged();
      held = name;
    } else session?.close();
    process.stdout.write(`${words}\n`);
  }
}

if (import.meta.main) await obey(Number(process.argv[2]));
