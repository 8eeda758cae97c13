import { type Collection, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { exportedList, type PersonalData } from '../../core/personal-data.js';
import {
  type Conversation,
  conversationCollection,
  type Membership,
  membershipCollection,
} from './conversation.model.js';
import { type MemberService } from './member.service.js';
import {
  type HiddenMessage,
  hiddenMessageCollection,
  type Message,
  messageCollection,
  type MessageEdit,
  messageEditCollection,
} from './message.model.js';
import { type Onlooker, onlookerCollection } from './onlookers.js';

export interface ChatDataDeps {
  database: Database;
  clock: Clock;
  members: MemberService;
}

const BATCH = 500;

/** What a user has said and where. What was said to others stays with them, by nobody any more. */
export function chatData({ database, clock, members }: ChatDataDeps): PersonalData {
  const conversations: Collection<Conversation> = database.collection(conversationCollection.name);
  const memberships: Collection<Membership> = database.collection(membershipCollection.name);
  const messages: Collection<Message> = database.collection(messageCollection.name);
  const edits: Collection<MessageEdit> = database.collection(messageEditCollection.name);
  const hidden: Collection<HiddenMessage> = database.collection(hiddenMessageCollection.name);
  const onlookers: Collection<Onlooker> = database.collection(onlookerCollection.name);

  /** The ids of a batch of messages: none where nothing is left. */
  const some = async (filter: object): Promise<ObjectId[]> =>
    (await messages.find(filter, { projection: { _id: 1 }, limit: BATCH }).toArray()).map(({ _id }) => _id);

  return {
    name: 'chat',
    collections: [conversations, memberships, messages, edits, hidden, onlookers].map(
      ({ collectionName }) => collectionName,
    ),
    async *export(userId) {
      const own = new ObjectId(userId);
      yield* exportedList('conversations', memberships.find({ userId: own }), (each) => ({
        conversationId: each.conversationId.toHexString(),
        role: each.role,
        joinedAt: each.joinedAt,
        lastReadSeq: each.lastReadSeq,
        ...(each.leftAt && { leftAt: each.leftAt }),
        ...(each.mutedUntil && { mutedUntil: each.mutedUntil }),
      }));
      yield* exportedList('messages', messages.find({ senderId: own }), (each) => ({
        id: each._id.toHexString(),
        conversationId: each.conversationId.toHexString(),
        body: each.body,
        ...(each.attachments && {
          attachments: each.attachments.map(({ id, type }) => ({ id: id.toHexString(), type })),
        }),
        createdAt: each.createdAt,
        ...(each.editedAt && { editedAt: each.editedAt }),
        ...(each.deletedAt && { deletedAt: each.deletedAt }),
      }));
      yield* exportedList('messageEdits', edits.find({ senderId: own }), ({ messageId, body, at }) => ({
        messageId: messageId.toHexString(),
        body,
        at,
      }));
      yield* exportedList(
        'messageReactions',
        messages.find({ 'reactions.userId': own }),
        ({ _id, reactions = [] }) => ({
          messageId: _id.toHexString(),
          emoji: reactions.find((reaction) => reaction.userId.equals(own))?.emoji,
        }),
      );
      yield* exportedList('hiddenMessages', hidden.find({ userId: own }), ({ messageId }) => ({
        messageId: messageId.toHexString(),
      }));
    },
    async erase(userId) {
      const own = new ObjectId(userId);
      for await (const { conversationId } of memberships.find({ userId: own })) {
        await database.inTransaction((session) => members.part(session, conversationId.toHexString(), userId));
        // It names both; with one of them gone there is no pair.
        await conversations.updateOne({ _id: conversationId }, { $unset: { pair: 1 } });
      }
      await conversations.updateMany(
        { 'lastMessage.senderId': own },
        { $set: { 'lastMessage.senderId': null }, $unset: { 'lastMessage.attached': 1 } },
      );
      const changed = (): { changedAt: Date } => ({ changedAt: clock.now() });
      for (let _ids = await some({ senderId: own }); _ids.length > 0; _ids = await some({ senderId: own })) {
        // What a client made up for a message is its sender's; in its place stands what nobody else can have.
        const nobodys = { senderId: null, clientId: { $toString: '$_id' }, ...changed() };
        // The media are erased with all that is their owner's.
        await messages.updateMany({ _id: { $in: _ids } }, [{ $set: nobodys }, { $unset: 'attachments' }]);
      }
      await messages.updateMany(
        { 'reactions.userId': own },
        { $pull: { reactions: { userId: own } }, $set: changed() },
      );
      await messages.updateMany({ mentions: own }, { $pull: { mentions: own }, $set: changed() });
      await edits.deleteMany({ senderId: own });
      await hidden.deleteMany({ userId: own });
      await onlookers.deleteMany({ userId: own });
      await memberships.deleteMany({ userId: own });
    },
  };
}
