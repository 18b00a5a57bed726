// The host's face of assembly/: implements RouteCore over the WebAssembly module. Noun by noun, over one border that owns the memory.
import { Border } from './border.ts';
import { checkCalls } from './check-update.ts';
import { memoryCalls } from './core-memory.ts';
import { type CoreExports, instantiateCore } from './core-module.ts';
import { type FibsOfNetworks, fibCalls } from './fibs.ts';
import { networkCalls } from './networks.ts';
import { peerCalls } from './peers.ts';
import { policyCalls } from './policies.ts';
import { readingCalls } from './reading.ts';
import type { RouteCore } from './route-core.ts';
import { sessionCalls, type UnreadChunks } from './sessions.ts';
import { verificationCalls } from './verification.ts';
import { workCalls } from './work.ts';

const DEFAULT_MAXIMUM_BYTES = 2 ** 30;
/** The last page of a 4 GiB memory stays out of reach: the core's addresses have 32 bits. */
const LARGEST_MAXIMUM_BYTES = 2 ** 32 - 65536;

/** A core with nothing in it. `maximumBytes`: ceiling of its memory; routes that do not fit are refused and counted. */
export async function loadCore({
  maximumBytes = DEFAULT_MAXIMUM_BYTES,
}: {
  readonly maximumBytes?: number;
} = {}): Promise<RouteCore> {
  const exports = await instantiateCore();
  if (!exports.initialise(Math.min(maximumBytes, LARGEST_MAXIMUM_BYTES))) {
    throw new Error(`route core: ${maximumBytes} bytes of memory, expected at least 8 MiB`);
  }
  return faceOf(exports);
}

function faceOf(exports: CoreExports): RouteCore {
  const border = new Border(exports);
  const unread: UnreadChunks = new Map();
  const fibsOfNetworks: FibsOfNetworks = new Map();
  return {
    ...networkCalls(border),
    ...peerCalls(border, unread),
    ...sessionCalls(border, unread),
    ...policyCalls(border),
    ...workCalls(border),
    ...fibCalls(border, fibsOfNetworks),
    ...readingCalls(border, fibsOfNetworks),
    ...verificationCalls(border),
    ...memoryCalls(border),
    ...checkCalls(border),
  };
}
