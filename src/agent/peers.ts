// Configuration of a peer → what the speaker and the core must be told. Pure, but for reading the password file.
import { readFile } from 'node:fs/promises';
import type { PeerOptions } from '../bgp/peer-options.ts';
import type { Config, PeerConfig } from '../config/config.ts';
import type { CorePeer } from '../core/peers.ts';
import { type AddressFamily, addressFamilies } from '../net/address-family.ts';

export interface PeerSurroundings {
  /** Core id of the peer's network. */
  readonly network: number;
  /** The VRF device the session lives in. */
  readonly vrf: string | undefined;
  /** The peer's name and its import policy, as the core knows them (policy-table.ts). */
  readonly nameId: number;
  readonly importPolicy: number;
  /** Kernel index of the session's interface, 0 when unknown. */
  readonly interfaceIndex: number;
  /** Routes of an earlier life may still be forwarding (RFC 4724 §4.1, the F bit). */
  readonly forwardingPreserved: boolean;
}

export function corePeer(config: Config, peer: PeerConfig, around: PeerSurroundings): CorePeer {
  return {
    network: around.network,
    address: peer.address!, // unnumbered peers are refused by the configuration
    asn: peer.asn === 'external' ? 0 : peer.asn,
    localAsn: config.bgp.asn,
    localRouterId: routerIdNumber(config.bgp.routerId),
    interfaceIndex: around.interfaceIndex,
    nameId: around.nameId,
    importPolicy: around.importPolicy,
    enforceFirstAs: false,
    maxPrefixes: prefixLimits(peer),
  };
}

export function speakerPeer(
  peer: PeerConfig,
  around: PeerSurroundings,
  password: string | undefined,
): PeerOptions {
  return {
    name: peer.name,
    address: peer.address!,
    interface: peer.interface,
    asn: peer.asn,
    localAddress: peer.localAddress,
    port: peer.port,
    passive: peer.passive,
    bindDevice: around.vrf,
    families: peer.families,
    holdTimeSeconds: peer.holdTime / 1000,
    keepaliveTimeSeconds: peer.keepaliveTime / 1000,
    connectRetryMs: peer.connectRetryTime,
    multihop: peer.multihop,
    ttlSecurity: peer.ttlSecurity,
    password,
    maxPrefixes:
      peer.maxPrefixes === undefined
        ? undefined
        : {
            limits: prefixLimits(peer),
            action: peer.maxPrefixes.action,
            restartAfterMs: peer.maxPrefixes.restartAfter,
          },
    gracefulRestart: {
      restartTimeSeconds: peer.gracefulRestart.restartTime / 1000,
      restarting: true,
      forwardingPreserved: around.forwardingPreserved,
    },
    addPathReceive: peer.families,
  };
}

/** The limits that are set; a family without one has none. */
function prefixLimits(peer: PeerConfig): Partial<Record<AddressFamily, number>> {
  const limits: Partial<Record<AddressFamily, number>> = {};
  for (const family of addressFamilies) {
    const limit = peer.maxPrefixes?.[family];
    if (limit !== undefined) limits[family] = limit;
  }
  return limits;
}

/** TCP-MD5 passwords by peer. Never logged, never in an error. */
export type Passwords = ReadonlyMap<string, string>;

/** Rejects when a file cannot be read or is empty. */
export async function readPasswords(peers: readonly PeerConfig[]): Promise<Passwords> {
  const passwords = new Map<string, string>();
  for (const { name, passwordFile } of peers) {
    if (passwordFile !== undefined) passwords.set(name, await readPassword(name, passwordFile));
  }
  return passwords;
}

/** The file's first line. */
async function readPassword(peer: string, file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new Error(`peer ${peer}: passwordFile ${file} cannot be read: ${cause.code}`);
  });
  const password = text.split('\n')[0]!.trimEnd();
  if (password !== '') return password;
  throw new Error(
    `peer ${peer}: passwordFile ${file} begins with an empty line, expected a password`,
  );
}

/** A router id's four bytes as a number. */
export function routerIdNumber(routerId: Uint8Array): number {
  return new DataView(routerId.buffer, routerId.byteOffset, 4).getUint32(0);
}
