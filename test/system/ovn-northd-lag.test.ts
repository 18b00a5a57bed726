// How long northd takes, as the sink sees it in Southbound: beside a real northd, one that is held still, and none.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { OvsdbServer, waitFor } from '../../bench/ovsdb-server.ts';
import { SinkFixture, startNorthbound } from './ovn-sink-fixture.ts';

const HELD_MS = 700;

let north: OvsdbServer;
let south: OvsdbServer;
let northd: ChildProcess;
let fixture: SinkFixture;
let next = 0;

beforeAll(async () => {
  north = await startNorthbound();
  south = await OvsdbServer.start({ schema: '/usr/share/ovn/ovn-sb.ovsschema' });
  const args = [`--ovnnb-db=${north.remote}`, `--ovnsb-db=${south.remote}`, '-vconsole:off'];
  const control = `--unixctl=${join(north.directory, 'northd.ctl')}`;
  northd = spawn('ovn-northd', [...args, control], { stdio: 'ignore' });
  north.nbctl('--wait=sb', '--timeout=20', 'sync');
  fixture = await new SinkFixture({ remotes: [north.remote], southbound: [south.remote] }).open();
});

afterAll(async () => {
  await fixture?.sink.close();
  northd?.kill('SIGKILL');
  await north?.stop();
  await south?.stop();
});

/** Writes another row; the window that its answer knows of. */
async function writeRow(nextHop = '172.18.0.2', prefix = `20.0.${next++}.0/24`): Promise<number> {
  const { known, failures, windowMs } = await fixture.apply([{ prefix, to: [nextHop] }]);
  expect({ known, failures }).toEqual({ known: true, failures: [] });
  return windowMs ?? 0;
}

/** Writes rows until an answer's window is as it should be. */
async function untilWindow(isRight: (ms: number) => boolean, write = () => writeRow()) {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (isRight(await write())) return;
    await sleep(20);
  }
  throw new Error('the window never came');
}

/** Holds northd still over a write until an answer's window shows it: a row may go unmeasured while another one is. */
async function untilHoldShows(write: () => Promise<number>) {
  for (let attempt = 0; attempt < 10; attempt++) {
    northd.kill('SIGSTOP');
    await write();
    await sleep(HELD_MS);
    northd.kill('SIGCONT');
    for (let answer = 0; answer < 20; answer++) {
      if ((await writeRow()) >= 0.8 * HELD_MS * 0.9) return;
      await sleep(20);
    }
  }
  throw new Error('no window showed that northd was held');
}

it('is measured on a new row and on a changed one', async () => {
  await untilWindow((ms) => ms > 0);
  await untilHoldShows(() => writeRow());
  await untilWindow((ms) => ms > 0 && ms < HELD_MS / 2);
  let last = 2;
  // In place: the flow is another one.
  await untilHoldShows(() => writeRow(`172.18.0.${++last}`, '20.0.0.0/24'));
}, 60_000);

it('writes nothing to Southbound or nb_cfg, and goes on when Southbound is lost', async () => {
  const before = north.nbctl('get', 'NB_Global', '.', 'nb_cfg').trim();
  await writeRow();
  expect(north.nbctl('get', 'NB_Global', '.', 'nb_cfg').trim()).toBe(before);
  await south.stop();
  await untilWindow((ms) => ms === 0);
  await waitFor(() => fixture.state === 'ready', 'ready sink');
  expect(await writeRow()).toBe(0);
});
