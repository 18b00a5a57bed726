// What a session under test learned: an UpdateReceiver that keeps every route with its attributes, for comparison.

import { describeMessage } from '../../src/bgp/messages/describe.ts';
import type {
  ReceivedChunk,
  ReceiverSession,
  UpdateReceiver,
} from '../../src/bgp/update-receiver.ts';
import type { AddressFamily } from '../../src/net/address-family.ts';
import { RecordingReceiver } from '../bgp/recording-receiver.ts';

export interface LearnedRoute {
  readonly nextHop: string | undefined;
  readonly origin: string | undefined;
  readonly asPath: readonly unknown[];
  readonly med: number | undefined;
  readonly localPref: number | undefined;
  readonly communities: readonly string[];
  readonly largeCommunities: readonly string[];
}

export class LearnedRoutes implements UpdateReceiver {
  readonly #frames = new RecordingReceiver();
  /** By prefix and path identifier. */
  readonly #routes = new Map<string, LearnedRoute>();
  readonly #stale = new Set<string>();
  #session: ReceiverSession | undefined;

  get calls(): readonly string[] {
    return this.#frames.calls;
  }

  get(prefix: string): LearnedRoute | undefined {
    return this.#routes.get(keyOf({ prefix }));
  }

  /** Every path of a prefix (RFC 7911). */
  paths(prefix: string): LearnedRoute[] {
    const isPath = ([key]: [string, LearnedRoute]) => key.startsWith(`${prefix} `);
    return [...this.#routes].filter(isPath).map(([, route]) => route);
  }

  count(family: AddressFamily): number {
    let count = 0;
    for (const prefix of this.#routes.keys()) if (familyOf(prefix) === family) count++;
    return count;
  }

  open(session: ReceiverSession): void {
    this.#session = session;
    this.#frames.open(session);
  }

  receive(chunk: Uint8Array): ReceivedChunk {
    return this.#take(this.#frames.receive(chunk));
  }

  resume(): ReceivedChunk {
    return this.#take(this.#frames.resume());
  }

  close(retain: readonly AddressFamily[]): void {
    this.#frames.close(retain);
    for (const prefix of this.#routes.keys()) {
      if (retain.includes(familyOf(prefix))) this.#stale.add(prefix);
      else this.#routes.delete(prefix);
    }
  }

  beginRefresh(family: AddressFamily): void {
    this.#frames.beginRefresh(family);
    for (const prefix of this.#routes.keys()) {
      if (familyOf(prefix) === family) this.#stale.add(prefix);
    }
  }

  endRefresh(family: AddressFamily): void {
    this.#frames.endRefresh(family);
    for (const prefix of this.#stale) {
      if (familyOf(prefix) !== family) continue;
      this.#stale.delete(prefix);
      this.#routes.delete(prefix);
    }
  }

  #take(result: ReceivedChunk): ReceivedChunk {
    const context = {
      fourOctetAs: this.#session!.fourOctetAs,
      addPath: new Set<string>(this.#session!.addPath),
    };
    for (const message of this.#frames.updates.splice(0)) {
      const update = describeMessage(message, context);
      if (update.type !== 'update' || update.errors) {
        throw new Error(`UPDATE that cannot be read: ${Buffer.from(message).toString('hex')}`);
      }
      for (const route of update.withdrawn) this.#routes.delete(keyOf(route));
      const { attributes } = update;
      for (const route of update.announced) {
        this.#stale.delete(keyOf(route));
        this.#routes.set(keyOf(route), {
          nextHop: route.nextHop,
          origin: attributes.origin,
          asPath: attributes.asPath ?? [],
          med: attributes.med,
          localPref: attributes.localPref,
          communities: attributes.communities ?? [],
          largeCommunities: attributes.largeCommunities ?? [],
        });
      }
    }
    return result;
  }
}

function familyOf(prefix: string): AddressFamily {
  return prefix.includes(':') ? 'ipv6-unicast' : 'ipv4-unicast';
}

function keyOf(route: { readonly prefix?: string; readonly pathId?: number }): string {
  return `${route.prefix} ${route.pathId ?? 0}`;
}
