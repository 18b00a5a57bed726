// Configuration of sources: routes that do not come over a BGP session of ours.
import { z } from 'zod';
import { interfaceName } from './values.ts';

/** rtnetlink(7) and rt_protos of iproute2. */
const protocolNumbers = {
  kernel: 2,
  boot: 3,
  static: 4,
  zebra: 11,
  bird: 12,
  bgp: 186,
  isis: 187,
  ospf: 188,
  rip: 189,
  eigrp: 192,
} as const;
const protocolNames = Object.keys(protocolNumbers) as (keyof typeof protocolNumbers)[];

/** The protocol of routes that others write. */
const followedProtocol = z.codec(
  z.union([z.int().min(1).max(255), z.enum(protocolNames)]),
  z.int().min(1).max(255),
  {
    decode: (seen) => (typeof seen === 'number' ? seen : protocolNumbers[seen]),
    encode: (value) => value,
  },
);

export const kernelSourceSchema = z.strictObject({
  kind: z.literal('kernel').describe('Routes that another program (FRR) installed in the kernel.'),
  tables: z
    .array(z.union([z.int().min(1).max(0xffff_ffff), z.string().min(1)]))
    .default([])
    .describe('Tables to follow, as `table` of a network names them; `main` is that of `default`.'),
  vrfs: z.array(interfaceName).default([]).describe('VRF devices whose tables to follow.'),
  protocol: followedProtocol
    .prefault('bgp')
    .describe('Kernel route protocol of what is learned: number or name.'),
  import: z.string().default('accept').describe('Policy for what is learned.'),
});
