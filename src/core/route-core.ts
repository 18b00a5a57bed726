// What the route core can do, in the host's terms, noun by noun: each file has the calls' contract and, over the WebAssembly module,
// what they do. core.ts puts them together.
//
// Everything here is synchronous and runs on the main thread. Calls are few and fat: a TCP chunk in, a batch of changes out.
// Ids (network, peer, fib) are small numbers the caller chooses. Objects returned by receive() are reused by the next call.
import type { CheckCalls } from './check-update.ts';
import type { MemoryCalls } from './core-memory.ts';
import type { FibCalls } from './fibs.ts';
import type { NetworkCalls } from './networks.ts';
import type { PeerCalls } from './peers.ts';
import type { PolicyCalls } from './policies.ts';
import type { ReadingCalls } from './reading.ts';
import type { SessionCalls } from './sessions.ts';
import type { VerificationCalls } from './verification.ts';
import type { WorkCalls } from './work.ts';

export interface RouteCore
  extends NetworkCalls,
    PeerCalls,
    SessionCalls,
    PolicyCalls,
    WorkCalls,
    FibCalls,
    ReadingCalls,
    VerificationCalls,
    MemoryCalls,
    CheckCalls {}
