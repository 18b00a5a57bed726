// The raw file as far as it can be read: a value of the wrong kind reads as absent. For checks that must see the whole file
// although parts of it are wrong.
import { z } from 'zod';

const text = z.string().optional().catch(undefined);
/** Present, but of the wrong kind. */
const endpoint = z.string().optional().catch('');
const number = z.number().optional().catch(undefined);
const duration = z
  .union([z.string(), z.number().transform(String)])
  .optional()
  .catch(undefined);

/** A list whose broken members read as empty maps, so that indexes stay right; anything else reads as an empty list. */
function list<Item extends z.ZodObject>(item: Item) {
  return z
    .array(item.catch(() => item.parse({}) as z.output<Item>))
    .optional()
    .catch([])
    .transform((members) => members ?? []);
}

/** One text or a list of them. */
const texts = z
  .union([z.array(z.string().catch('')), z.string().transform((one) => [one])])
  .optional()
  .catch([])
  .transform((members) => members ?? []);
const match = z.object({ prefixes: texts, peer: texts });
const clause = z.object({
  match: match
    .optional()
    .catch(undefined)
    .transform((given) => given ?? match.parse({})),
});

const peer = z.object({
  name: text,
  address: endpoint,
  interface: endpoint,
  asn: z.union([z.number(), z.string()]).optional().catch(undefined),
  network: text,
  localAddress: text,
  holdTime: duration,
  keepaliveTime: duration,
  multihop: number,
  ttlSecurity: number,
  bfd: z.unknown().optional(),
  import: text,
  export: text,
});

const ovnSource = z.object({
  switch: text,
  router: text,
  nat: text,
  loadBalancers: text,
  what: text,
});
const advertisement = z.object({
  prefix: z.unknown().optional(),
  nextHop: text,
  policy: text,
  ovn: ovnSource.optional().catch(undefined),
});

const network = z.object({
  name: text,
  table: z.union([z.string(), z.number()]).optional().catch(undefined),
  vrf: text,
  ovn: z.object({ router: text, outputPort: text }).optional().catch(undefined),
  advertise: z.preprocess(
    (entries) =>
      Array.isArray(entries)
        ? entries.map((entry) => (typeof entry === 'string' ? { prefix: entry } : entry))
        : [],
    list(advertisement),
  ),
  aggregates: list(z.object({ prefix: text, policy: text })),
  subnets: z
    .array(text)
    .optional()
    .catch([])
    .transform((members) => members ?? []),
  imports: list(z.object({ from: text, policy: text })),
  exports: list(z.object({ to: text, policy: text })),
  evpn: z.unknown().optional(),
});

const tables = z.array(z.union([z.string(), z.number()]).optional().catch(undefined));
const source = z.object({
  kind: text,
  import: text,
  tables: tables.default([]).catch([]),
  vrfs: tables.default([]).catch([]),
});

const bgp = z.object({
  asn: number,
  listen: list(z.object({ address: text, port: z.number().optional().catch(undefined) })),
  peers: list(peer),
});
const ovn = z.object({ northbound: text, southbound: text, tls: z.unknown().optional() });
const policies = z.record(z.string(), list(clause));
const prefixLists = z.record(z.string(), z.unknown());

const config = z.object({
  bgp: bgp.catch(() => bgp.parse({})),
  policies: policies.optional().catch({}),
  prefixLists: prefixLists.optional().catch({}),
  networks: list(network),
  sources: list(source),
  ovn: ovn.catch(() => ovn.parse({})),
});

export type LoosePeer = z.output<typeof peer>;
export type LooseNetwork = z.output<typeof network>;
export type LooseConfig = ReturnType<typeof readLoosely>;

/** Reads anything; what is missing or wrong is absent in the result. */
export function readLoosely(raw: unknown) {
  const read = config.catch(() => config.parse({})).parse(raw);
  // Without the key there is the network `default` (config.ts); with it, only what it says.
  const isGiven = typeof raw === 'object' && raw !== null && 'networks' in raw;
  const networks = isGiven ? read.networks : [network.parse({ name: 'default' })];
  return { ...read, policies: read.policies ?? {}, prefixLists: read.prefixLists ?? {}, networks };
}
