// UPDATE → a plain object for people (RFC 4271 §4.3, RFC 4760). Tolerant: errors are listed, the rest is read.
import { type ByteReader, ReadError } from '../../net/byte-reader.ts';
import {
  type DecodeContext,
  type DecodeError,
  type DescribedAttributes,
  describeAttributes,
  pathIdsOf,
} from '../attributes/describe.ts';
import type { DescribedNextHop } from '../attributes/next-hop.ts';
import { addressFamilyName } from '../iana.ts';
import { type DescribedRoute, describeRoutes } from '../nlri/describe.ts';

export interface DescribedUpdate {
  readonly type: 'update';
  readonly withdrawn: readonly DescribedRoute[];
  readonly announced: readonly (DescribedRoute & DescribedNextHop)[];
  readonly attributes: DescribedAttributes;
  /** Family of the End-of-RIB marker this message is (RFC 4724 §2). */
  readonly endOfRib?: string;
}

const IPV4 = 1;
const UNICAST = 1;

/** Takes a reader over the body. What is wrong goes to `errors`. */
export function describeUpdate(
  reader: ByteReader,
  context: DecodeContext,
  errors: DecodeError[],
): DescribedUpdate {
  const isEmpty = reader.remaining === 4;
  const withdrawn: DescribedRoute[] = [];
  const nlri: DescribedRoute[] = [];
  const pathIds = pathIdsOf(addressFamilyName(IPV4, UNICAST), context);
  const withdrawnReader = reader.slice(reader.uint16());
  const attributesReader = reader.slice(reader.uint16());
  collect(errors, () => describeRoutes(withdrawnReader, IPV4, UNICAST, pathIds, withdrawn));
  const base = attributesReader.position;
  const block = describeAttributes(attributesReader.rest(), context, base);
  errors.push(...block.errors);
  collect(errors, () => describeRoutes(reader, IPV4, UNICAST, pathIds, nlri));
  const { nextHop } = block.attributes;
  const announced = nlri.map((route) => (nextHop === undefined ? route : { ...route, nextHop }));
  const update: DescribedUpdate = {
    type: 'update',
    withdrawn: [...withdrawn, ...block.unreach],
    announced: [...block.reach, ...announced],
    attributes: block.attributes,
  };
  const endOfRib = isEmpty ? addressFamilyName(IPV4, UNICAST) : endOfRibFamily(update);
  return endOfRib === undefined ? update : { ...update, endOfRib };
}

/** RFC 4724 §2: nothing but an empty MP_UNREACH_NLRI. */
function endOfRibFamily({ withdrawn, announced, attributes }: DescribedUpdate): string | undefined {
  if (withdrawn.length > 0 || announced.length > 0) return undefined;
  return Object.keys(attributes).length === 1 ? attributes.mpUnreach?.family : undefined;
}

function collect(errors: DecodeError[], read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof ReadError)) throw error;
    errors.push({ offset: error.offset, message: error.message });
  }
}
