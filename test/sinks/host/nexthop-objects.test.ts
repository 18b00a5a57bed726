// Which kernel object stands for which next hop, over restarts.
import { describe, expect, it } from 'vitest';
import { parseIpAddress } from '../../../src/net/ip-address.ts';
import { type KernelNextHop, readNextHop } from '../../../src/sinks/host/nexthop-line.ts';
import { NextHopObjects, type SetMembers } from '../../../src/sinks/host/nexthop-objects.ts';

const FIRST = 0x5200_0000 + 100 * 0x1_0000;
const place = (gateway: string) => ({ gateway, device: 'eth0' });
const hop = (text: string, weight = 1) => ({
  address: parseIpAddress(text)!,
  weight,
  interfaceIndex: 0,
});
const setOf = (...members: ReturnType<typeof hop>[]): SetMembers => ({ discard: false, members });
const noDevices = () => 0;

/** What the kernel would list after these lines. */
function kernel(lines: readonly string[]): KernelNextHop[] {
  return lines.map((line) => {
    const words = line.replaceAll('"', '').split(' ');
    const after = (word: string) => words[words.indexOf(word) + 1];
    const group = after('group')?.includes(',')
      ? after('group')!
          .split('/')
          .map((member) => member.split(',').map(Number))
          .map(([id = 0, weight = 1]) => ({ id, weight }))
      : undefined;
    const json = { id: Number(after('id')), protocol: after('proto') };
    return readNextHop(
      group ? { ...json, group } : { ...json, gateway: after('via'), dev: 'eth0' },
    );
  });
}

describe('NextHopObjects', () => {
  it('takes ids from the range of its table, and skips those somebody has', () => {
    const objects = new NextHopObjects(100, 114);
    objects.load([{ id: FIRST + 1, protocol: 3, kind: 'other' }], noDevices);
    expect(objects.discardId).toBe(FIRST);
    expect(objects.addMember(hop('10.0.0.1'), place('10.0.0.1')).id).toBe(FIRST + 2);
    expect(objects.isOwnId(FIRST + 0xffff)).toBe(true);
    expect(objects.isOwnId(FIRST + 0x1_0000)).toBe(false);
  });

  it('has one object per next hop and one per set of several or weighted', () => {
    const objects = new NextHopObjects(100, 114);
    const one = setOf(hop('10.0.0.1'));
    const two = setOf(hop('10.0.0.1', 2), hop('10.0.0.2', 3));
    expect(objects.idOf(one)).toBeUndefined();
    const first = objects.addMember(hop('10.0.0.1'), place('10.0.0.1'));
    const second = objects.addMember(hop('10.0.0.2'), place('10.0.0.2'));
    const group = objects.addGroup(two);
    expect(group.lines).toEqual([
      `nexthop add id ${group.id} proto 114 group "${first.id},2/${second.id},3"`,
    ]);
    expect(objects.idOf(one)).toBe(first.id);
    expect(objects.idOf(two)).toBe(group.id);
    expect(objects.idOf(setOf(hop('10.0.0.1', 2)))).toBeUndefined();
    expect(objects.setOf(group.id)).toEqual(two);
  });

  it('a restart reads back the same sets, and writes no object anew', () => {
    const before = new NextHopObjects(100, 114);
    const two = setOf(hop('10.0.0.1', 2), hop('10.0.0.2', 3));
    const lines = [
      ...before.addMember(hop('10.0.0.1'), place('10.0.0.1')).lines,
      ...before.addMember(hop('10.0.0.2'), place('10.0.0.2')).lines,
      ...before.addGroup(two).lines,
    ];
    const after = new NextHopObjects(100, 114);
    after.load(kernel(lines), noDevices);
    expect(after.setOf(FIRST + 3)).toEqual(two);
    expect(after.addMember(hop('10.0.0.2'), place('10.0.0.2')).lines).toEqual([]);
    expect(after.addMember(hop('10.0.0.1'), place('10.0.0.1')).lines).toEqual([]);
    expect(after.idOf(two)).toBe(FIRST + 3);
    expect(after.matches(kernel(lines))).toBe(true);
    expect(after.matches(kernel(lines.slice(1)))).toBe(false);
  });

  it('a next hop behind a gateway claims the object read back under the gateway', () => {
    const before = new NextHopObjects(100, 114);
    const { lines, id } = before.addMember(hop('192.0.2.9'), place('10.0.0.1'));
    const after = new NextHopObjects(100, 114);
    after.load(kernel(lines), noDevices);
    const asRead = setOf(hop('10.0.0.1'));
    expect(after.setOf(id)).toEqual(asRead);
    expect(after.idInPlace(asRead)).toBe(id);
    expect(after.addMember(hop('192.0.2.9'), place('10.0.0.1'))).toEqual({ id, lines: [] });
    expect(after.idOf(setOf(hop('192.0.2.9')))).toBe(id);
    // What was reported under the gateway is still found, but the gateway as a next hop of its own needs its own object.
    expect(after.idInPlace(asRead)).toBe(id);
    expect(after.addMember(hop('10.0.0.1'), place('10.0.0.1')).lines).toHaveLength(1);
  });

  it('moves an object when its next hop lies elsewhere', () => {
    const objects = new NextHopObjects(100, 114);
    const { id } = objects.addMember(hop('192.0.2.9'), place('10.0.0.1'));
    expect(objects.moveMember(hop('192.0.2.9'), place('10.0.0.1'))).toBeUndefined();
    expect(objects.moveMember(hop('192.0.2.9'), place('10.0.0.2'))).toBe(
      `nexthop replace id ${id} proto 114 via 10.0.0.2 dev "eth0"`,
    );
  });

  it('names what is unused: groups before their members, and no member of a group in use', () => {
    const objects = new NextHopObjects(100, 114);
    const first = objects.addMember(hop('10.0.0.1'), place('10.0.0.1')).id;
    const second = objects.addMember(hop('10.0.0.2'), place('10.0.0.2')).id;
    const third = objects.addMember(hop('10.0.0.3'), place('10.0.0.3')).id;
    const used = objects.addGroup(setOf(hop('10.0.0.1'), hop('10.0.0.2'))).id;
    const unused = objects.addGroup(setOf(hop('10.0.0.2'), hop('10.0.0.3'))).id;
    expect(objects.unused(new Set([used]))).toEqual([unused, third]);
    expect(objects.unused(new Set())).toEqual([used, unused, first, second, third]);
  });
});
