// The name of the OVSDB lock that keeps two agents from writing the same rows (DESIGN §4 rule 6). Pure.
import { uuidV5 } from './uuid-v5.ts';

/**
 * One lock per owner, router and network: exactly the rows that this sink owns. Readable, and an RFC 7047 <id>, which has
 * letters, digits and underscores only; the end keeps apart what the spelling makes alike.
 */
export function lockName(names: {
  readonly owner: string;
  readonly router: string;
  readonly network: string;
}): string {
  const { owner, router, network } = names;
  const readable = [owner, router, network].join('_').replace(/[^A-Za-z0-9_]/g, '_');
  return `rutter_${readable}_${uuidV5([owner, router, network]).slice(0, 8)}`;
}
