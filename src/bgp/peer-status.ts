// What `rutter peers` and the control API show of a peer.
import type { AddressFamily } from '../net/address-family.ts';
import type { State } from './fsm-actions.ts';
import type { MessageCounts } from './message-counters.ts';

export interface PeerStatus {
  readonly name: string;
  readonly address: string;
  readonly interface: string | undefined;
  /** As negotiated, or as configured until then. */
  readonly asn: number | 'external' | 'internal';
  readonly localAsn: number;
  readonly kind: 'ebgp' | 'ibgp' | undefined;
  readonly state: State;
  /** Milliseconds since 1970 when the state was entered. */
  readonly since: number;
  /** Milliseconds Established, or undefined. */
  readonly uptimeMs: number | undefined;
  /** Milliseconds until the next attempt of a session that is down, or undefined. */
  readonly nextAttemptMs: number | undefined;
  readonly passive: boolean;
  readonly routerId: string | undefined;
  readonly hostName: string | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  readonly remotePort: number | undefined;
  readonly holdTimeSeconds: number | undefined;
  readonly keepaliveTimeSeconds: number | undefined;
  readonly configuredFamilies: readonly AddressFamily[];
  /** Negotiated. */
  readonly families: readonly AddressFamily[];
  /** Names of what holds in the session, beyond the families. */
  readonly capabilities: readonly string[];
  readonly addPathReceive: readonly AddressFamily[];
  readonly gracefulRestart:
    | {
        readonly restartTimeSeconds: number;
        readonly families: readonly AddressFamily[];
        readonly notification: boolean;
      }
    | undefined;
  /** Families whose routes are kept as stale while the peer restarts. */
  readonly staleFamilies: readonly AddressFamily[];
  /** Families whose first dump from the peer is complete in this session. */
  readonly endOfRib: readonly AddressFamily[];
  readonly messages: { readonly received: MessageCounts; readonly sent: MessageCounts };
  readonly establishedCount: number;
  readonly lastError: { readonly reason: string; readonly at: number } | undefined;
  readonly lastNotification: NotificationStatus | undefined;
  /** Routes the peer holds from us. */
  readonly advertisedCount: number;
  readonly refusedAdvertisements: readonly { readonly prefix: string; readonly reason: string }[];
}

export interface NotificationStatus {
  readonly direction: 'sent' | 'received';
  readonly code: number;
  readonly subcode: number;
  /** "cease: administrative shutdown (back at ten)". */
  readonly text: string;
  /** The operator's own words alone (RFC 9003). */
  readonly shutdownText: string | undefined;
  readonly at: number;
}
