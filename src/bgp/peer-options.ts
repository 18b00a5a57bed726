// What a peer is configured with, as the speaker wants it; the agent maps the configuration to it.
import type { AddressFamily } from '../net/address-family.ts';
import type { IpAddress } from '../net/ip-address.ts';
import type { FsmConfig } from './fsm.ts';
import type { ConnectTarget } from './transport/transport.ts';

export interface PeerOptions {
  readonly name: string;
  readonly address: IpAddress;
  /** Of a link-local address. */
  readonly interface?: string | undefined;
  readonly asn: number | 'external' | 'internal';
  readonly localAddress?: IpAddress | undefined;
  /** 179 by default. */
  readonly port?: number | undefined;
  /** Never connects, waits to be connected to. */
  readonly passive?: boolean | undefined;
  readonly families: readonly AddressFamily[];
  /** 90 by default; 0: no keepalives. */
  readonly holdTimeSeconds?: number | undefined;
  /** A third of the hold time by default, and at most. */
  readonly keepaliveTimeSeconds?: number | undefined;
  /** 5000 by default. */
  readonly connectRetryMs?: number | undefined;
  /** Hop limit of what we send. */
  readonly multihop?: number | undefined;
  /** Most hops the peer may be away (RFC 5082); 1: on the same link. */
  readonly ttlSecurity?: number | undefined;
  /** TCP-MD5 (RFC 2385). Never in a log or an error. */
  readonly password?: string | undefined;
  /** The VRF device or interface the session lives in. */
  readonly bindDevice?: string | undefined;
  readonly maxPrefixes?: MaxPrefixes | undefined;
  /** Undefined: neither announced nor helped with. */
  readonly gracefulRestart?: GracefulRestartOptions | undefined;
  readonly addPathReceive?: readonly AddressFamily[] | undefined;
  /** Next hops of announced routes, instead of the session's local address. */
  readonly nextHops?: Partial<Record<AddressFamily, IpAddress>> | undefined;
}

interface MaxPrefixes {
  readonly limits: Partial<Record<AddressFamily, number>>;
  readonly action: 'warn' | 'stop' | 'restart';
  /** 600 000 by default. */
  readonly restartAfterMs?: number | undefined;
}

interface GracefulRestartOptions {
  /** How long the peer is to keep our routes, 0–4095. */
  readonly restartTimeSeconds: number;
  /** This process has restarted: said in the first session only (RFC 4724 §4.1). */
  readonly restarting: boolean;
  readonly forwardingPreserved: boolean;
  /** How long the peer's stale routes may wait for its End-of-RIB once it is back; 360 s by default. */
  readonly stalePathTimeMs?: number | undefined;
}

/** The IANA port. */
const BGP_PORT = 179;
const DEFAULT_HOLD_TIME_SECONDS = 90;
const DEFAULT_CONNECT_RETRY_MS = 5000;
const DEFAULT_RESTART_AFTER_MS = 600_000;
export const DEFAULT_STALE_PATH_TIME_MS = 360_000;

export function connectTarget(options: PeerOptions): ConnectTarget {
  return {
    address: options.address,
    port: options.port ?? BGP_PORT,
    interface: options.interface,
    localAddress: options.localAddress,
    password: options.password,
    device: options.bindDevice,
    ...hopLimits(options),
  };
}

/** What the state machine works with. */
export function fsmConfig({
  options,
  localAsn,
  localRouterId,
}: {
  readonly options: PeerOptions;
  readonly localAsn: number;
  readonly localRouterId: number;
}): FsmConfig {
  const holdTimeSeconds = options.holdTimeSeconds ?? DEFAULT_HOLD_TIME_SECONDS;
  return {
    localAsn,
    localRouterId,
    peerAsn: options.asn,
    holdTimeSeconds,
    keepaliveTimeSeconds: options.keepaliveTimeSeconds ?? holdTimeSeconds / 3,
    passive: options.passive ?? false,
    connectRetryMs: options.connectRetryMs ?? DEFAULT_CONNECT_RETRY_MS,
    prefixLimit: {
      action: options.maxPrefixes?.action ?? 'warn',
      restartAfterMs: options.maxPrefixes?.restartAfterMs ?? DEFAULT_RESTART_AFTER_MS,
    },
  };
}

/** GTSM: what we send must arrive with 255 less the hops, and so must theirs (RFC 5082 §3). */
export function hopLimits({ multihop, ttlSecurity }: PeerOptions): {
  ttl: number | undefined;
  minTtl: number | undefined;
} {
  if (ttlSecurity !== undefined) return { ttl: 255, minTtl: 256 - ttlSecurity };
  return { ttl: multihop, minTtl: undefined };
}
