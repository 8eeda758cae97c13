import { type Binary, type Db, ReadPreference } from 'mongodb';
import { SECOND } from '../clock.js';
import { type Log } from '../observability/log.js';
import { type Database } from './database.js';
import { isDatabaseUnavailable } from './errors.js';
import { abortLeftOpen } from './left-open.js';

/** How often it is looked for them, in milliseconds. */
const LOOK_EVERY_MS = 2 * SECOND;
/** Nearly all transactions are committed by then: it is looked for the connections of the others alone. */
const OPEN_FOR_MS = SECOND;

/** As `$currentOp` lists it: nobody is doing anything in it just now. */
interface OpenTransaction {
  lsid: { id: Binary };
  /** Address and port that its last operation came from. */
  client: string;
}

/**
 * Ends the transactions that processes left open when they died, of whatever kind: the server would keep their locks for a
 * minute, and whoever wants to write the same documents waiting. They are known by this, that the connection that their
 * last operation came from is there no longer. A process that is only paused keeps its connections.
 *
 * Ending one by mistake, or on two nodes at once, does no harm: the driver would begin it anew, as after any transient
 * error. Without access control the server lists those of other programs, too, to which the same applies.
 */
export class AbandonedTransactions {
  private readonly admin: Db;
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  /** Whether it was said that nothing can be seen. */
  private isBlind = false;

  constructor(private readonly options: { database: Database; log: Log }) {
    this.admin = options.database.connection.getClient().db('admin');
  }

  start(): void {
    this.timer = setInterval(() => this.lookQuietly(), LOOK_EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.looking;
  }

  private lookQuietly(): void {
    this.looking ??= this.look()
      .then(() => void (this.isBlind = false))
      .catch((error: unknown) => this.warn(error))
      .finally(() => (this.looking = undefined));
  }

  private async look(): Promise<void> {
    const open = await this.list<OpenTransaction>(
      { idleSessions: true },
      // Of one whose client is not told nothing can be said.
      { type: 'idleSession', client: { $type: 'string' }, 'transaction.timeOpenMicros': { $gt: OPEN_FOR_MS * 1_000 } },
    );
    if (open.length === 0) return;
    const clients = open.map(({ client }) => client);
    const connections = await this.list<{ client: string }>(
      { idleConnections: true },
      { type: 'op', client: { $in: clients } },
    );
    const connected = new Set(connections.map(({ client }) => client));
    let count = 0;
    for (const { client, lsid } of open) {
      if (connected.has(client)) continue;
      if (await abortLeftOpen(this.options.database.db, lsid.id)) count += 1;
    }
    if (count > 0) this.options.log.warn({ count }, 'database: transactions that dead processes left open were ended');
  }

  /** Of this user alone, which needs no further right; transactions are open on the primary and nowhere else. */
  private list<T>(kinds: Record<string, true>, match: Record<string, unknown>): Promise<T[]> {
    return this.admin
      .aggregate(
        [
          { $currentOp: { allUsers: false, ...kinds } },
          { $match: match },
          { $project: { _id: 0, client: 1, 'lsid.id': 1 } },
        ],
        { readPreference: ReadPreference.primary },
      )
      .toArray() as Promise<T[]>;
  }

  /** Once: some services never let their users look. */
  private warn(error: unknown): void {
    if (this.isBlind || isDatabaseUnavailable(error)) return;
    this.isBlind = true;
    const message = 'database: it cannot be seen what dead processes left open; the server ends that after a minute';
    this.options.log.warn({ err: error }, message);
  }
}
