// Which of two connections with a peer stays (RFC 4271 §6.8).

/** Who opened a connection. */
export type Initiator = 'local' | 'remote';

export interface CollisionSide {
  readonly routerId: number;
  readonly asn: number;
}

/** RFC 4271 §6.8: the connection that the higher BGP identifier opened stays; the higher AS among equals (RFC 6286 §2.3). */
export function resolveCollision(local: CollisionSide, remote: CollisionSide): Initiator {
  const localWins =
    local.routerId === remote.routerId ? local.asn > remote.asn : local.routerId > remote.routerId;
  return localWins ? 'local' : 'remote';
}
