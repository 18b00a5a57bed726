// The whole effective configuration as YAML: what was given and what was not, in the form a file has.
import { stringify } from 'yaml';
import { z } from 'zod';
import { type Config, configSchema } from './config.ts';

/** Parses back to the same configuration. Secrets are not in it: the file names only where they are. */
export function effectiveConfig(config: Config): string {
  // The schema's own way back, so that printing cannot drift from parsing.
  const printable = z.encode(
    configSchema,
    structuredClone(config) as z.output<typeof configSchema>,
  );
  for (const [index, peer] of config.bgp.peers.entries()) {
    if (peer.holdTime === 0) delete printable.bgp.peers![index]!.keepaliveTime; // there are none
  }
  return stringify(printable, { flowCollectionPadding: true, lineWidth: 100 });
}

/** JSON Schema (2020-12) of the file, for editors. */
export function configJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(configSchema, { io: 'input' });
  return { ...schema, title: 'Rutter configuration' };
}
