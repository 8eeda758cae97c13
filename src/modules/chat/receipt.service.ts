import { type AnyBulkWriteOperation, type Collection, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type Outbox } from '../../core/events/outbox.js';
import { Gathering } from '../../core/gathering.js';
import { receiptsAdvanced } from './chat.events.js';
import { type Membership, membershipCollection } from './conversation.model.js';
import { type Message, messageCollection } from './message.model.js';

/** How far a member has come. What was read was received. */
export interface Advance {
  conversationId: string;
  userId: string;
  kind: 'read' | 'delivered';
  seq: number;
}

export interface ReceiptDeps {
  database: Database;
  outbox: Outbox;
  clock: Clock;
}

const MOST_AT_ONCE = 500;
const MOST_WAITING = 20_000;

/**
 * How far each member has received and read, as two watermarks that only rise: a hundred messages that are read are one
 * change of one document, and what comes from many members at once is one transaction with one event.
 */
export class ReceiptService {
  private readonly memberships: Collection<Membership>;
  private readonly messages: Collection<Message>;
  private readonly gathering: Gathering<Advance, undefined>;

  constructor(private readonly deps: ReceiptDeps) {
    this.memberships = deps.database.collection(membershipCollection.name);
    this.messages = deps.database.collection(messageCollection.name);
    this.gathering = new Gathering({
      most: MOST_AT_ONCE,
      mostWaiting: MOST_WAITING,
      write: async (advances) => {
        await this.writeAll(advances);
        return advances.map(() => ({ status: 'fulfilled', value: undefined }));
      },
    });
  }

  /**
   * Moves a watermark on; one that is there already stays. Of places that nothing was said at yet, the last one counts.
   * @throws Problem 503 `OVERLOADED`
   */
  async advance(advance: Advance): Promise<void> {
    await this.gathering.add(advance);
  }

  private async writeAll(advances: Advance[]): Promise<void> {
    const last = await this.lastPlaces(advances.map(({ conversationId }) => conversationId));
    const { database, outbox, clock } = this.deps;
    await database.inTransaction(async (session) => {
      const pairs = new Map(advances.map((advance) => [keyOf(advance), pairOf(advance)]));
      const found = await this.memberships
        .find({ $or: [...pairs.values()], leftAt: { $exists: false } }, { session })
        .toArray();
      const marks = new Map(found.map((membership) => [keyOf(idsOf(membership)), { ...membership }]));
      for (const { kind, seq, ...which } of advances) {
        const mark = marks.get(keyOf(which));
        if (!mark) continue;
        const upTo = Math.min(seq, last.get(which.conversationId) ?? 0);
        mark.lastDeliveredSeq = Math.max(mark.lastDeliveredSeq, upTo);
        if (kind === 'read') mark.lastReadSeq = Math.max(mark.lastReadSeq, upTo);
      }
      const moved = found.flatMap((before) => {
        const after = marks.get(keyOf(idsOf(before)));
        return after && isFurther(after, before) ? [after] : [];
      });
      if (moved.length === 0) return;
      const changedAt = clock.now();
      await this.memberships.bulkWrite(
        moved.map(({ _id, lastReadSeq, lastDeliveredSeq }): AnyBulkWriteOperation<Membership> => ({
          updateOne: { filter: { _id }, update: { $max: { lastReadSeq, lastDeliveredSeq }, $set: { changedAt } } },
        })),
        { session },
      );
      const receipts = moved.map((each) => ({ ...idsOf(each), ...marksOf(each) }));
      await outbox.record(session, receiptsAdvanced, {
        entity: { kind: 'receipts', id: moved[0]?._id.toHexString() ?? '' },
        data: { receipts },
      });
    });
  }

  /** Each from the first key of the index. */
  private async lastPlaces(conversationIds: string[]): Promise<Map<string, number>> {
    const places = [...new Set(conversationIds)].map(async (id) => {
      const newest = await this.messages.findOne(
        { conversationId: new ObjectId(id) },
        { sort: { seq: -1 }, projection: { _id: 0, seq: 1 } },
      );
      return [id, newest?.seq ?? 0] as const;
    });
    return new Map(await Promise.all(places));
  }
}

function idsOf({ conversationId, userId }: Membership) {
  return { conversationId: conversationId.toHexString(), userId: userId.toHexString() };
}

function marksOf({ lastReadSeq, lastDeliveredSeq }: Membership) {
  return { lastReadSeq, lastDeliveredSeq };
}

function keyOf({ conversationId, userId }: { conversationId: string; userId: string }): string {
  return `${conversationId} ${userId}`;
}

function pairOf({ conversationId, userId }: Advance) {
  return { conversationId: new ObjectId(conversationId), userId: new ObjectId(userId) };
}

function isFurther(after: Membership, before: Membership): boolean {
  return after.lastReadSeq > before.lastReadSeq || after.lastDeliveredSeq > before.lastDeliveredSeq;
}
