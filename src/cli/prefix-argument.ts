// A prefix of the command line; without a length it asks for the longest match.
import { InvalidArgumentError } from 'commander';
import { formatIpAddress } from '../net/ip-address.ts';
import { formatPrefix, type Prefix, parsePrefix } from '../net/prefix.ts';

export interface PrefixArgument {
  readonly prefix: Prefix;
  readonly isAddress: boolean;
}

export function readPrefixArgument(text: string): PrefixArgument {
  const prefix = parsePrefix(text);
  if (prefix === undefined) throw new InvalidArgumentError('must be a prefix or an address');
  return { prefix, isAddress: !text.includes('/') };
}

/** In canonical form: `10.0.0.0/8`, `10.1.2.3`. */
export function argumentText({ prefix, isAddress }: PrefixArgument): string {
  return isAddress ? formatIpAddress(prefix.address) : formatPrefix(prefix);
}
