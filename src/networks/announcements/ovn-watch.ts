// Follows OVN's Northbound and Southbound databases and says what of them is to be announced (ovn-candidates.ts decides).
//
//   Northbound ───────────────────────────────┐
//   Southbound: Chassis of our name ─► uuid ──┤ changes ─► OvnCandidates ─► onChanged
//               Port_Binding of that uuid ────┘
//
// The bindings are a second connection, because which rows to ask for is known only when the Chassis row is: a node of a large
// deployment then hears of its own ports alone.
//
// A database that is lost changes nothing: OVN's datapath goes on without its databases, and what was in place stays in place.
// Withdrawing then would be the outage. The rows stay as last heard and are compared when the database is back; until then
// `problems` says so. Before the first complete answer of both databases nothing is said at all.
import { OvsdbClient, type OvsdbListener } from '../../ovsdb/client.ts';
import type { MonitoredTable, RowChange } from '../../ovsdb/monitor.ts';
import { parseRemotes, type Remote, type TlsFiles } from '../../ovsdb/remote.ts';
import type { Candidate } from './announcement.ts';
import { OvnCandidates } from './ovn-candidates.ts';
import {
  bindingTable,
  chassisTable,
  NORTHBOUND,
  northboundTables,
  type OvnRequest,
  SOUTHBOUND,
} from './ovn-request.ts';

export interface OvnWatchOptions {
  readonly northbound: readonly string[];
  readonly southbound: readonly string[];
  readonly tls: TlsFiles | undefined;
  /** Name of our Chassis row. */
  readonly chassis: string;
  readonly requests: readonly OvnRequest[];
  readonly log: { warn(fields: object, event: string): void };
  /** Whether a subject's candidates are in use. */
  readonly isKnown: (subject: string) => boolean;
  /** takeTouched() has something; the first time when both databases have been read. */
  readonly onChanged: () => void;
}

type DatabaseName = 'northbound' | 'chassis' | 'bindings';

interface Database {
  readonly client: OvsdbClient;
  /** Its rows were complete once. */
  wasSynced: boolean;
  /** Why it is not connected. */
  lost: string | undefined;
}

export class OvnWatch {
  readonly #options: OvnWatchOptions;
  readonly #candidates: OvnCandidates;
  readonly #databases = new Map<DatabaseName, Database>();
  #chassisUuid: string | undefined;
  #isReported = false;

  constructor(options: OvnWatchOptions) {
    this.#options = options;
    this.#candidates = new OvnCandidates(options.requests, options.chassis, options.isKnown);
  }

  start(): void {
    const { requests, chassis, northbound, southbound } = this.#options;
    this.#open('northbound', northbound, NORTHBOUND, northboundTables(requests));
    this.#open('chassis', southbound, SOUTHBOUND, [chassisTable(chassis)]);
  }

  close(): void {
    for (const { client } of this.#databases.values()) client.close();
    this.#databases.clear();
  }

  /** Both databases have been read completely once. */
  get isComplete(): boolean {
    return this.#isReported;
  }

  get hasTouched(): boolean {
    return this.#isReported && this.#candidates.hasTouched;
  }

  /** At most so many subjects, those in use first. */
  takeTouched(most: number): Map<string, readonly Candidate[]> {
    return this.#isReported ? this.#candidates.takeTouched(most) : new Map();
  }

  /** Takes the place of another watch, whose subjects these are: takeTouched() says what becomes of them. */
  succeed(subjects: Iterable<string>): void {
    this.#candidates.touch(subjects);
  }

  /** What keeps requests from being answered, for people. */
  problems(network: string): string[] {
    const { requests, chassis } = this.#options;
    const lost = [...this.#databases].flatMap(([name, { lost: reason }]) =>
      reason === undefined ? [] : [`${databaseNames[name]}: ${reason}`],
    );
    const missing = requests
      .filter((request) => request.network === network)
      .flatMap((request) => this.#candidates.problem(request) ?? []);
    const read = this.#isReported ? missing : [];
    const isMissing = this.#databases.get('chassis')?.wasSynced && this.#chassisUuid === undefined;
    return [
      ...lost,
      ...(isMissing ? [`chassis ${chassis} is not in the Southbound database`] : []),
      ...new Set(read),
    ];
  }

  #open(
    name: DatabaseName,
    remotes: readonly string[],
    database: string,
    tables: readonly MonitoredTable[],
  ): void {
    const listener: OvsdbListener = {
      changed: (changes) => this.#changed(name, changes),
      synced: () => this.#synced(name),
      lockChanged: () => {},
      lost: (error) => this.#lost(name, error.message),
    };
    const client = new OvsdbClient(
      {
        remotes: remotes.flatMap(requireRemotes),
        tls: this.#options.tls,
        database,
        tables,
        leaderOnly: false,
      },
      listener,
    );
    this.#databases.set(name, { client, wasSynced: false, lost: undefined });
    client.start();
  }

  #changed(name: DatabaseName, changes: readonly RowChange[]): void {
    if (name === 'chassis') {
      for (const { kind, uuid } of changes) this.#followChassis(kind, uuid);
    } else this.#candidates.take(changes);
    this.#report();
  }

  #followChassis(kind: RowChange['kind'], uuid: string): void {
    if (kind === 'delete' ? uuid !== this.#chassisUuid : uuid === this.#chassisUuid) return;
    this.#chassisUuid = kind === 'delete' ? undefined : uuid;
    this.#databases.get('bindings')?.client.close();
    this.#databases.delete('bindings');
    this.#candidates.setChassis(this.#chassisUuid);
    if (this.#chassisUuid === undefined) return;
    const { southbound } = this.#options;
    this.#open('bindings', southbound, SOUTHBOUND, [bindingTable(this.#chassisUuid)]);
  }

  #synced(name: DatabaseName): void {
    const database = this.#databases.get(name)!;
    database.wasSynced = true;
    database.lost = undefined;
    this.#report();
  }

  #lost(name: DatabaseName, reason: string): void {
    const database = this.#databases.get(name);
    if (database === undefined) return;
    if (database.lost === undefined) {
      this.#options.log.warn({ database: databaseNames[name], reason }, 'database lost');
    }
    database.lost = reason;
  }

  #report(): void {
    const isComplete = [...this.#databases.values()].every(({ wasSynced }) => wasSynced);
    this.#isReported ||= isComplete;
    if (this.#isReported) this.#options.onChanged();
  }
}

const databaseNames: Readonly<Record<DatabaseName, string>> = {
  northbound: 'OVN Northbound',
  chassis: 'OVN Southbound',
  bindings: 'OVN Southbound',
};

function requireRemotes(text: string): Remote[] {
  const remotes = parseRemotes(text);
  if (remotes === undefined) throw new Error(`OVSDB remote ${text}, expected unix:, tcp: or ssl:`);
  return remotes;
}
