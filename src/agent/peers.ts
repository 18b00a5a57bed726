// Configuration of a peer → what the speaker and the core must be told. Pure, but for reading the password file.
import { readFile } from 'node:fs/promises';
import type { PeerOptions } from '../bgp/peer-options.ts';
import type { Config, PeerConfig } from '../config/config.ts';
import type { CorePeer } from '../core/route-core.ts';
import { type AddressFamily, addressFamilies } from '../net/address-family.ts';

export interface PeerSurroundings {
  /** Core id of the peer's network. */
  readonly network: number;
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
    import: peer.import,
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

/** The TCP-MD5 password of a peer: the file's first line. Never logged, never in an error. */
export async function readPassword(peer: PeerConfig): Promise<string | undefined> {
  if (peer.passwordFile === undefined) return undefined;
  try {
    const [line = ''] = (await readFile(peer.passwordFile, 'utf8')).split('\n');
    return line.trimEnd();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Error(
      `peer ${peer.name}: passwordFile ${peer.passwordFile} cannot be read: ${code}`,
      {
        cause,
      },
    );
  }
}

/** A router id's four bytes as a number. */
export function routerIdNumber(routerId: Uint8Array): number {
  return new DataView(routerId.buffer, routerId.byteOffset, 4).getUint32(0);
}
