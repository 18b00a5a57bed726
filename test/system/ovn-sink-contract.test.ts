// The contract of every sink, kept by the OVN sink on a real Northbound database.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { waitFor } from '../../bench/ovsdb-server.ts';
import { createOvnSink } from '../../src/sinks/ovn/sink.ts';
import type { Sink } from '../../src/sinks/sink.ts';
import { testSink } from '../sinks/sink-contract.ts';
import {
  addForeign,
  dumpRow,
  PORT,
  ROUTER,
  startStrictNorthbound,
  transact,
} from './ovn-sink-fixture.ts';

testSink('ovn', { refuses: true, isShared: true }, async () => {
  const server = await startStrictNorthbound({ ecmp: true });
  const foreign: string[] = [];
  let previous: Sink | undefined;
  return {
    nextHops: ['172.18.0.2', '172.18.0.3'],
    nextHop6: 'fd00::2',
    refusedNextHop: '172.18.0.222',
    // One agent at a time: the lock of the one before would keep the next waiting.
    makeSink(emit) {
      const before = previous;
      const sink = createOvnSink(
        {
          remotes: [server.remote],
          owner: 'node',
          network: 'default',
          router: ROUTER,
          outputPort: PORT,
          maxRoutes: 1000,
          collision: 'skip',
        },
        emit,
      );
      previous = sink;
      return {
        open: async () => {
          await before?.close();
          await sink.open();
        },
        apply: (batch) => sink.apply(batch),
        flush: () => sink.flush(),
        close: () => sink.close(),
      };
    },
    async watchWrites() {
      let writes = 0;
      let lines = 0;
      const table = ['OVN_Northbound', 'Logical_Router_Static_Route', 'ip_prefix', 'nexthop'];
      const child = spawn('ovsdb-client', ['monitor', '--format=csv', server.remote, ...table], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      createInterface({ input: child.stdout }).on('line', (line) => {
        lines++;
        if (/,(insert|delete|old|new),/.test(line)) writes++;
      });
      await waitFor(() => lines > 0, 'first output of ovsdb-client');
      return {
        async stop() {
          // What the monitor has to tell comes before the answer to a transaction that is later; a write of ours would show.
          const marker = lines;
          transact(server, [
            {
              op: 'insert',
              table: 'Logical_Router',
              row: { name: 'marker', static_routes: ['named-uuid', 'r'] },
            },
            {
              op: 'insert',
              table: 'Logical_Router_Static_Route',
              'uuid-name': 'r',
              row: { ip_prefix: '1.1.1.1/32' },
            },
          ]);
          await waitFor(() => lines > marker, 'the marker');
          child.kill();
          transact(server, [
            { op: 'delete', table: 'Logical_Router', where: [['name', '==', 'marker']] },
          ]);
          return writes - 1;
        },
      };
    },
    foreign: {
      async add(prefix) {
        foreign.push(addForeign(server, prefix, '172.18.0.9'));
      },
      async list() {
        return foreign.map((uuid) => dumpRow(server, uuid)).join('\n');
      },
    },
    async dispose() {
      await server.stop();
    },
  };
});
