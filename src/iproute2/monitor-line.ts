// Lines of `ip -oneline -N monitor label …` → what they are about.

export type MonitoredObject = 'route' | 'nexthop' | 'link' | 'address';

export interface MonitorLine {
  readonly about: MonitoredObject;
  readonly deleted: boolean;
  /** The object, as `ip … show` would print it. */
  readonly text: string;
}

const labels: Readonly<Record<string, MonitoredObject>> = {
  ROUTE: 'route',
  NEXTHOP: 'nexthop',
  LINK: 'link',
  ADDR: 'address',
};

/** What a line tells, or undefined when it is about something we did not ask for. */
export function parseMonitorLine(line: string): MonitorLine | undefined {
  const end = line.indexOf(']');
  if (!line.startsWith('[') || end < 0) return undefined;
  const about = labels[line.slice(1, end)];
  if (about === undefined) return undefined;
  const deleted = line.startsWith('Deleted ', end + 1);
  return { about, deleted, text: line.slice(end + 1 + (deleted ? 8 : 0)) };
}
