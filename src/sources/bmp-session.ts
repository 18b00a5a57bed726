// What the two OPENs of a BMP Peer Up say about the UPDATEs that follow (RFC 6793, RFC 7911).
import { CapabilityCode } from '../bgp/iana.ts';
import type { DescribedMessage } from '../bgp/messages/describe.ts';
import type { DescribedCapability } from '../bgp/messages/describe-open.ts';

/** ADD-PATH Send/Receive bits (RFC 7911 §4). */
const RECEIVE = 1;
const SEND = 2;

export function speaksFourOctetAs(sent: DescribedMessage, received: DescribedMessage): boolean {
  return [sent, received].every((open) =>
    capabilities(open).some(({ code }) => code === CapabilityCode.fourOctetAs),
  );
}

/** Families in which the peer sends path identifiers to the monitored router. */
export function addPathFamilies(sent: DescribedMessage, received: DescribedMessage): Set<string> {
  const ours = addPathModes(sent);
  const names = [...addPathModes(received)]
    .filter(([family, mode]) => mode & SEND && (ours.get(family) ?? 0) & RECEIVE)
    .map(([family]) => family);
  return new Set(names);
}

function addPathModes(open: DescribedMessage): Map<string, number> {
  const families = capabilities(open)
    .filter(({ code }) => code === CapabilityCode.addPath)
    .flatMap((capability) => capability.families ?? []);
  return new Map(
    families.map((entry) => [String(entry['family']), Number(entry['sendReceive'] ?? 0)]),
  );
}

function capabilities(open: DescribedMessage): readonly DescribedCapability[] {
  return open.type === 'open' ? open.capabilities : [];
}
