// A real raft cluster of three ovsdb-servers, with TLS towards clients.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NORTHBOUND_SCHEMA, waitFor } from '../../bench/ovsdb-server.ts';
import type { TlsFiles } from '../../src/ovsdb/remote.ts';

interface Member {
  readonly name: string;
  readonly port: number;
  process: ChildProcess | undefined;
}

export class OvsdbCluster {
  readonly directory = mkdtempSync(join(tmpdir(), 'rutter-raft-'));
  readonly #members: Member[] = [];

  static async start(): Promise<OvsdbCluster> {
    const cluster = new OvsdbCluster();
    makeCertificates(cluster.directory);
    for (const name of ['a', 'b', 'c']) {
      cluster.#members.push({ name, port: await freePort(), process: undefined });
      cluster.#createDatabase(name);
      await cluster.restart(name);
    }
    await waitFor(() => cluster.names.every((name) => cluster.isMember(name)), 'joined members');
    return cluster;
  }

  get names(): string[] {
    return this.#members.map(({ name }) => name);
  }

  get remotes(): string[] {
    return this.#members.map(({ port }) => `ssl:127.0.0.1:${port}`);
  }

  get tls(): TlsFiles {
    return this.tlsOf('client', 'ca');
  }

  tlsOf(who: string, authority: string): TlsFiles {
    return {
      keyFile: join(this.directory, `${who}.key`),
      certificateFile: join(this.directory, `${who}.crt`),
      caFile: join(this.directory, `${authority}.crt`),
    };
  }

  remoteOf(name: string): string {
    return `ssl:127.0.0.1:${this.#member(name).port}`;
  }

  async restart(name: string): Promise<void> {
    const member = this.#member(name);
    const socket = this.socketOf(name);
    rmSync(socket, { force: true });
    const { keyFile, certificateFile, caFile } = this.tlsOf('server', 'ca');
    member.process = spawn(
      'ovsdb-server',
      [
        '--no-chdir',
        '-vconsole:off',
        `--remote=punix:${socket}`,
        `--remote=pssl:${member.port}:127.0.0.1`,
        `--private-key=${keyFile}`,
        `--certificate=${certificateFile}`,
        `--ca-cert=${caFile}`,
        `--unixctl=${join(this.directory, `${name}.ctl`)}`,
        join(this.directory, `${name}.db`),
      ],
      { stdio: 'ignore' },
    );
    await waitFor(() => existsSync(socket), `the socket of ${name}`);
  }

  async kill(name: string): Promise<void> {
    const { process: child } = this.#member(name);
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  signal(name: string, signal: NodeJS.Signals): void {
    this.#member(name).process?.kill(signal);
  }

  async stop(): Promise<void> {
    for (const name of this.names) await this.kill(name);
    rmSync(this.directory, { recursive: true, force: true });
  }

  isMember(name: string): boolean {
    return /Status: cluster member/.test(this.#status(name));
  }

  /** Who leads, asked of those named. */
  async leader(among = this.names): Promise<string> {
    let found: string | undefined;
    await waitFor(() => {
      found = among.find((name) => /Role: leader/.test(this.#status(name)));
      return found !== undefined;
    }, 'leader');
    return found!;
  }

  socketOf(name: string): string {
    return join(this.directory, `${name}.sock`);
  }

  /** ovn-nbctl over one member's unix socket. */
  nbctl(name: string, ...args: string[]): string {
    return execFileSync(
      'ovn-nbctl',
      [`--db=unix:${this.socketOf(name)}`, '--no-leader-only', ...args],
      {
        encoding: 'utf8',
        maxBuffer: 64 * 1024 * 1024,
      },
    );
  }

  #status(name: string): string {
    try {
      return execFileSync(
        'ovs-appctl',
        ['-t', join(this.directory, `${name}.ctl`), '-T', '2', 'cluster/status', 'OVN_Northbound'],
        { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
      );
    } catch {
      return ''; // dead or stopped: no role
    }
  }

  #createDatabase(name: string): void {
    const file = join(this.directory, `${name}.db`);
    const address = (member: string): string => `unix:${join(this.directory, `${member}.raft`)}`;
    if (name === 'a')
      execFileSync('ovsdb-tool', ['create-cluster', file, NORTHBOUND_SCHEMA, address('a')]);
    else
      execFileSync('ovsdb-tool', [
        'join-cluster',
        file,
        'OVN_Northbound',
        address(name),
        address('a'),
      ]);
  }

  #member(name: string): Member {
    return this.#members.find((member) => member.name === name)!;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** A CA with a server's and a client's certificate, and another CA with a stranger's, as ovs-pki would make them. */
function makeCertificates(directory: string): void {
  const openssl = (...args: string[]): unknown =>
    execFileSync('openssl', args, { cwd: directory, stdio: 'ignore' });
  const newKey = ['-newkey', 'rsa:2048', '-nodes', '-keyout'];
  writeFileSync(join(directory, 'ca.ext'), 'basicConstraints=CA:TRUE\n');
  for (const authority of ['ca', 'otherca']) {
    openssl(
      'req',
      '-x509',
      ...newKey,
      `${authority}.key`,
      '-out',
      `${authority}.crt`,
      '-days',
      '2',
      '-subj',
      `/CN=${authority}`,
    );
  }
  for (const [who, authority] of [
    ['server', 'ca'],
    ['client', 'ca'],
    ['stranger', 'otherca'],
  ] as const) {
    openssl('req', ...newKey, `${who}.key`, '-out', `${who}.csr`, '-subj', `/CN=${who} id:0`);
    openssl(
      'x509',
      '-req',
      '-in',
      `${who}.csr`,
      '-CA',
      `${authority}.crt`,
      '-CAkey',
      `${authority}.key`,
      '-CAcreateserial',
      '-days',
      '2',
      '-out',
      `${who}.crt`,
    );
  }
}
