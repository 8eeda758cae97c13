import { type Collection, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type Membership, membershipCollection, PRESENT_MEMBER } from './conversation.model.js';
import { type HiddenMessage, hiddenMessageCollection } from './message.model.js';
import { type Onlookers } from './onlookers.js';

/** A user, and a message that something is to be told of. */
export interface Attendee {
  userId: string;
  conversationId: string;
  messageId: string;
}

export interface Attending {
  /** The message is there for the user: they are in the conversation, and have not deleted it for themself. */
  isThere: boolean;
  /** They have muted the conversation. */
  isMuted: boolean;
  /** They have it on the screen. */
  isLooking: boolean;
}

/** How users stand to conversations, for whoever tells them of something that is not news of messages. */
export class Attendance {
  private readonly memberships: Collection<Membership>;
  private readonly hidden: Collection<HiddenMessage>;

  constructor(private readonly deps: { database: Database; clock: Clock; onlookers: Pick<Onlookers, 'among'> }) {
    this.memberships = deps.database.collection(membershipCollection.name);
    this.hidden = deps.database.collection(hiddenMessageCollection.name);
  }

  /** How each of these stands, in a query for each kind of fact, however many they are; none where there are none. */
  async among(attendees: readonly Attendee[]): Promise<(attendee: Attendee) => Attending> {
    if (attendees.length === 0) return () => ({ isThere: false, isMuted: false, isLooking: false });
    const [conversations, users, messages] = [
      { $in: distinct(attendees.map(({ conversationId }) => conversationId)) },
      { $in: distinct(attendees.map(({ userId }) => userId)) },
      { $in: distinct(attendees.map(({ messageId }) => messageId)) },
    ];
    const pairs = attendees.map(({ conversationId, userId }) => ({
      conversationId: new ObjectId(conversationId),
      userId: new ObjectId(userId),
    }));
    const [members, hidden, isLooking] = await Promise.all([
      this.memberships
        .find(
          { conversationId: conversations, userId: users, ...PRESENT_MEMBER },
          { projection: { _id: 0, conversationId: 1, userId: 1, mutedUntil: 1 } },
        )
        .toArray(),
      this.hidden
        .find({ userId: users, messageId: messages }, { projection: { _id: 0, userId: 1, messageId: 1 } })
        .toArray(),
      this.deps.onlookers.among(pairs),
    ]);
    const now = this.deps.clock.now();
    const mutes = new Map(
      members.map(({ conversationId, userId, mutedUntil }) => [
        keyOf(conversationId.toHexString(), userId.toHexString()),
        mutedUntil !== undefined && mutedUntil > now,
      ]),
    );
    const gone = new Set(hidden.map(({ userId, messageId }) => keyOf(userId.toHexString(), messageId.toHexString())));
    return ({ userId, conversationId, messageId }) => {
      const isMuted = mutes.get(keyOf(conversationId, userId));
      return {
        isThere: isMuted !== undefined && !gone.has(keyOf(userId, messageId)),
        isMuted: isMuted ?? false,
        isLooking: isLooking(new ObjectId(conversationId), new ObjectId(userId)),
      };
    };
  }
}

function keyOf(one: string, other: string): string {
  return `${one} ${other}`;
}

function distinct(ids: readonly string[]): ObjectId[] {
  return [...new Set(ids)].map((id) => new ObjectId(id));
}
