// Which lines about links make what was heard of routes doubtful.
import { describe, expect, it } from 'vitest';
import { LinkTable } from '../../../src/sources/kernel/link-table.ts';

const up = '5: v2@v3: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group 0 ';

describe('LinkTable', () => {
  it.each([
    ['the same again', up, false, { isAnother: false, hasMoved: false }],
    ['another MTU', up.replace('1500', '9000'), false, { isAnother: false, hasMoved: false }],
    ['down', up.replace(',UP,LOWER_UP', ''), false, { isAnother: false, hasMoved: true }],
    ['no carrier', up.replace(',LOWER_UP', ''), false, { isAnother: false, hasMoved: true }],
    ['into a VRF', up.replace('state', 'master blue state'), false, { hasMoved: true }],
    ['renamed', up.replace('v2@', 'w2@'), false, { name: 'w2', hasMoved: true }],
    ['gone', up, true, { isAnother: true, hasMoved: true }],
    ['new', up.replace('5: v2', '6: v9'), false, { name: 'v9', isAnother: true, hasMoved: true }],
  ])('%s', (_name, text, isDeleted, expected) => {
    const table = new LinkTable();
    table.list(up);
    expect(table.hear(text, isDeleted)).toMatchObject(expected);
  });

  it('knows the index of a device as long as it is there, made anew too', () => {
    const table = new LinkTable();
    table.list(up);
    expect(table.indexOf('v2')).toBe(5);
    table.hear(up.replace('5: ', '8: '), false); // its end is told after its like has come
    table.hear(up, true);
    expect(table.indexOf('v2')).toBe(8);
    table.hear(up.replace('5: ', '8: '), true);
    expect(table.indexOf('v2')).toBe(0);
    expect(table.hear('garbage', false)).toBeUndefined();
  });
});
