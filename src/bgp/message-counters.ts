// Messages of a peer by type and direction, over its life.
import { MessageType } from './iana.ts';

export interface MessageCounts {
  open: number;
  update: number;
  notification: number;
  keepalive: number;
  routeRefresh: number;
  total: number;
}

const names: Readonly<Record<number, keyof MessageCounts>> = {
  [MessageType.open]: 'open',
  [MessageType.update]: 'update',
  [MessageType.notification]: 'notification',
  [MessageType.keepalive]: 'keepalive',
  [MessageType.routeRefresh]: 'routeRefresh',
};

export class MessageCounters {
  readonly received: MessageCounts = zeros();
  readonly sent: MessageCounts = zeros();

  countSent(type: number): void {
    count(this.sent, type);
  }

  countReceived(type: number): void {
    count(this.received, type);
  }

  /** A chunk of an Established session: all messages, the UPDATEs among them, and the type of a control message or 0. */
  countChunk(messages: number, updates: number, controlType: number): void {
    const controls = controlType === 0 ? 0 : 1;
    this.received.total += messages;
    this.received.update += updates;
    this.received.keepalive += Math.max(0, messages - updates - controls);
    const name = names[controlType];
    if (name) this.received[name]++;
  }
}

function count(counts: MessageCounts, type: number): void {
  const name = names[type];
  if (name) counts[name]++;
  counts.total++;
}

function zeros(): MessageCounts {
  return { open: 0, update: 0, notification: 0, keepalive: 0, routeRefresh: 0, total: 0 };
}
