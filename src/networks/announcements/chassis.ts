// The name of this node's Chassis: what ovn-controller calls itself, `system-id` of the local Open vSwitch (ovn-controller(8)).
import { OvsdbClient } from '../../ovsdb/client.ts';
import { parseRemotes } from '../../ovsdb/remote.ts';

const OPEN_VSWITCH = 'unix:/var/run/openvswitch/db.sock';
/** The socket is local: whoever does not answer by now is not there. */
const TIMEOUT_MS = 1000;

/** undefined where no Open vSwitch answers, or has no name. */
export function readSystemId(remote = OPEN_VSWITCH): Promise<string | undefined> {
  return new Promise((resolve) => {
    const finish = (systemId: string | undefined) => {
      clearTimeout(timer);
      client.close();
      resolve(systemId);
    };
    const client = new OvsdbClient(
      {
        remotes: parseRemotes(remote)!,
        database: 'Open_vSwitch',
        tables: [{ table: 'Open_vSwitch', columns: ['external_ids'] }],
      },
      {
        changed: () => {},
        synced: () => {
          const [row] = client.rows('Open_vSwitch').values();
          const externalIds = row?.['external_ids'] as ReadonlyMap<string, string> | undefined;
          finish(externalIds?.get('system-id'));
        },
        lockChanged: () => {},
        lost: () => finish(undefined),
      },
    );
    const timer = setTimeout(() => finish(undefined), TIMEOUT_MS);
    client.start();
  });
}
