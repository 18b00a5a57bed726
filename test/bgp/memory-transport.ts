// Connections in memory: what one end writes the other receives in the next turn of a virtual clock.
import type {
  ConnectCallbacks,
  Connection,
  ConnectionHandlers,
  ConnectTarget,
  Listener,
  ListenTarget,
  SocketNeeds,
  Transport,
} from '../../src/bgp/transport/transport.ts';
import { TransportError } from '../../src/bgp/transport/transport.ts';
import { formatIpAddress, type IpAddress } from '../../src/net/ip-address.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** All ends that can reach each other. */
export class MemoryNetwork {
  readonly clock: VirtualClock;
  readonly #listening = new Map<string, (connection: Connection) => void>();
  /** Connections made so far, the connecting end first. */
  readonly connections: MemoryConnection[][] = [];
  /** How long a connection attempt takes. */
  connectDelayMs = 0;
  /** How long bytes take from one end to the other. */
  latencyMs = 0;

  constructor(clock: VirtualClock) {
    this.clock = clock;
  }

  /** The transport of the host with this address. */
  host(address: IpAddress): Transport {
    return {
      connect: (target, callbacks) => this.#connect(address, target, callbacks),
      listen: async (target, accepted) => this.listen(target, accepted),
      settled: () => Promise.resolve(),
    };
  }

  listen(target: ListenTarget, accepted: (connection: Connection) => void): Listener {
    const key = socketKey(target.address, target.device);
    this.#listening.set(key, accepted);
    return {
      target,
      port: target.port,
      setPassword: () => undefined,
      setTtl: () => undefined,
      close: () => void this.#listening.delete(key),
    };
  }

  /** A connection from `from` to `to`, without a transport: for scripted peers. `device`: comes in by this VRF device. */
  dial(from: IpAddress, to: IpAddress, device?: string): MemoryConnection | undefined {
    const accepted = this.#listening.get(socketKey(to, device));
    if (accepted === undefined) return undefined;
    const [near, far] = this.pair(from, to);
    accepted(far!);
    return near;
  }

  pair(from: IpAddress, to: IpAddress): MemoryConnection[] {
    const near = new MemoryConnection(this, from, to);
    const far = new MemoryConnection(this, to, from);
    near.peer = far;
    far.peer = near;
    this.connections.push([near, far]);
    return [near, far];
  }

  #connect(from: IpAddress, target: ConnectTarget, callbacks: ConnectCallbacks) {
    let isCancelled = false;
    const attempt = () => {
      if (isCancelled) return;
      const connection = this.dial(target.localAddress ?? from, target.address);
      if (connection) callbacks.connected(connection);
      else callbacks.failed(new TransportError('connect-failed', 'connection refused'));
    };
    const timer = this.clock.setTimer(this.connectDelayMs, attempt);
    return {
      cancel: () => {
        isCancelled = true;
        timer.cancel();
      },
    };
  }
}

function socketKey(address: IpAddress, device: string | undefined): string {
  return device === undefined ? formatIpAddress(address) : `${formatIpAddress(address)}%${device}`;
}

export class MemoryConnection implements Connection {
  readonly localAddress: IpAddress;
  readonly remoteAddress: IpAddress;
  readonly localPort = 40000;
  readonly remotePort = 179;
  readonly interface: string | undefined = undefined;
  peer: MemoryConnection | undefined;
  /** Takes nothing more: write() says false and the bytes wait. */
  isStuck = false;
  isClosed = false;
  isPaused = false;
  needs: Pick<SocketNeeds, 'ttl' | 'minTtl'> | undefined;
  readonly #network: MemoryNetwork;
  #handlers: ConnectionHandlers | undefined;
  #inbox: Uint8Array[] = [];
  #waiting: Uint8Array[] = [];
  #isEnded = false;

  constructor(network: MemoryNetwork, localAddress: IpAddress, remoteAddress: IpAddress) {
    this.#network = network;
    this.localAddress = localAddress;
    this.remoteAddress = remoteAddress;
  }

  attach(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    this.#network.clock.defer(() => this.#deliver());
  }

  write(bytes: Uint8Array): boolean {
    if (this.isClosed) return false;
    if (this.isStuck) {
      this.#waiting.push(bytes.slice());
      return false;
    }
    this.peer?.receive(bytes.slice());
    return true;
  }

  /** The other end takes bytes again. */
  unstick(): void {
    this.isStuck = false;
    for (const bytes of this.#waiting.splice(0)) this.peer?.receive(bytes);
    this.#handlers?.drained();
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    this.#network.clock.defer(() => this.#deliver());
  }

  close(): void {
    this.#end();
  }

  abort(): void {
    this.#end();
  }

  secure(needs: Pick<SocketNeeds, 'ttl' | 'minTtl'>): void {
    this.needs = needs;
  }

  receive(bytes: Uint8Array): void {
    this.#later(() => {
      this.#inbox.push(bytes);
      this.#deliver();
    });
  }

  #later(callback: () => void): void {
    const { clock, latencyMs } = this.#network;
    if (latencyMs === 0) clock.defer(callback);
    else clock.setTimer(latencyMs, callback);
  }

  #end(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#handlers = undefined;
    const { peer } = this;
    if (peer) this.#later(() => peer.#ended());
  }

  #ended(): void {
    this.#isEnded = true;
    this.#deliver();
  }

  #deliver(): void {
    if (this.#handlers === undefined || this.isPaused) return;
    for (let chunk = this.#inbox.shift(); chunk; chunk = this.#inbox.shift()) {
      this.#handlers?.received(chunk);
      if (this.isPaused) return;
    }
    if (!this.#isEnded || this.isClosed) return;
    this.isClosed = true;
    const handlers = this.#handlers;
    this.#handlers = undefined;
    handlers?.closed('connection closed by the peer');
  }
}
