// A link as `ip -oneline link` and `ip monitor link` print it → its facts.
//
//   5: v2@v3: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue master blue state UP group 0 \    link/…

export interface LinkLine {
  readonly index: number;
  readonly name: string;
  readonly isUp: boolean;
  /** Whether the other end answers: without a carrier the kernel marks routes, or drops them. */
  readonly hasCarrier: boolean;
  /** The VRF or bridge it is enslaved to. */
  readonly master: string | undefined;
}

/** The facts, or undefined when the line is no link. */
export function parseLink(text: string): LinkLine | undefined {
  const match = /^(\d+): (\S+?)(?:@\S+)?: <([^>]*)>/.exec(text);
  if (match === null) return undefined;
  const flags = match[3]!.split(',');
  return {
    index: Number(match[1]),
    name: match[2]!,
    isUp: flags.includes('UP'),
    hasCarrier: flags.includes('LOWER_UP'),
    master: /> .*? master (\S+) /.exec(text)?.[1],
  };
}
