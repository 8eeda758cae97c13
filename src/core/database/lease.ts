import { type Binary, type ClientSession, type Collection, type Db, type Filter, type UpdateFilter } from 'mongodb';
import { abortLeftOpen } from './left-open.js';

/**
 * A row that one process at a time may act on. Until when is in a row beside it: renewing must not touch this one, or
 * it would collide with every transaction that takes longer than a renewal is away.
 */
export interface LeaseRow {
  _id: string;
  owner: string | null;
  /** Rises with every take-over: a fencing token. */
  epoch: number;
  /** The server's name for the session that the holder last wrote under. */
  session?: Binary;
}

interface ExpiryRow {
  _id: string;
  owner: string | null;
  expiresAt: Date;
}

/** Thrown where a node acts under a lease that is no longer its own. */
export class LeaseLost extends Error {
  constructor(id: string) {
    super(`the lease "${id}" is held by another node`);
    this.name = 'LeaseLost';
  }
}

export interface LeaseOptions<Row extends LeaseRow> {
  db: Db;
  rows: Collection<Row>;
  id: string;
  /** Names this process among all. */
  owner: string;
  /** How long the lease holds without renewal, in milliseconds. */
  ttlMs: number;
}

/**
 * A right held by one node at a time. Expiry is judged by the database's clock, so nodes need not agree on the time.
 */
export class Lease<Row extends LeaseRow = LeaseRow> {
  private readonly expiry: Collection<ExpiryRow>;
  private readonly expiryId: string;
  private epoch = -1;
  private renewal: NodeJS.Timeout | undefined;
  private announced: string | undefined;

  constructor(private readonly options: LeaseOptions<Row>) {
    this.expiry = options.rows as unknown as Collection<ExpiryRow>;
    this.expiryId = `${options.id}/expiry`;
  }

  /** Takes the lease if it is free or has expired; answers with its row, or `undefined` if another holds it. */
  async tryAcquire(): Promise<Row | undefined> {
    const { rows, id, owner } = this.options;
    await this.expiry.updateOne(
      { _id: this.expiryId },
      { $setOnInsert: { owner: null, expiresAt: new Date(0) } },
      { upsert: true },
    );
    const { matchedCount } = await this.expiry.updateOne(
      { _id: this.expiryId, $expr: { $lt: ['$expiresAt', '$$NOW'] } },
      [{ $set: { owner, expiresAt: this.fromNow() } }],
    );
    if (matchedCount === 0) return undefined;
    const mine = { _id: id } as Filter<Row>;
    const abandoned = await rows.findOne(mine);
    if (abandoned?.session) await abortLeftOpen(this.options.db, abandoned.session);
    const row = await rows.findOneAndUpdate(
      mine,
      { $set: { owner }, $inc: { epoch: 1 }, $unset: { session: 1 } } as unknown as UpdateFilter<Row>,
      { upsert: true, returnDocument: 'after' },
    );
    if (!row) return undefined;
    this.epoch = row.epoch;
    this.announced = undefined;
    return row as Row;
  }

  /** Renews at a third of the lease's life until it is released; calls `onLost` where it has passed to another. */
  keepRenewed(onLost: () => void): void {
    const { owner, ttlMs } = this.options;
    this.renewal = setInterval(() => {
      this.expiry
        .updateOne({ _id: this.expiryId, owner }, [{ $set: { expiresAt: this.fromNow() } }])
        .then(({ matchedCount }) => {
          if (matchedCount === 0) onLost();
        })
        // A database out of reach ends the lease by itself; the guard below decides.
        .catch(() => undefined);
    }, ttlMs / 3);
  }

  /**
   * Says under which session the holder is about to write. To be called before a transaction's first operation: a
   * holder that dies within one leaves it open, and the server would keep its locks for a minute.
   */
  async announce({ id }: ClientSession): Promise<void> {
    const session = id?.id;
    const name = session?.toString('hex');
    if (session === undefined || name === this.announced) return;
    await this.options.rows.updateOne(this.held(), { $set: { session } } as unknown as UpdateFilter<Row>);
    this.announced = name;
  }

  /**
   * Updates the lease's row within the transaction of some effects: if the lease has passed to another node the
   * whole transaction is refused, so a node that was paused and wakes up can do no harm.
   * @throws LeaseLost
   */
  async guard(session: ClientSession | undefined, update: UpdateFilter<Row>): Promise<void> {
    const { matchedCount } = await this.options.rows.updateOne(this.held(), update, session && { session });
    if (matchedCount === 0) throw new LeaseLost(this.options.id);
  }

  /** Gives the lease back at once, so that nobody waits for it to expire. */
  async release(): Promise<void> {
    clearInterval(this.renewal);
    const { rows, owner } = this.options;
    await rows.updateOne(this.held(), {
      $set: { owner: null },
      $unset: { session: 1 },
    } as unknown as UpdateFilter<Row>);
    await this.expiry.updateOne({ _id: this.expiryId, owner }, { $set: { owner: null, expiresAt: new Date(0) } });
  }

  private fromNow() {
    return { $add: ['$$NOW', this.options.ttlMs] };
  }

  private held(): Filter<Row> {
    return { _id: this.options.id, epoch: this.epoch } as Filter<Row>;
  }
}
