import { type Collection, ObjectId } from 'mongodb';
import { type Clock, MINUTE } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type DomainEvent } from '../../core/events/event.js';
import { type FeedSubscriber } from '../../core/events/feed.js';
import { Remembered } from '../../core/remembered.js';
import {
  conversationCollection,
  type Conversation,
  type MemberRole,
  type Membership,
  membershipCollection,
} from './conversation.model.js';

/** A conversation as far as it matters for who may speak and who hears. */
export interface Roster {
  conversationId: string;
  type: Conversation['type'];
  /** Those who are in it, and what had been said when they came. */
  members: ReadonlyMap<string, Member>;
  /** Whether a block has closed it. */
  isHidden: boolean;
}

export interface Member {
  role: MemberRole;
  joinedSeq: number;
}

const TRUST_MS = 5 * MINUTE;
const MOST_CONVERSATIONS = 20_000;

/** Who is in which conversation: read once, remembered, and dropped as soon as the feed brings a change. */
export class Members implements FeedSubscriber {
  private readonly rosters: Remembered<Roster | undefined>;

  constructor({ database, clock }: { database: Database; clock: Clock }) {
    const conversations: Collection<Conversation> = database.collection(conversationCollection.name);
    const memberships: Collection<Membership> = database.collection(membershipCollection.name);
    const projection = { _id: 0, userId: 1, role: 1, joinedSeq: 1, hiddenAt: 1 };
    this.rosters = new Remembered({
      clock,
      trustMs: TRUST_MS,
      most: MOST_CONVERSATIONS,
      load: async (id) => {
        const conversationId = new ObjectId(id);
        const [conversation, members] = await Promise.all([
          conversations.findOne({ _id: conversationId }, { projection: { type: 1 } }),
          memberships.find({ conversationId, leftAt: { $exists: false } }, { projection }).toArray(),
        ]);
        if (!conversation) return undefined;
        return {
          conversationId: id,
          type: conversation.type,
          members: new Map(members.map(({ userId, role, joinedSeq }) => [userId.toHexString(), { role, joinedSeq }])),
          isHidden: members.some(({ hiddenAt }) => hiddenAt),
        };
      },
    });
  }

  /** Absent where there is no such conversation. */
  of(conversationId: string): Promise<Roster | undefined> {
    return this.rosters.get(conversationId);
  }

  /** Drops what is remembered, here and now; the other nodes hear it from the feed. */
  forget(conversationId: string): void {
    this.rosters.forget(conversationId);
  }

  onEvents(events: DomainEvent[]): void {
    for (const { entity } of events) if (entity.kind === 'conversation') this.rosters.forget(entity.id);
  }

  onGap(): void {
    this.rosters.forgetAll();
  }
}
