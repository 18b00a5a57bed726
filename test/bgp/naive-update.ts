// A reader of the few messages our side sends: slow, obvious, and written without the encoder's code.
export interface ReadMessage {
  readonly text: string;
  readonly announced: readonly string[];
  readonly withdrawn: readonly string[];
  readonly med: number | undefined;
}

const names: Record<string, string> = { '1/1': 'ipv4-unicast', '2/1': 'ipv6-unicast' };

export function readMessage(message: Uint8Array): ReadMessage {
  const bytes = Buffer.from(message);
  if (bytes[18] === 5) {
    const mark = ['request', 'begin', 'end'][bytes[21]!];
    const text = `refresh ${mark} ${bytes.readUInt16BE(19)}/${bytes[22]}`;
    return { text, announced: [], withdrawn: [], med: undefined };
  }
  if (bytes[18] !== 2) throw new Error(`message of type ${bytes[18]}, expected UPDATE`);
  return readUpdate(bytes);
}

function readUpdate(bytes: Buffer): ReadMessage {
  const withdrawnLength = bytes.readUInt16BE(19);
  const withdrawn = prefixes(bytes.subarray(21, 21 + withdrawnLength), 4);
  const attributesAt = 21 + withdrawnLength;
  const attributesLength = bytes.readUInt16BE(attributesAt);
  const attributes = bytes.subarray(attributesAt + 2, attributesAt + 2 + attributesLength);
  const announced = prefixes(bytes.subarray(attributesAt + 2 + attributesLength), 4);
  let words = '';
  let nextHop = '';
  let med: number | undefined;
  let ended = attributesLength === 0 && withdrawn.length === 0 ? 'ipv4-unicast' : undefined;
  for (let at = 0; at < attributes.length; ) {
    const isLong = (attributes[at]! & 0x10) !== 0;
    const length = isLong ? attributes.readUInt16BE(at + 2) : attributes[at + 2]!;
    const start = at + (isLong ? 4 : 3);
    const value = attributes.subarray(start, start + length);
    at = start + length;
    switch (attributes[start - (isLong ? 3 : 2)]) {
      case 2: {
        const path: number[] = [];
        for (let i = 2; i < value.length; i += 4) path.push(value.readUInt32BE(i));
        words += ` path ${path.join(' ')}`;
        break;
      }
      case 3:
        nextHop = address(value);
        break;
      case 4:
        med = value.readUInt32BE(0);
        words += ` med ${med}`;
        break;
      case 5:
        words += ` localPref ${value.readUInt32BE(0)}`;
        break;
      case 14: {
        const size = value[3]!;
        nextHop = address(value.subarray(4, 4 + size));
        announced.push(...prefixes(value.subarray(5 + size), value[1] === 2 ? 16 : 4));
        break;
      }
      case 15:
        withdrawn.push(...prefixes(value.subarray(3), value[1] === 2 ? 16 : 4));
        if (value.length === 3) ended = names[`${value[1]}/${value[2]}`];
        break;
    }
  }
  const text =
    announced.length > 0
      ? `announce ${announced.join(' ')} next hop ${nextHop}${words}`
      : ended === undefined || withdrawn.length > 0
        ? `withdraw ${withdrawn.join(' ')}`
        : `end ${ended}`;
  return { text, announced, withdrawn, med };
}

function prefixes(bytes: Buffer, size: 4 | 16): string[] {
  const list: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const bits = bytes[at]!;
    const octets = Math.ceil(bits / 8);
    const whole = Buffer.alloc(size);
    bytes.copy(whole, 0, at + 1, at + 1 + octets);
    list.push(`${address(whole)}/${bits}`);
    at += 1 + octets;
  }
  return list;
}

function address(bytes: Buffer): string {
  if (bytes.length === 4) return [...bytes].join('.');
  const groups = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => bytes.readUInt16BE(i * 2).toString(16));
  return groups.join(':').replace(/(^|:)0(:0)+(:|$)/, '::');
}
