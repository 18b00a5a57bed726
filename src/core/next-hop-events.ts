// What the core says of its next hops: those to be resolved, and those that nothing uses any more.
import {
  NEXT_HOP_EVENT_ADDED,
  NEXT_HOP_EVENT_ADDRESS,
  NEXT_HOP_EVENT_ID,
  NEXT_HOP_EVENT_INTERFACE,
  NEXT_HOP_EVENT_KIND,
  NEXT_HOP_EVENT_NETWORK,
  NEXT_HOP_EVENT_SIZE,
  NEXT_HOP_EVENT_VERSION,
} from '../../assembly/abi.ts';
import type { IpAddress } from '../net/ip-address.ts';
import type { Output } from './border.ts';
import { copyBytes } from './stored-key.ts';

export interface NextHopEvent {
  /** Core id of the next hop. */
  readonly id: number;
  readonly network: number;
  readonly address: IpAddress;
  readonly interfaceIndex: number;
  /** `added`: resolve it and call setNextHop; `removed`: no route uses it any more. */
  readonly kind: 'added' | 'removed';
}

export function readNextHopEvents({ view, start, count }: Output): NextHopEvent[] {
  const events: NextHopEvent[] = [];
  for (let i = 0; i < count; i++) {
    const offset = start + i * NEXT_HOP_EVENT_SIZE;
    const size = view.getUint8(offset + NEXT_HOP_EVENT_VERSION) === 4 ? 4 : 16;
    const isAdded = view.getUint8(offset + NEXT_HOP_EVENT_KIND) === NEXT_HOP_EVENT_ADDED;
    events.push({
      id: view.getUint32(offset + NEXT_HOP_EVENT_ID, true),
      network: view.getUint16(offset + NEXT_HOP_EVENT_NETWORK, true),
      address: copyBytes(view, offset + NEXT_HOP_EVENT_ADDRESS, size),
      interfaceIndex: view.getUint32(offset + NEXT_HOP_EVENT_INTERFACE, true),
      kind: isAdded ? 'added' : 'removed',
    });
  }
  return events;
}
