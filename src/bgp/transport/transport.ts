// Connections as a session sees them. tcp.ts makes them from sockets, tests from memory.
import type { IpAddress } from '../../net/ip-address.ts';

/** What a socket needs beyond what Node can set. */
export interface SocketNeeds {
  /** IP_TTL, IPV6_UNICAST_HOPS. */
  readonly ttl?: number | undefined;
  /** IP_MINTTL, IPV6_MINHOPCOUNT: packets that came further are dropped (RFC 5082). */
  readonly minTtl?: number | undefined;
  /** TCP-MD5 (RFC 2385). Never in a log or an error. */
  readonly password?: string | undefined;
  /** SO_BINDTODEVICE: an interface or a VRF device. */
  readonly device?: string | undefined;
}

export interface ConnectTarget extends SocketNeeds {
  readonly address: IpAddress;
  readonly port: number;
  /** Of a link-local address. */
  readonly interface?: string | undefined;
  readonly localAddress?: IpAddress | undefined;
}

export interface ConnectionHandlers {
  received(chunk: Uint8Array): void;
  /** Everything written so far has left for the kernel. */
  drained(): void;
  /** Called once, also after an error; not after close() or abort(). */
  closed(reason: string): void;
}

export interface Connection {
  readonly localAddress: IpAddress;
  /** An address of the other family on the interface that has the local one. */
  readonly addressBeside?: IpAddress | undefined;
  readonly localPort: number;
  readonly remoteAddress: IpAddress;
  readonly remotePort: number;
  /** Interface of a link-local remote address. */
  readonly interface: string | undefined;
  /** Nothing is read before this. */
  attach(handlers: ConnectionHandlers): void;
  /** False: the bytes wait in memory until drained(). */
  write(bytes: Uint8Array): boolean;
  pause(): void;
  resume(): void;
  /** Sends what was written and the end of the stream, then closes; bounded in time. */
  close(): void;
  /** Closes at once. */
  abort(): void;
  /** Sets what an accepted connection needs; throws a TransportError. */
  secure(needs: Pick<SocketNeeds, 'ttl' | 'minTtl'>): void;
}

export interface ConnectCallbacks {
  connected(connection: Connection): void;
  failed(error: TransportError): void;
}

export interface ListenTarget {
  readonly address: IpAddress;
  readonly port: number;
  readonly device?: string | undefined;
}

export interface Listener {
  readonly target: ListenTarget;
  /** The port in use, also where the target's is 0. */
  readonly port: number;
  /** TCP-MD5 of one remote address; undefined takes it away. Throws a TransportError. */
  setPassword(remote: IpAddress, password: string | undefined): void;
  /** The hop limit of answers to a connection request, for peers that check it (RFC 5082). Throws a TransportError. */
  setTtl(ttl: number): void;
  close(): void;
}

export interface Transport {
  /** Exactly one of the callbacks is called, later, unless the attempt is cancelled. */
  connect(target: ConnectTarget, callbacks: ConnectCallbacks): { cancel(): void };
  listen(target: ListenTarget, accepted: (connection: Connection) => void): Promise<Listener>;
  /** Resolves when every connection is closed. */
  settled(): Promise<void>;
}

/** The network or the kernel refused; an expected result. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  /** `socket-options-unavailable`, `socket-option-refused`, `connect-failed`, `listen-failed`. */
  readonly code: string;

  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
