import { type ClientSession, type Db, type Document, ObjectId } from 'mongodb';
import pLimit from 'p-limit';
import { FLOOR } from './floor-collections.js';
import { copyIndexes } from './raw-inserts.js';

const AS_SENDING = { status: 'sending', attempts: 1 };

/** What Atrium has written for a call: its notifications as they were in the end, and its events. */
interface Written {
  notifications: Document[];
  created: Document;
  recorded: Document;
}

/**
 * A floor of a notification's way to a provider: what Atrium writes for it, by the plain driver, and nothing else. One transaction with the notifications under a claim, the unread counts of their
 * owners and the events that tell of them; and one with how they ended and the event of that. Nothing is read, decided,
 * put into words or sent.
 */
export class FloorHandOver {
  private constructor(
    private readonly db: Db,
    private readonly recipientIds: readonly ObjectId[],
    private readonly written: Written,
  ) {}

  /**
   * @param recipientIds who is told, in turns
   * @param perCall so many in each call; Atrium has written such calls to the same database
   */
  static async prepare(db: Db, recipientIds: readonly string[], perCall: number): Promise<FloorHandOver> {
    const [notifications, created, recorded] = await Promise.all([
      db.collection('notifications').find({ type: 'SYSTEM', 'channels.email.status': 'sent' }).limit(perCall).toArray(),
      newestEvent(db, 'notifications.created', perCall),
      newestEvent(db, 'deliveries.recorded', perCall),
    ]);
    await copyIndexes(db, { from: 'notifications', to: FLOOR.notifications });
    const ids = recipientIds.map((id) => new ObjectId(id));
    await db.collection(FLOOR.inboxes).insertMany(ids.map((_id) => ({ _id, unread: 0, position: 0 })));
    return new FloorHandOver(db, ids, { notifications, created, recorded });
  }

  /** Notifications a second of so many calls, of which so many are under way at a time. */
  async rate(calls: number, atOnce: number): Promise<number> {
    const limit = pLimit(atOnce);
    const start = performance.now();
    await Promise.all(Array.from({ length: calls }, (_, index) => limit(() => this.call(index))));
    return (calls * this.written.notifications.length) / ((performance.now() - start) / 1_000);
  }

  private async call(index: number): Promise<void> {
    const { notifications, created, recorded } = this.written;
    const from = (index * notifications.length) % this.recipientIds.length;
    const userIds = this.recipientIds.slice(from, from + notifications.length);
    const [batchId, claim, now] = [new ObjectId(), new ObjectId().toHexString(), new Date()];
    const fresh = notifications.map(({ toldAt: _, channels, ...each }, number) => ({
      ...each,
      _id: new ObjectId(),
      userId: userIds[number],
      batchId,
      dedupeKey: `batch:${batchId.toHexString()}`,
      channels: { ...(channels as Document), email: { ...AS_SENDING, claim, nextAttemptAt: now } },
    }));
    const ids = fresh.map(({ _id }) => _id);
    await this.inTransaction(async (session) => {
      const events = [created, recorded].map((event) => ({ ...event, _id: new ObjectId() }));
      const counted = { $inc: { unread: 1, position: 1 } };
      await this.db.collection(FLOOR.inboxes).updateMany({ _id: { $in: userIds } }, counted, { session });
      await this.db.collection(FLOOR.notifications).insertMany(fresh, { session });
      await this.db.collection(FLOOR.outbox).insertMany(events, { session });
    });
    await this.inTransaction(async (session) => {
      const sent = { 'channels.email': { status: 'sent', attempts: 1, sentAt: now }, toldAt: now };
      await this.db.collection(FLOOR.notifications).updateMany({ _id: { $in: ids } }, { $set: sent }, { session });
      await this.db.collection(FLOOR.outbox).insertOne({ ...recorded, _id: new ObjectId() }, { session });
    });
  }

  private async inTransaction(work: (session: ClientSession) => Promise<void>): Promise<void> {
    await this.db.client.withSession((session) => session.withTransaction(() => work(session)));
  }
}

async function newestEvent(db: Db, type: string, of: number): Promise<Document> {
  const found = await db
    .collection('events')
    .findOne({ type, 'audience.userIds': { $size: of } }, { sort: { _id: -1 } });
  if (!found) throw new Error(`there is no event ${type} of ${of}`);
  return found;
}
