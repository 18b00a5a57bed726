// How soon a port that goes down is withdrawn on the wire: one port among 2000, from the database's commit to the peer's socket.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OvsdbServer } from '../../bench/ovsdb-server.ts';
import { Speaker } from '../../src/bgp/speaker.ts';
import { Processes, waitUntil } from '../../src/lab/processes.ts';
import { rutterCommand } from '../../src/lab/rutter.ts';
import { parseIpAddress } from '../../src/net/ip-address.ts';
import { OvsdbClient } from '../../src/ovsdb/client.ts';
import { parseRemotes } from '../../src/ovsdb/remote.ts';
import { readMessage } from '../bgp/naive-update.ts';
import { RecordingReceiver } from '../bgp/recording-receiver.ts';

const PORTS = 2000;
const FLAPS = 50;

type Operation = Record<string, unknown>;

describe('a port that goes down', () => {
  const directory = mkdtempSync(join(tmpdir(), 'rutter-latency-'));
  const processes = new Processes(directory);
  const receiver = new RecordingReceiver();
  let northbound: OvsdbServer;
  let southbound: OvsdbServer;
  let client: OvsdbClient;
  let speaker: Speaker;

  beforeAll(async () => {
    northbound = await OvsdbServer.start();
    southbound = await OvsdbServer.start({ schema: '/usr/share/ovn/ovn-sb.ovsschema' });
    await withClient(northbound, 'OVN_Northbound', (nb) => transact(nb, 'OVN_Northbound', ports()));
    client = await connected(southbound, 'OVN_Southbound');
    await transact(client, 'OVN_Southbound', bindings());
    speaker = new Speaker({
      asn: 65001,
      routerId: 2,
      listen: [{ address: parseIpAddress('127.0.0.1')!, port: 0 }],
      log: { debug: () => {}, info: () => {}, warn: () => {} },
    });
    const address = parseIpAddress('127.0.0.1')!;
    speaker.addPeer(
      { name: 'agent', address, asn: 64512, passive: true, families: ['ipv4-unicast'] },
      receiver,
    );
    await speaker.start();
    await startAgent(speaker.ports[0]!);
    await waitUntil(async () => announced() === PORTS, { what: 'all ports', timeoutMs: 30_000 });
  });

  afterAll(async () => {
    await processes[Symbol.asyncDispose]();
    client.close();
    await speaker.stop();
    await northbound.stop();
    await southbound.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  async function startAgent(port: number): Promise<void> {
    const peers = [
      { name: 'peer', address: '127.0.0.1', port, asn: 65001, connectRetryTime: '1s' },
    ];
    const config = {
      node: 'node',
      bgp: { asn: 64512, routerId: '10.0.0.1', listen: [], peers },
      networks: [{ name: 'default', advertise: [{ ovn: { switch: 'blue', what: 'ports' } }] }],
      ovn: { northbound: northbound.remote, southbound: southbound.remote, chassis: 'node' },
      control: { socket: join(directory, 'rutter.sock') },
    };
    const file = join(directory, 'rutter.yaml');
    writeFileSync(file, JSON.stringify(config));
    const [command, args] = rutterCommand(['agent', '--config', file]);
    await processes.start({ name: 'agent', command, args });
  }

  /** Prefixes in all UPDATEs so far. */
  function announced(): number {
    return receiver.updates.reduce((sum, update) => sum + (prefixCount(update) ?? 0), 0);
  }

  it('is withdrawn in the time of a few messages', async () => {
    const times: number[] = [];
    for (let i = 0; i < FLAPS; i++) {
      times.push(await flap(i, false));
      await flap(i, true);
    }
    times.sort((a, b) => a - b);
    const median = times[FLAPS / 2]!;
    console.info(`${PORTS} ports: down to withdrawal on the wire, median ${median.toFixed(2)} ms`);
    expect(median).toBeLessThan(250);
  });

  /** Milliseconds from the request to commit until the peer has the UPDATE. */
  async function flap(index: number, up: boolean): Promise<number> {
    const count = receiver.updates.length;
    const begun = performance.now();
    const update = { op: 'update', table: 'Port_Binding', row: { up } };
    const where = [['logical_port', '==', `vm${index}`]];
    void transact(client, 'OVN_Southbound', [{ ...update, where }]);
    while (receiver.updates.length === count) {
      await new Promise((resolve) => setImmediate(resolve));
      if (performance.now() - begun > 10_000) throw new Error(`no UPDATE for vm${index}`);
    }
    const text = readMessage(receiver.updates.at(-1)!).text;
    expect(text).toContain(`10.0.${index >> 8}.${index & 255}/32`);
    return performance.now() - begun;
  }
});

function prefixCount(update: Uint8Array): number | undefined {
  return readMessage(update).text.match(/\d+\.\d+\.\d+\.\d+\/32/g)?.length;
}

function ports(): Operation[] {
  const names = Array.from({ length: PORTS }, (_, i) => `p${i}`);
  return [
    ...names.map((name, i) => ({
      op: 'insert',
      table: 'Logical_Switch_Port',
      'uuid-name': name,
      row: { name: `vm${i}`, up: true, addresses: `02:00:00:00:00:01 10.0.${i >> 8}.${i & 255}` },
    })),
    {
      op: 'insert',
      table: 'Logical_Switch',
      row: { name: 'blue', ports: ['set', names.map((name) => ['named-uuid', name])] },
    },
  ];
}

function bindings(): Operation[] {
  const encap = { type: 'geneve', ip: '127.0.0.1', chassis_name: 'node' };
  return [
    { op: 'insert', table: 'Encap', 'uuid-name': 'encap', row: encap },
    {
      op: 'insert',
      table: 'Chassis',
      'uuid-name': 'chassis',
      row: { name: 'node', hostname: 'node', encaps: ['named-uuid', 'encap'] },
    },
    { op: 'insert', table: 'Datapath_Binding', 'uuid-name': 'dp', row: { tunnel_key: 1 } },
    ...Array.from({ length: PORTS }, (_, i) => ({
      op: 'insert',
      table: 'Port_Binding',
      row: {
        logical_port: `vm${i}`,
        datapath: ['named-uuid', 'dp'],
        tunnel_key: i + 1,
        chassis: ['named-uuid', 'chassis'],
        up: true,
      },
    })),
  ];
}

async function connected(server: OvsdbServer, database: string): Promise<OvsdbClient> {
  let isSynced = false;
  const client = new OvsdbClient(
    { remotes: parseRemotes(server.remote)!, database, tables: [] },
    { changed: () => {}, synced: () => (isSynced = true), lockChanged: () => {}, lost: () => {} },
  );
  client.start();
  await waitUntil(async () => isSynced, { what: database, timeoutMs: 10_000 });
  return client;
}

async function withClient(
  server: OvsdbServer,
  database: string,
  use: (client: OvsdbClient) => Promise<unknown>,
): Promise<void> {
  const client = await connected(server, database);
  await use(client);
  client.close();
}

function transact(client: OvsdbClient, database: string, operations: Operation[]) {
  const paramsText = JSON.stringify([database, ...operations]);
  return client.transactEncoded({ paramsText, operationCount: operations.length });
}
