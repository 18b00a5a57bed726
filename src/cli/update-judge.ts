// What a session would do about an UPDATE (RFC 7606), in words: the core's verdict for people.
import type { DecodeContext } from '../bgp/attributes/describe.ts';
import { attributeName, errorText } from '../bgp/iana.ts';
import type { UpdateVerdict } from '../core/check-update.ts';
import type { RouteCore } from '../core/route-core.ts';
import { type AddressFamily, addressFamilies } from '../net/address-family.ts';

interface Verdict {
  readonly outcome: string;
  readonly errorCode?: number;
  readonly errorSubcode?: number;
  /** The NOTIFICATION in words, when the outcome is a reset; the error that was found, when it is not. */
  readonly error?: string;
  readonly attribute?: number;
  readonly attributeName?: string;
  /** From the start of the message. */
  readonly offset?: number;
}

export type UpdateJudge = (message: Uint8Array, context: DecodeContext) => Verdict;

export function updateJudge(core: RouteCore, session: 'ebgp' | 'ibgp'): UpdateJudge {
  const check = (message: Uint8Array, fourOctetAs: boolean, addPath: readonly AddressFamily[]) =>
    core.checkUpdate(message, { fourOctetAs, session, addPath, peerAsn: 0, localAsn: 0 });
  return (message, { fourOctetAs, addPath, addPathIsGuess }) => {
    const families = addressFamilies.filter((family) => addPath.has(family));
    const verdict = check(message, fourOctetAs, families);
    if (!addPathIsGuess || verdict.outcome !== 'session-reset') return inWords(verdict);
    // The same choice as the decoder's: without path identifiers where it makes no sense with them
    return inWords(check(message, fourOctetAs, []));
  };
}

function inWords({ outcome, errorCode, errorSubcode, attribute, offset }: UpdateVerdict): Verdict {
  if (outcome === 'accept') return { outcome };
  const name = attributeName(attribute);
  return {
    outcome,
    errorCode,
    errorSubcode,
    error: errorText(errorCode, errorSubcode),
    ...(attribute === 0 ? {} : { attribute }),
    ...(name === undefined ? {} : { attributeName: name }),
    offset,
  };
}
