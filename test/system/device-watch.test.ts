// Devices followed on this kernel: ones that come, go, get another name or are made anew.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { execute } from '../../src/lab/execute.ts';
import { NetworkNamespaces } from '../../src/lab/namespaces.ts';
import { waitUntil } from '../../src/lab/processes.ts';
import { type DeviceChange, DeviceWatch } from '../../src/networks/device-watch.ts';
import { isRoot } from './agent-site.ts';

describe.runIf(isRoot)('devices of a namespace', () => {
  let namespaces: NetworkNamespaces;
  let namespace: string;
  let watch: DeviceWatch;
  let changes: DeviceChange[];

  beforeEach(async () => {
    namespaces = new NetworkNamespaces(`devices-${process.pid}`);
    namespace = await namespaces.add('here');
    changes = [];
    watch = new DeviceWatch({
      namespace,
      log: { warn: (fields, event) => expect.fail(`${event} ${JSON.stringify(fields)}`) },
      onChanged: (change) => void changes.push(change),
    });
  });

  afterEach(async () => {
    watch.stop();
    await namespaces[Symbol.asyncDispose]();
  });

  const ip = (...args: string[]) => execute('ip', ['-n', namespace, 'link', ...args]);
  const until = (what: string, condition: () => boolean) => waitUntil(condition, { what });

  it('are known when they are followed from, and told of when they change', async () => {
    await ip('add', 'name', 'bridge-a', 'type', 'bridge');
    await ip('add', 'name', 'bridge-x', 'type', 'bridge');
    await watch.follow(new Set(['bridge-a', 'bridge-b']));
    const first = watch.devices!.get('bridge-a')!;
    expect([...watch.devices!.keys()]).toEqual(['bridge-a']);

    await ip('set', 'bridge-a', 'name', 'bridge-b');
    await until('the other name', () => changes.length === 3);
    expect(changes.slice(1)).toEqual([
      { name: 'bridge-a', before: first, after: undefined },
      { name: 'bridge-b', before: undefined, after: { ...first, name: 'bridge-b' } },
    ]);

    await execute('ip', ['-n', namespace, '-batch', '-'], {
      input: 'link delete bridge-b\nlink add name bridge-b type bridge\n',
    });
    const isAnother = () => (watch.devices?.get('bridge-b')?.index ?? first.index) !== first.index;
    await until('the new device', isAnother);

    await ip('delete', 'bridge-b');
    await until('the end', () => watch.devices!.size === 0);
    expect(changes.at(-1)).toMatchObject({ name: 'bridge-b', after: undefined });
    expect(changes.some(({ name }) => name === 'bridge-x')).toBe(false);
  });
});
