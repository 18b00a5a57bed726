// Socket options that Node lacks, set through libc (koffi): TCP_MD5SIG, IP_MINTTL, IP_TTL, SO_BINDTODEVICE. Linux only.
//
// koffi is loaded at the first need, so that without it only the peers that need an option fail. Every socket is made
// non-blocking and close-on-exec; it belongs to us until Node adopts its descriptor, and must never be closed here after that.
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import type { IpAddress } from '../../net/ip-address.ts';
import { type SocketNeeds, TransportError } from './transport.ts';

interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  setsockopt(fd: number, level: number, option: number, value: Uint8Array, size: number): number;
  getsockopt(
    fd: number,
    level: number,
    option: number,
    value: Uint8Array,
    size: Uint32Array,
  ): number;
  bind(fd: number, address: Uint8Array, size: number): number;
  close(fd: number): number;
  errno(): number;
}

// <sys/socket.h>, <netinet/in.h>, <netinet/tcp.h> of Linux, all architectures Node runs on
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_REUSEPORT = 15;
const SO_BINDTODEVICE = 25;
const IFNAMSIZ = 16;
const IPPROTO_IP = 0;
const IP_TTL = 2;
const IP_MINTTL = 21;
const IPPROTO_TCP = 6;
const TCP_MD5SIG = 14;
const IPPROTO_IPV6 = 41;
const IPV6_UNICAST_HOPS = 16;
const IPV6_V6ONLY = 26;
const IPV6_MINHOPCOUNT = 73;

/** struct tcp_md5sig: sockaddr_storage, flags, prefixlen, keylen u16, ifindex, key. */
const MD5SIG_SIZE = 216;
const MD5SIG_KEY_LENGTH = 130;
const MD5SIG_KEY = 136;
/** TCP_MD5SIG_MAXKEYLEN. */
const MAX_PASSWORD_BYTES = 80;

let loaded: Libc | undefined;

function libc(): Libc {
  loaded ??= load();
  return loaded;
}

function load(): Libc {
  if (process.platform !== 'linux') {
    throw unavailable(`platform is ${process.platform}, expected linux`);
  }
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
    const library = koffi.load(null);
    const func = (prototype: string) => library.func(prototype) as (...values: unknown[]) => number;
    return {
      socket: func('int socket(int, int, int)'),
      setsockopt: func('int setsockopt(int, int, int, const void *, uint32_t)'),
      getsockopt: func('int getsockopt(int, int, int, _Out_ void *, _Inout_ uint32_t *)'),
      bind: func('int bind(int, const void *, uint32_t)'),
      close: func('int close(int)'),
      errno: () => koffi.errno(),
    };
  } catch (error) {
    throw unavailable('koffi cannot be loaded', error);
  }
}

function unavailable(why: string, cause?: unknown): TransportError {
  return new TransportError(
    'socket-options-unavailable',
    `password, hop limits and device binding need socket options: ${why}`,
    cause,
  );
}

/** Whether the socket can be left to Node. */
export function needsOptions({ ttl, minTtl, password, device }: SocketNeeds): boolean {
  return (
    ttl !== undefined || minTtl !== undefined || password !== undefined || device !== undefined
  );
}

/** A new TCP socket with all options set, unbound and unconnected. The password holds for `remote`. */
export function openSocket(remote: IpAddress, needs: SocketNeeds): number {
  const fd = libc().socket(domainOf(remote), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) throw refused('socket');
  return closingOnError(fd, () => {
    if (needs.device !== undefined) bindToDevice(fd, needs.device);
    setHopLimits(fd, remote.length, needs);
    if (needs.password !== undefined) setPassword(fd, remote, needs.password);
  });
}

/** A new socket bound to device, address and port, ready to listen; for use inside sharingPort(). */
export function openBoundSocket(address: IpAddress, port: number, device: string): number {
  const fd = openSocket(address, { device });
  return closingOnError(fd, () => {
    setInteger(fd, SOL_SOCKET, SO_REUSEADDR, 1, 'SO_REUSEADDR');
    setInteger(fd, SOL_SOCKET, SO_REUSEPORT, 1, 'SO_REUSEPORT');
    if (address.length === 16) setInteger(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1, 'IPV6_V6ONLY');
    const name = socketAddress(address, port);
    if (libc().bind(fd, name, name.length) !== 0) throw refused('bind');
  });
}

/**
 * Runs `listen`, which makes a listener with a device beside ours without one on the same port. The kernel allows it only
 * while both say so; our listeners take it back at once, so that no other process can join them.
 */
export function sharingPort(listeners: readonly number[], listen: () => void): void {
  const share = (value: 0 | 1) => {
    for (const fd of listeners) setInteger(fd, SOL_SOCKET, SO_REUSEPORT, value, 'SO_REUSEPORT');
  };
  share(1);
  try {
    listen();
  } finally {
    share(0);
  }
}

/** Hop limits of an open socket of either version. */
export function setHopLimits(
  fd: number,
  addressBytes: number,
  { ttl, minTtl }: Pick<SocketNeeds, 'ttl' | 'minTtl'>,
): void {
  const isIpv6 = addressBytes === 16;
  if (ttl !== undefined) {
    if (isIpv6) setInteger(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, ttl, 'IPV6_UNICAST_HOPS');
    else setInteger(fd, IPPROTO_IP, IP_TTL, ttl, 'IP_TTL');
  }
  if (minTtl !== undefined) {
    if (isIpv6) setInteger(fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, minTtl, 'IPV6_MINHOPCOUNT');
    else setInteger(fd, IPPROTO_IP, IP_MINTTL, minTtl, 'IP_MINTTL');
  }
}

/** TCP-MD5 key for segments from and to `remote`; an empty one takes the key away. */
export function setPassword(fd: number, remote: IpAddress, password: string): void {
  const key = new TextEncoder().encode(password);
  if (key.length > MAX_PASSWORD_BYTES) {
    throw new TransportError(
      'socket-option-refused',
      `password of ${key.length} bytes, expected at most ${MAX_PASSWORD_BYTES}`,
    );
  }
  const option = new Uint8Array(MD5SIG_SIZE);
  option.set(socketAddress(remote, 0));
  new DataView(option.buffer).setUint16(MD5SIG_KEY_LENGTH, key.length, true);
  option.set(key, MD5SIG_KEY);
  if (libc().setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, option, option.length) === 0) return;
  const isAbsent = key.length === 0 && libc().errno() === constants.errno.ENOENT;
  if (!isAbsent) throw refused('TCP_MD5SIG');
}

/** The device an open socket is bound to; undefined for none. */
export function boundDevice(fd: number): string | undefined {
  const name = new Uint8Array(IFNAMSIZ);
  const size = Uint32Array.of(IFNAMSIZ);
  if (libc().getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, size) !== 0) {
    throw refused('SO_BINDTODEVICE');
  }
  const text = new TextDecoder().decode(name.subarray(0, size[0])).split('\0')[0];
  return text === '' ? undefined : text;
}

function bindToDevice(fd: number, device: string): void {
  const name = new TextEncoder().encode(`${device}\0`);
  if (libc().setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, name.length) !== 0) {
    throw refused(`SO_BINDTODEVICE ${device}`);
  }
}

function setInteger(fd: number, level: number, option: number, value: number, name: string): void {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  if (libc().setsockopt(fd, level, option, bytes, 4) !== 0) throw refused(`${name} ${value}`);
}

function domainOf(address: IpAddress): number {
  return address.length === 16 ? AF_INET6 : AF_INET;
}

/** struct sockaddr_in or sockaddr_in6: family in host order, port and address in network order. */
function socketAddress(address: IpAddress, port: number): Uint8Array {
  const bytes = new Uint8Array(address.length === 16 ? 28 : 16);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, domainOf(address), true);
  view.setUint16(2, port);
  bytes.set(address, address.length === 16 ? 8 : 4);
  return bytes;
}

function closingOnError(fd: number, prepare: () => void): number {
  try {
    prepare();
    return fd;
  } catch (error) {
    libc().close(fd);
    throw error;
  }
}

function refused(what: string): TransportError {
  const errno = libc().errno();
  const name = Object.entries(constants.errno).find(([, value]) => value === errno)?.[0];
  return new TransportError('socket-option-refused', `${what}: ${name ?? `errno ${errno}`}`);
}
