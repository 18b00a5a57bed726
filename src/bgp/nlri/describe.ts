// NLRI of any family → plain objects for people. Families Rutter does not carry are named; those with no decoder here keep
// their bytes (`raw`), found by the length of what holds them.
import { ByteReader, ReadError } from '../../net/byte-reader.ts';
import { formatHex } from '../../net/hex.ts';
import { addressFamilyName } from '../iana.ts';
import { type DescribedEvpnRoute, readEvpnRoute } from './evpn.ts';
import { type DescribedLabel, readLabeledPrefix, readPrefix } from './prefix.ts';

/** One route of a message. Which fields it has is its family's matter. */
export interface DescribedRoute extends Partial<Omit<DescribedEvpnRoute, 'labels'>> {
  readonly family: string;
  /** RFC 7911, where the session sends them. */
  readonly pathId?: number;
  readonly prefix?: string;
  readonly routeDistinguisher?: string;
  readonly labels?: readonly DescribedLabel[];
  /** All NLRI bytes of a family that has no decoder here, in hex. */
  readonly raw?: string;
}

type Shape = 'prefix' | 'labeled' | 'vpn' | 'evpn' | 'raw';

/** How a family's NLRI is built (IANA "SAFI Values"). */
function shapeOf(afi: number, safi: number): Shape {
  if (afi === 25 && safi === 70) return 'evpn';
  if (afi !== 1 && afi !== 2) return 'raw';
  switch (safi) {
    case 1:
    case 2:
      return 'prefix';
    case 4:
      return 'labeled';
    case 128:
    case 129:
      return 'vpn';
    default:
      return 'raw';
  }
}

/**
 * The routes up to the reader's end, appended to `routes` one by one: when it throws a ReadError, what came before is there.
 * `pathIds`: each route begins with a path identifier (RFC 7911), or perhaps does, when what is known is the session and not the
 * family. With `perhaps` the list is taken with them unless that makes no sense.
 */
export function describeRoutes(
  reader: ByteReader,
  afi: number,
  safi: number,
  pathIds: boolean | 'perhaps',
  routes: DescribedRoute[],
): void {
  const family = addressFamilyName(afi, safi);
  const shape = shapeOf(afi, safi);
  if (shape === 'raw') {
    if (reader.remaining > 0) routes.push({ family, raw: formatHex(reader.rest()) });
    return;
  }
  const offset = reader.position;
  const bytes = reader.rest();
  const hasPathId = pathIds === 'perhaps' ? isSoundWithPathIds(bytes, shape, afi) : pathIds;
  readRoutes(new ByteReader(bytes, offset), shape, afi, hasPathId, (route) =>
    routes.push({ family, ...route }),
  );
}

function isSoundWithPathIds(bytes: Uint8Array, shape: Shape, afi: number): boolean {
  try {
    readRoutes(new ByteReader(bytes), shape, afi, true, () => {});
    return true;
  } catch (error) {
    if (error instanceof ReadError) return false;
    throw error;
  }
}

function readRoutes(
  reader: ByteReader,
  shape: Shape,
  afi: number,
  hasPathId: boolean,
  take: (route: Omit<DescribedRoute, 'family'>) => void,
): void {
  while (reader.remaining > 0) {
    const pathId = hasPathId ? { pathId: reader.uint32() } : {};
    take({ ...pathId, ...describeRoute(reader, shape, afi) });
  }
}

function describeRoute(
  reader: ByteReader,
  shape: Shape,
  afi: number,
): Omit<DescribedRoute, 'family'> {
  const addressSize = afi === 1 ? 4 : 16;
  switch (shape) {
    case 'evpn':
      return readEvpnRoute(reader);
    case 'labeled':
      return readLabeledPrefix(reader, addressSize, false);
    case 'vpn':
      return readLabeledPrefix(reader, addressSize, true);
    default:
      return { prefix: readPrefix(reader, addressSize) };
  }
}
