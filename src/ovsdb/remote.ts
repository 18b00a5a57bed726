// Remotes in the form of the OVS tools (ovsdb(7), "Connection methods"): unix:PATH, tcp:HOST:PORT, ssl:HOST:PORT. Parse, connect.
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { OvsdbError } from './errors.ts';

export type Remote =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp' | 'ssl'; readonly host: string; readonly port: number };

export interface TlsFiles {
  readonly keyFile: string;
  readonly certificateFile: string;
  readonly caFile: string;
}

/** IANA's port for OVSDB. */
const DEFAULT_PORT = 6640;

/** One remote or a comma list of them; undefined when any is malformed. */
export function parseRemotes(text: string): Remote[] | undefined {
  const remotes = text.split(',').map((part) => parseRemote(part.trim()));
  return remotes.every((remote) => remote !== undefined) ? remotes : undefined;
}

function parseRemote(text: string): Remote | undefined {
  if (text.startsWith('unix:')) {
    const path = text.slice(5);
    return path === '' ? undefined : { kind: 'unix', path };
  }
  const match = /^(tcp|ssl):(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  if (!match) return undefined;
  const port = match[4] === undefined ? DEFAULT_PORT : Number(match[4]);
  if (port < 1 || port > 65535) return undefined;
  return { kind: match[1] as 'tcp' | 'ssl', host: (match[2] ?? match[3])!, port };
}

export function formatRemote(remote: Remote): string {
  if (remote.kind === 'unix') return `unix:${remote.path}`;
  const host = remote.host.includes(':') ? `[${remote.host}]` : remote.host;
  return `${remote.kind}:${host}:${remote.port}`;
}

/** Opens a stream to the remote; rejects with `connection-failed` when that takes longer than `timeoutMs`. */
export function openStream(
  remote: Remote,
  tls: TlsFiles | undefined,
  timeoutMs: number,
): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void => {
      clearTimeout(timer);
      reject(
        new OvsdbError('connection-failed', `${formatRemote(remote)}: ${cause.message}`, { cause }),
      );
    };
    const timer = setTimeout(() => {
      stream.destroy(new Error(`no connection within ${timeoutMs} ms`));
    }, timeoutMs);
    const opened = (): void => {
      clearTimeout(timer);
      stream.off('error', fail);
      resolve(stream);
    };
    let stream: Duplex;
    try {
      stream = dial(remote, tls, opened);
    } catch (cause) {
      return fail(cause as Error);
    }
    stream.once('error', fail);
  });
}

function dial(remote: Remote, tls: TlsFiles | undefined, opened: () => void): Duplex {
  if (remote.kind === 'unix') return connect({ path: remote.path }, opened);
  const { host, port } = remote;
  if (remote.kind === 'tcp') return connect({ host, port, noDelay: true }, opened);
  if (!tls) throw new Error('ssl: needs a key, a certificate and a CA file');
  return connectTls(
    {
      host,
      port,
      // Read at every connection: certificates are renewed while the agent runs.
      key: readFileSync(tls.keyFile),
      cert: readFileSync(tls.certificateFile),
      ca: readFileSync(tls.caFile),
      minVersion: 'TLSv1.2',
      // As in OVS: the CA is the trust, and certificates made by ovs-pki name no host.
      checkServerIdentity: () => undefined,
    },
    opened,
  );
}
