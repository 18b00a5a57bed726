// What the parser must know of the session an UPDATE came over. The caller fills it; one per peer, or one that is refilled.

@unmanaged
export class ParseContext {
  /** 1: AS numbers are four octets on this session (RFC 6793). */
  fourOctetAs: u32 = 0;
  /** Bit per family index: negotiated. Everything else is stepped over. */
  familyMask: u32 = 0;
  /** Bit per family index: each NLRI begins with a path identifier (RFC 7911). */
  addPathMask: u32 = 0;
  /** 1: LOCAL_PREF, ORIGINATOR_ID and CLUSTER_LIST have no meaning here, confederation segments no place. */
  isEbgp: u32 = 0;
  localAsn: u32 = 0;
  peerAsn: u32 = 0;
  /** 1: an eBGP path that does not begin with the peer's AS is malformed (RFC 4271 §6.3). */
  enforceFirstAs: u32 = 0;
}
