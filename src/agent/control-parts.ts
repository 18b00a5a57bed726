// The running parts that the control API looks at, and what it may ask of them.
import type { Speaker } from '../bgp/speaker.ts';
import type { Config } from '../config/config.ts';
import type { RouteCore } from '../core/route-core.ts';
import type { IpAddress } from '../net/ip-address.ts';
import type { EventLoopWatch } from '../observe/event-loop.ts';
import type { Announcer } from './announcer.ts';
import type { FibVerifier } from './fib-verifier.ts';
import type { ImportTable } from './import-table.ts';
import type { PolicyTable } from './policy-table.ts';
import type { NetworkRuntime, PeerRuntime, SourceRuntime } from './runtime.ts';
import type { SessionDevices } from './session-devices.ts';

export interface ControlParts {
  readonly announcer: Announcer;
  readonly config: Config;
  readonly core: RouteCore;
  readonly speaker: Speaker;
  readonly networks: ReadonlyMap<string, NetworkRuntime>;
  readonly peers: ReadonlyMap<string, PeerRuntime>;
  readonly policies: PolicyTable;
  readonly devices: Pick<SessionDevices, 'whyWaiting'>;
  readonly sources: ReadonlyMap<string, SourceRuntime>;
  readonly eventLoop: EventLoopWatch;
  readonly igpMetric: (network: number, nextHop: IpAddress) => number;
  readonly imports: ImportTable;
  readonly verifier: Pick<FibVerifier, 'of'>;
  /** The core was changed from here. */
  readonly onChanged: () => void;
  readonly putNetwork: (name: string, network: object) => Promise<void>;
  readonly removeNetwork: (name: string) => Promise<void>;
}
