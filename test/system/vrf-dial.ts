// `node vrf-dial.ts ADDRESS DEVICE`: connects to port 179 by a device and prints how many bytes came until the other side closed.
import { TcpTransport } from '../../src/bgp/transport/tcp.ts';
import { parseIpAddress } from '../../src/net/ip-address.ts';

export const dialProgram = import.meta.filename;

function dial(address: string, device: string): void {
  let count = 0;
  new TcpTransport().connect(
    { address: parseIpAddress(address)!, port: 179, device },
    {
      connected: (connection) =>
        connection.attach({
          received: (chunk) => {
            count += chunk.length;
          },
          drained: () => undefined,
          closed: () => console.log(count),
        }),
      failed: (error) => {
        throw error;
      },
    },
  );
}

if (import.meta.main) dial(process.argv[2]!, process.argv[3]!);
