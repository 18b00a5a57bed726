// The sender's end of one eBGP session: connects, exchanges OPENs, keeps alive, writes what it is given. It learns nothing.
//
// RFC 4271 as far as a well-behaved receiver needs it. Not here: passive opening, collision, hold-time supervision.
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { AS_TRANS, HEADER_SIZE, MessageType } from '../../src/bgp/iana.ts';
import { ByteWriter } from '../../src/net/byte-writer.ts';
import type { IpAddress } from '../../src/net/ip-address.ts';

const HOLD_TIME_SECONDS = 180;
const KEEPALIVE_MS = 1000; // a third of the shortest hold time there is (RFC 4271 §4.2)
const RETRY_MS = 200;
const QUEUE_POLL_MS = 5;

export interface SessionOptions {
  readonly host: string;
  readonly port: number;
  readonly localAddress: string | undefined;
  readonly localAs: number;
  readonly routerId: IpAddress;
  /** How long the receiver may take to be there. */
  readonly connectDeadlineMs: number;
}

export class FeedSession {
  readonly #socket: Socket;
  /** When the receiver last said something. */
  #heardAt = performance.now();
  #longestSilenceMs = 0;
  /** Resolves with the reason when the session is over. */
  readonly closed: Promise<string>;

  private constructor(socket: Socket, closed: Promise<string>) {
    this.#socket = socket;
    this.closed = closed;
    socket.on('data', () => this.#hear());
  }

  #hear(): void {
    const now = performance.now();
    this.#longestSilenceMs = Math.max(this.#longestSilenceMs, now - this.#heardAt);
    this.#heardAt = now;
  }

  /** The longest time without a message of the receiver since the last call: its keepalives late show here. */
  takeLongestSilenceMs(): number {
    const longest = Math.max(this.#longestSilenceMs, performance.now() - this.#heardAt);
    this.#longestSilenceMs = 0;
    return longest;
  }

  /** Resolves when the session is established. */
  static async open(options: SessionOptions): Promise<FeedSession> {
    const deadline = Date.now() + options.connectDeadlineMs;
    for (;;) {
      try {
        return await FeedSession.#establish(options);
      } catch (error) {
        if (Date.now() > deadline) throw error;
        await sleep(RETRY_MS);
      }
    }
  }

  static async #establish(options: SessionOptions): Promise<FeedSession> {
    const socket = await dial(options);
    let reason = 'connection closed';
    const closed = new Promise<string>((over) => socket.once('close', () => over(reason)));
    socket.on('error', (error) => {
      reason = error.message;
    });
    const established = new Promise<void>((resolve, reject) => {
      socket.on(
        'data',
        messageReader((type, body) => {
          if (type === MessageType.open) socket.write(keepalive());
          else if (type === MessageType.keepalive) resolve();
          else if (type === MessageType.notification) reason = `NOTIFICATION ${body[0]}/${body[1]}`;
        }),
      );
      socket.once('close', () => reject(new Error(`not established: ${reason}`)));
    });
    socket.write(open(options));
    await established;
    const timer = setInterval(() => socket.write(keepalive()), KEEPALIVE_MS);
    socket.once('close', () => clearInterval(timer));
    return new FeedSession(socket, closed);
  }

  /** Resolves when the system has taken the last byte. */
  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) =>
      this.#socket.write(bytes, (error) => (error ? reject(error) : resolve())),
    );
  }

  /** Resolves when the receiver's TCP has acknowledged every byte written. */
  async acknowledged(): Promise<void> {
    const { localPort } = this.#socket;
    while (localPort !== undefined && sendQueueBytes(localPort) > 0) await sleep(QUEUE_POLL_MS);
  }

  close(): void {
    this.#socket.destroy();
  }
}

function dial({ host, port, localAddress }: SessionOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, ...(localAddress ? { localAddress } : {}) });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

function message(type: number, body: Uint8Array): Uint8Array {
  const writer = new ByteWriter(HEADER_SIZE + body.length);
  for (let word = 0; word < 4; word++) writer.uint32(0xffffffff);
  return writer
    .uint16(HEADER_SIZE + body.length)
    .uint8(type)
    .bytes(body)
    .finish();
}

function keepalive(): Uint8Array {
  return message(MessageType.keepalive, new Uint8Array(0));
}

function open({ localAs, routerId }: SessionOptions): Uint8Array {
  const capabilities = new ByteWriter(64)
    .bytes(Uint8Array.of(1, 4, 0, 1, 0, 1)) // IPv4 unicast (RFC 4760 §8)
    .bytes(Uint8Array.of(65, 4)) // 4-octet AS (RFC 6793 §3)
    .uint32(localAs)
    .bytes(Uint8Array.of(64, 2, 0, 120)) // End-of-RIB will be sent, nothing is preserved (RFC 4724 §3)
    .finish();
  const body = new ByteWriter(64)
    .uint8(4)
    .uint16(localAs > 0xffff ? AS_TRANS : localAs)
    .uint16(HOLD_TIME_SECONDS)
    .bytes(routerId)
    .uint8(capabilities.length + 2)
    .uint8(2) // the capabilities parameter (RFC 5492 §4)
    .uint8(capabilities.length)
    .bytes(capabilities)
    .finish();
  return message(MessageType.open, body);
}

/** Cuts a TCP stream into messages. A receiver says little, so copying its bytes costs nothing. */
function messageReader(
  onMessage: (type: number, body: Uint8Array) => void,
): (chunk: Buffer) => void {
  let pending: Buffer = Buffer.alloc(0);
  return (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= HEADER_SIZE) {
      const length = pending.readUInt16BE(16);
      if (pending.length < length) return;
      onMessage(pending[18]!, pending.subarray(HEADER_SIZE, length));
      pending = pending.subarray(length);
    }
  };
}

/** Bytes the local TCP still keeps for the connection from this port (proc(5), /proc/net/tcp: tx_queue). */
function sendQueueBytes(localPort: number): number {
  const port = localPort.toString(16).toUpperCase().padStart(4, '0');
  for (const line of readFileSync('/proc/self/net/tcp', 'utf8').split('\n').slice(1)) {
    const [, local, , state, queues] = line.trim().split(/\s+/);
    if (state !== '01' || !local?.endsWith(`:${port}`)) continue; // 01: ESTABLISHED
    return Number.parseInt(queues?.split(':')[0] ?? '0', 16);
  }
  return 0;
}
