// The listening sockets: those of no device, and those of each VRF device or interface that has peers bound to it.
//
// A socket bound to a device hears that device alone, and one bound to none hears no VRF: whose connection it is follows from the socket.
import type { IpAddress } from '../net/ip-address.ts';
import type { Connection, Listener, Transport } from './transport/transport.ts';

export interface ListenAddress {
  readonly address: IpAddress;
  readonly port: number;
}

/** Undefined: bound to none. */
type DeviceName = string | undefined;

interface Group {
  readonly listeners: Listener[];
  readonly opened: Promise<void>;
  isClosed: boolean;
}

export class Listeners {
  readonly #transport: Transport;
  readonly #addresses: readonly ListenAddress[];
  readonly #accepted: (connection: Connection, device: DeviceName) => void;
  readonly #groups = new Map<DeviceName, Group>();

  constructor(
    transport: Transport,
    addresses: readonly ListenAddress[],
    accepted: (connection: Connection, device: DeviceName) => void,
  ) {
    this.#transport = transport;
    this.#addresses = addresses;
    this.#accepted = accepted;
  }

  /** On every address; once per device, also when two of its peers come at the same time. Rejects when one cannot be listened on. */
  open(device: DeviceName): Promise<void> {
    const open = this.#groups.get(device);
    if (open !== undefined) return open.opened;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const group: Group = { listeners: [], opened: promise, isClosed: false };
    this.#groups.set(device, group);
    this.#listen(group, device).then(resolve, (error: Error) => {
      if (this.#groups.get(device) === group) this.close(device);
      reject(error);
    });
    return promise;
  }

  close(device: DeviceName): void {
    const group = this.#groups.get(device);
    if (group === undefined) return;
    this.#groups.delete(device);
    group.isClosed = true;
    for (const listener of group.listeners) listener.close();
  }

  closeAll(): void {
    for (const device of [...this.#groups.keys()]) this.close(device);
  }

  /** Those that hear a peer at this address. */
  of(device: DeviceName, address: IpAddress): Listener[] {
    const { listeners = [] } = this.#groups.get(device) ?? {};
    return listeners.filter(({ target }) => target.address.length === address.length);
  }

  /** Ports of the device's sockets, in the order of the addresses. */
  ports(device: DeviceName): number[] {
    return this.#groups.get(device)?.listeners.map(({ port }) => port) ?? [];
  }

  async #listen(group: Group, device: DeviceName): Promise<void> {
    for (const address of this.#addresses) {
      if (group.isClosed) return;
      const listener = await this.#transport.listen({ ...address, device }, (connection) =>
        this.#accepted(connection, device),
      );
      if (group.isClosed) listener.close();
      else group.listeners.push(listener);
    }
  }
}
