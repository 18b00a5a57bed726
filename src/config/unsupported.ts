// What the file may say but this release does not do yet: refused where it is used, never silently ignored.
import type { Fault } from './issues.ts';
import { type LooseNetwork, type LoosePeer, readLoosely } from './loose.ts';
import type { Path } from './problem.ts';

export function findUnsupported(raw: unknown): Fault[] {
  const config = readLoosely(raw);
  return [
    ...config.bgp.peers.flatMap((peer, index) => inPeer(peer, ['bgp', 'peers', index])),
    ...config.networks.flatMap((network, index) => inNetwork(network, ['networks', index])),
  ];
}

function notYet(path: Path, what: string): Fault {
  return { path, message: `not supported yet: ${what}` };
}

function inPeer(peer: LoosePeer, path: Path): Fault[] {
  const faults: Fault[] = [];
  if (peer.interface !== undefined && peer.address === undefined) {
    faults.push(notYet([...path, 'interface'], 'unnumbered peers, give an address too'));
  }
  if (peer.bfd !== undefined) faults.push(notYet([...path, 'bfd'], 'BFD'));
  return faults;
}

function inNetwork(network: LooseNetwork, path: Path): Fault[] {
  const faults: Fault[] = [];
  const { evpn } = network;
  if (evpn !== undefined) faults.push(notYet([...path, 'evpn'], 'EVPN'));
  return faults;
}
