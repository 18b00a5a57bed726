// The proof of promise P1 on demand: what a target's database or kernel table holds now forwards every address as the Loc-RIB and the
// routes of others would, or else the ranges in which it does not. It compares forwarding, not rows, so aggregation changes nothing.
//
// The agent goes on meanwhile. What differs only because a change was under way is read again, and counts when it is still there.
import { setTimeout as sleep } from 'node:timers/promises';
import { type AddressFamily, addressFamilies } from '../net/address-family.ts';
import { formatIpAddress, parseIpAddress } from '../net/ip-address.ts';
import { parsePrefix, prefixFamily } from '../net/prefix.ts';
import type { HostSinkOptions } from '../sinks/host/options.ts';
import type { OvnSinkOptions } from '../sinks/ovn/options.ts';
import { wantedNextHops } from '../sinks/ovn/row.ts';
import { findDifferences, type LabelledPrefix } from './differences.ts';
import { hostTables } from './host-tables.ts';
import { ovnTables, type TablePair } from './ovn-tables.ts';
import { readKernel, type WantedNextHop } from './read-kernel.ts';
import { readRouter } from './read-northbound.ts';

/** A target of a network, as the agent writes to it. */
export interface Place {
  readonly network: string;
  readonly sink:
    | ({ readonly kind: 'ovn' } & OvnSinkOptions)
    | ({ readonly kind: 'host' } & HostSinkOptions);
  /** Un-routed space may be covered by entries that drop. */
  readonly mayDiscard: boolean;
}

/** What the Loc-RIB forwards a prefix to; no next hops: nothing, on purpose. */
export interface ForwardingObject {
  readonly prefix: string;
  readonly nextHops: readonly WantedNextHop[];
}

/** Addresses that the target forwards otherwise than it should. */
export interface DifferentRange {
  readonly network: string;
  readonly target: 'ovn' | 'host';
  readonly family: AddressFamily;
  readonly first: string;
  readonly last: string;
  /** Where they should go; `none`: nowhere. */
  readonly expected: string;
  readonly actual: string;
}

const MOST_READINGS = 4;
const BETWEEN_READINGS_MS = 250;

export async function verifyTarget(
  place: Place,
  readForwarding: () => Promise<readonly ForwardingObject[]>,
): Promise<DifferentRange[]> {
  let lasting = await compareOnce(place, await readForwarding());
  for (let reading = 1; reading < MOST_READINGS && lasting.length > 0; reading++) {
    await sleep(BETWEEN_READINGS_MS);
    const before = new Set(lasting.map((range) => JSON.stringify(range)));
    const now = await compareOnce(place, await readForwarding());
    lasting = now.filter((range) => before.has(JSON.stringify(range)));
  }
  return lasting;
}

async function compareOnce(
  place: Place,
  forwarding: readonly ForwardingObject[],
): Promise<DifferentRange[]> {
  const { network, sink, mayDiscard } = place;
  const { expected, actual } = await readTables(sink, forwarding);
  return addressFamilies
    .filter((family) => family !== 'l2vpn-evpn')
    .flatMap((family) => {
      const of = (table: readonly LabelledPrefix[]): LabelledPrefix[] =>
        table.filter(({ prefix }) => prefixFamily(prefix) === family);
      const bits = family === 'ipv4-unicast' ? 32 : 128;
      return findDifferences(of(expected), of(actual), bits)
        .filter((range) => !mayDiscard || drops(range.expected) !== drops(range.actual))
        .map((range) => ({
          network,
          target: sink.kind,
          family,
          first: addressText(range.first, bits),
          last: addressText(range.last, bits),
          expected: range.expected ?? NONE,
          actual: range.actual ?? NONE,
        }));
    });
}

const NONE = 'none';

const drops = (label: string | undefined): boolean => label === undefined || label === 'discard';

async function readTables(
  sink: Place['sink'],
  forwarding: readonly ForwardingObject[],
): Promise<TablePair> {
  if (sink.kind === 'ovn') {
    const wanted = forwarding.map(({ prefix, nextHops }) => ({
      prefix,
      nexthops: texts(nextHops),
    }));
    return ovnTables(wanted, await readRouter(sink), sink.collision);
  }
  const addresses = forwarding.flatMap(({ nextHops }) => nextHops.map(({ address }) => address));
  const kernel = await readKernel(sink, new Set(addresses));
  const wanted = forwarding.map(({ prefix, nextHops }) => {
    return { prefix: parsePrefix(prefix)!, label: kernel.labelOf(nextHops) };
  });
  return hostTables(wanted, kernel.printed, sink);
}

/** As the sink writes them: repeated for weights. */
function texts(nextHops: readonly WantedNextHop[]): string[] {
  const members = nextHops.map(({ address, weight }) => {
    return { address: parseIpAddress(address)!, weight, interfaceIndex: 0 };
  });
  return wantedNextHops({ id: 0, discard: members.length === 0, members });
}

function addressText(number: bigint, bits: 32 | 128): string {
  const digits = number.toString(16).padStart(bits / 4, '0');
  return formatIpAddress(Uint8Array.from(Buffer.from(digits, 'hex')));
}
