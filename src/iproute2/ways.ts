// The ways out of a route, as `ip -N -oneline route` and `ip monitor` print them. Pure.
//
//   10.9.0.0/24 via 10.1.1.2 dev eth0 proto 186
//   10.9.0.0/24 proto 186 metric 20 \	nexthop via 10.1.1.2 dev eth0 weight 1 \	nexthop via …
import { type IpAddress, parseIpAddress } from '../net/ip-address.ts';

export interface PrintedWay {
  /** Undefined: on the link itself. */
  readonly gateway: IpAddress | undefined;
  readonly device: string | undefined;
  readonly weight: number;
  /** The kernel does not use it: its device is down (RTNH_F_DEAD). */
  readonly isDead: boolean;
}

/** One for each `nexthop` of the line, in order; without any, what the line itself says. */
export function readWays(line: string): PrintedWay[] {
  const [common = '', ...others] = line.split('\\');
  const hops = others.filter((text) => text.trimStart().startsWith('nexthop '));
  return (hops.length > 0 ? hops : [common]).map(readWay);
}

/** Its first `via` and `dev`. */
function readWay(text: string): PrintedWay {
  const words = text.trim().split(' ');
  let gateway: IpAddress | undefined;
  let device: string | undefined;
  let weight = 1;
  let isDead = false;
  for (let i = 0; i < words.length; i++) {
    switch (words[i]) {
      case 'via': {
        const isOtherFamily = words[i + 1] === 'inet6' || words[i + 1] === 'inet';
        i += isOtherFamily ? 2 : 1;
        gateway ??= parseIpAddress(words[i] ?? '');
        break;
      }
      case 'dev':
        device ??= words[++i]; // a device may be named like one of these words
        break;
      case 'weight':
        weight = Number(words[++i]) || 1;
        break;
      case 'dead':
        isDead = true;
        break;
    }
  }
  return { gateway, device, weight, isDead };
}
