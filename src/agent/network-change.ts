// A network added, changed or removed while running: the running configuration and what is asked → the whole new one, or every
// problem with it. It goes through the same door as a file, so nothing that a file may not say can be said this way. Pure.
import { parse, stringify } from 'yaml';
import type { Config } from '../config/config.ts';
import { effectiveConfig } from '../config/effective.ts';
import { type ParseResult, parseConfig } from '../config/parse.ts';

/** `network`: an entry of the configuration's `networks`, as it came. Its name is the one it is asked for by. */
export function withNetwork(config: Config, name: string, network: object): ParseResult {
  const others = networksOf(config).filter((each) => each.name !== name);
  return parseWith(config, [...others, { ...network, name }]);
}

export function withoutNetwork(config: Config, name: string): ParseResult {
  return parseWith(
    config,
    networksOf(config).filter((each) => each.name !== name),
  );
}

function parseWith(config: Config, networks: readonly object[]): ParseResult {
  return parseConfig(stringify({ ...asFile(config), networks }), config.node);
}

function networksOf(config: Config): readonly { readonly name: string }[] {
  return asFile(config)['networks'] as { name: string }[];
}

function asFile(config: Config): Record<string, unknown> {
  return parse(effectiveConfig(config)) as Record<string, unknown>;
}
