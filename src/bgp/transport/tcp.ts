// Connections over TCP: Node's sockets, with options of socket-options.ts where a peer needs them.
import { readFileSync } from 'node:fs';
import { createServer, type Server, Socket } from 'node:net';
import { formatIpAddress, type IpAddress, parseIpAddress } from '../../net/ip-address.ts';
import { addressBeside } from './address-beside.ts';
import {
  boundDevice,
  needsOptions,
  openBoundSocket,
  openSocket,
  setHopLimits,
  setPassword,
  sharingPort,
} from './socket-options.ts';
import {
  type ConnectCallbacks,
  type Connection,
  type ConnectionHandlers,
  type ConnectTarget,
  type Listener,
  type ListenTarget,
  type SocketNeeds,
  type Transport,
  TransportError,
} from './transport.ts';

/** How long a closed connection may take to send its last bytes. */
const LINGER_MS = 1000;

export class TcpTransport implements Transport {
  readonly #open = new Set<Socket>();
  readonly #listeners = new Set<TcpListener>();
  #settled: (() => void)[] = [];

  connect(target: ConnectTarget, callbacks: ConnectCallbacks): { cancel(): void } {
    let socket: Socket;
    try {
      socket = newSocket(target);
    } catch (error) {
      const failure = setImmediate(() => callbacks.failed(asTransportError(error)));
      return { cancel: () => clearImmediate(failure) };
    }
    const failed = (error: Error) => {
      callbacks.failed(new TransportError('connect-failed', networkReason(error), error));
    };
    socket.once('error', failed);
    socket.once('connect', () => {
      socket.off('error', failed);
      callbacks.connected(this.#adopt(socket));
    });
    socket.connect({
      host: hostText(target.address, target.interface),
      port: target.port,
      ...(target.localAddress && {
        localAddress: hostText(target.localAddress, target.interface),
      }),
    });
    return { cancel: () => void socket.off('error', failed).on('error', ignore).destroy() };
  }

  async listen(
    target: ListenTarget,
    accepted: (connection: Connection) => void,
  ): Promise<Listener> {
    const server = createServer({ noDelay: true }, (socket) => {
      const isOfVrf = target.device === undefined && cameByVrf(socket);
      const connection = this.#adopt(socket);
      // A peer may be gone before it is accepted
      if (connection.remoteAddress.length > 0 && !isOfVrf) accepted(connection);
      else connection.abort();
    });
    const beside = [...this.#listeners].filter((other) => other.sharesPort(target));
    await listening(server, target, beside);
    const listener = new TcpListener(server, target);
    this.#listeners.add(listener);
    server.once('close', () => this.#listeners.delete(listener));
    return listener;
  }

  settled(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#settled.push(resolve);
    });
  }

  #adopt(socket: Socket): Connection {
    this.#open.add(socket);
    socket.once('close', () => {
      this.#open.delete(socket);
      if (this.#open.size > 0) return;
      for (const resolve of this.#settled) resolve();
      this.#settled = [];
    });
    return new TcpConnection(socket);
  }
}

class TcpConnection implements Connection {
  readonly localAddress: IpAddress;
  readonly localPort: number;
  readonly remoteAddress: IpAddress;
  readonly remotePort: number;
  readonly interface: string | undefined;
  readonly #socket: Socket;
  #handlers: ConnectionHandlers | undefined;
  #closeReason = 'connection closed by the peer';

  constructor(socket: Socket) {
    this.#socket = socket;
    const remote = splitZone(socket.remoteAddress ?? '');
    this.localAddress = splitZone(socket.localAddress ?? '').address;
    this.localPort = socket.localPort ?? 0;
    this.remoteAddress = remote.address;
    this.remotePort = socket.remotePort ?? 0;
    this.interface = remote.zone;
    socket.on('error', (error) => {
      this.#closeReason = networkReason(error);
    });
    socket.on('close', () => this.#handlers?.closed(this.#closeReason));
  }

  get addressBeside(): IpAddress | undefined {
    return addressBeside(this.localAddress);
  }

  attach(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    this.#socket.on('data', (chunk: Uint8Array) => this.#handlers?.received(chunk));
    this.#socket.on('drain', () => this.#handlers?.drained());
    if (this.#socket.destroyed) queueMicrotask(() => this.#handlers?.closed(this.#closeReason));
  }

  write(bytes: Uint8Array): boolean {
    return this.#socket.write(bytes);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#handlers = undefined;
    const linger = setTimeout(() => this.#socket.destroy(), LINGER_MS);
    this.#socket.once('close', () => clearTimeout(linger));
    // Unread bytes at close() would turn the end into a reset, and the peer might never see our NOTIFICATION
    this.#socket.resume();
    this.#socket.end();
  }

  abort(): void {
    this.#handlers = undefined;
    this.#socket.destroy();
  }

  secure(needs: Pick<SocketNeeds, 'ttl' | 'minTtl'>): void {
    setHopLimits(descriptorOf(this.#socket), this.remoteAddress.length, needs);
  }
}

class TcpListener implements Listener {
  readonly target: ListenTarget;
  readonly #server: Server;

  constructor(server: Server, target: ListenTarget) {
    this.#server = server;
    this.target = target;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : this.target.port;
  }

  get descriptor(): number {
    return descriptorOf(this.#server);
  }

  /** Whether only a device can tell the two apart. */
  sharesPort({ address, port }: ListenTarget): boolean {
    return (
      this.target.device === undefined &&
      this.port === port &&
      this.target.address.length === address.length
    );
  }

  setPassword(remote: IpAddress, password: string | undefined): void {
    if (remote.length !== this.target.address.length) return;
    setPassword(this.descriptor, remote, password ?? '');
  }

  setTtl(ttl: number): void {
    setHopLimits(this.descriptor, this.target.address.length, { ttl });
  }

  close(): void {
    this.#server.close();
  }
}

/**
 * Whether a listener of no device was given a connection of a VRF, as the kernel does where net.ipv4.tcp_l3mdev_accept is set and nobody listens
 * in the VRF. It is no peer's of ours: the address means another machine there.
 */
function cameByVrf(socket: Socket): boolean {
  if (!acceptsVrfs()) return false;
  try {
    const device = boundDevice(descriptorOf(socket));
    // A link-local peer's socket is bound to its interface in any case.
    return device !== undefined && device !== splitZone(socket.remoteAddress ?? '').zone;
  } catch {
    return true; // it is gone already, or nobody can tell
  }
}

function acceptsVrfs(): boolean {
  try {
    return readFileSync('/proc/sys/net/ipv4/tcp_l3mdev_accept', 'latin1').trim() !== '0';
  } catch {
    return false; // a kernel without VRFs
  }
}

/** A socket made by Node or, with options, by us: Node then connects ours. `manualStart`: no reading before it is connected. */
function newSocket(target: ConnectTarget): Socket {
  if (!needsOptions(target)) return new Socket().setNoDelay(true);
  const fd = openSocket(target.address, target);
  const options = { fd, readable: true, writable: true, manualStart: true };
  return new Socket(options).setNoDelay(true);
}

function listening(
  server: Server,
  target: ListenTarget,
  beside: readonly TcpListener[],
): Promise<void> {
  const host = formatIpAddress(target.address);
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const where = `${host} port ${target.port}`;
      reject(new TransportError('listen-failed', `${where}: ${networkReason(error)}`, error));
    });
    server.once('listening', resolve);
    try {
      if (target.device === undefined) {
        // One socket per version: an IPv4 peer must never show as an IPv4-mapped IPv6 address
        server.listen({ host, port: target.port, ipv6Only: true });
      } else {
        const { address, port, device } = target;
        const others = beside.map(({ descriptor }) => descriptor);
        sharingPort(others, () => server.listen({ fd: openBoundSocket(address, port, device) }));
      }
    } catch (error) {
      reject(asTransportError(error));
    }
  });
}

/** Node shows no descriptor of its sockets, but keeps it where it always was. */
function descriptorOf(holder: Socket | Server): number {
  const { _handle } = holder as unknown as { _handle?: { fd?: number } | null };
  const fd = _handle?.fd;
  if (fd !== undefined && fd >= 0) return fd;
  throw new TransportError('socket-options-unavailable', 'socket without a descriptor');
}

function hostText(address: IpAddress, zone: string | undefined): string {
  const text = formatIpAddress(address);
  return zone === undefined ? text : `${text}%${zone}`;
}

function splitZone(text: string): { address: IpAddress; zone: string | undefined } {
  const [address = '', zone] = text.split('%');
  return { address: parseIpAddress(address) ?? new Uint8Array(0), zone };
}

/** The system's code says it all; the message would repeat addresses. */
function networkReason(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return (code && reasons[code]) ?? code ?? error.message;
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset by the peer',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network unreachable',
  ETIMEDOUT: 'connection timed out',
  EADDRINUSE: 'address in use',
  EADDRNOTAVAIL: 'address not on this host',
  EACCES: 'permission denied',
  EPIPE: 'connection closed by the peer',
};

function asTransportError(error: unknown): TransportError {
  if (error instanceof TransportError) return error;
  return new TransportError('connect-failed', (error as Error).message, error);
}

function ignore(): void {}
