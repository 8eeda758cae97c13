import { instant, list, named, nullable, objectId, oneOf, shape, text, whole } from '../../core/http/schema.js';
import { userSummary } from '../users/index.js';
import { CONVERSATION_TYPES, MEMBER_ROLES } from './conversation.model.js';

export const MOST_CHARACTERS = 5_000;
/** Of one request; more are added afterwards. */
const MOST_AT_ONCE = 100;
const seq = whole({ min: 1 });

export const conversationBody = named(
  'NewConversation',
  shape(
    { userIds: list(objectId(), { min: 1, max: MOST_AT_ONCE, unique: true }) },
    { title: text({ min: 1, max: 100 }) },
  ),
);

export const conversationParams = shape({ id: objectId() });

const memberAnswer = named(
  'ConversationMember',
  shape({
    user: userSummary,
    role: oneOf(MEMBER_ROLES),
    joinedAt: instant(),
    lastReadSeq: whole({ min: 0 }),
    lastDeliveredSeq: whole({ min: 0 }),
  }),
);

const lastMessageAnswer = named(
  'LastMessage',
  shape({ id: objectId(), seq, senderId: objectId(), excerpt: text(), createdAt: instant() }),
);

export const conversationAnswer = named(
  'Conversation',
  shape(
    {
      id: objectId(),
      type: oneOf(CONVERSATION_TYPES),
      memberCount: whole({ min: 0 }),
      members: list(memberAnswer),
      lastSeq: whole({ min: 0 }),
      unreadCount: whole({ min: 0 }),
      lastMessage: nullable(lastMessageAnswer),
      createdAt: instant(),
      updatedAt: instant(),
    },
    { title: text() },
  ),
);

export const messageBody = named(
  'NewMessage',
  shape({ clientId: text({ min: 1, max: 100 }), body: text({ min: 1, max: MOST_CHARACTERS }) }, { replyTo: seq }),
);

/** The same over a socket, where it must say for which conversation it is. */
export const messageSend = shape(
  { conversationId: objectId(), clientId: text({ min: 1, max: 100 }), body: text({ min: 1, max: MOST_CHARACTERS }) },
  { replyTo: seq },
);

export const messageAnswer = named(
  'Message',
  shape(
    {
      id: objectId(),
      conversationId: objectId(),
      seq,
      senderId: objectId(),
      clientId: text(),
      body: text(),
      createdAt: instant(),
    },
    { replyTo: seq },
  ),
);

export const messageQuery = shape(
  {},
  { before: whole({ min: 1 }), after: whole({ min: 0 }), limit: whole({ min: 1, max: 100 }) },
);
