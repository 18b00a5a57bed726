// A unix socket in front of a server that makes it older: some methods are unknown to it.
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Methods of equal length that no server has, so that the real server gives its real refusal. */
const unknownNames: Record<string, string> = {
  monitor_cond_since: 'monitor_cond_sinXX',
  monitor_cond: 'monitor_coXX',
  _Server: '_SerXXX',
  set_db_change_aware: 'set_db_change_awaXX',
};

export class OldServerProxy {
  readonly path: string;
  /** What the server sent, in pieces. */
  readonly answers: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(path: string, target: string, missing: readonly string[]) {
    this.path = path;
    this.#server = createServer((client) => {
      const server = connect({ path: target });
      for (const socket of [client, server]) {
        this.#sockets.add(socket);
        socket.on('error', () => undefined); // an end of the other side: both are closed below
        socket.on('close', () => {
          client.destroy();
          server.destroy();
        });
      }
      // Requests are small and written whole: a name is never cut.
      client.on('data', (chunk) =>
        server.write(rename(chunk.toString('latin1'), missing), 'latin1'),
      );
      server.on('data', (chunk) => {
        this.answers.push(chunk.toString('latin1'));
        client.write(chunk);
      });
    });
  }

  get remote(): string {
    return `unix:${this.path}`;
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(this.path, resolve));
  }

  /** Cuts every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  close(): void {
    this.#server.close();
    this.cut();
  }
}

function rename(text: string, missing: readonly string[]): string {
  return missing.reduce(
    (renamed, name) => renamed.replaceAll(`"${name}"`, `"${unknownNames[name]}"`),
    text,
  );
}
