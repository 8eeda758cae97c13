import { defineEvent } from '../../core/events/event.js';
import { flag, list, nullable, objectId, oneOf, shape, text, whole } from '../../core/http/schema.js';
import { messageFacts, messageGone, receiptAnswer } from './chat.schemas.js';
import { CONVERSATION_TYPES, MEMBER_ROLES } from './conversation.model.js';

/** Not a row of `events`: the message itself. */
export const messageSent = defineEvent('message.sent', messageFacts);
export const messageEdited = defineEvent('message.edited', messageFacts);
/** Whoever caused it has set their reaction, or has none any more. */
export const messageReacted = defineEvent('message.reacted', messageFacts);
/** An edit names others than before. */
export const messageMentionsChanged = defineEvent(
  'message.mentions-changed',
  shape({
    ...{ conversationId: objectId(), messageId: objectId(), seq: whole({ min: 1 }) },
    ...{ added: list(objectId()), removed: list(objectId()) },
  }),
);
/** For everyone. */
export const messageDeleted = defineEvent('message.deleted', messageGone);
/** For one user alone. */
export const messageHidden = defineEvent('message.hidden', shape({ userId: objectId(), message: messageGone }));
/** How far members have received and read: all that went into one write. */
export const receiptsAdvanced = defineEvent('receipts.advanced', shape({ receipts: list(receiptAnswer) }));

const conversation = { conversationId: objectId() };
export const conversationCreated = defineEvent(
  'conversation.created',
  shape({ ...conversation, type: oneOf(CONVERSATION_TYPES), memberIds: list(objectId()) }),
);
export const conversationRenamed = defineEvent('conversation.renamed', shape({ ...conversation, title: text() }));
/** For one of its members. */
export const conversationMuted = defineEvent('conversation.muted', shape({ ...conversation, userId: objectId() }));
/** A block closes a direct conversation; opening it anew shows it again. */
export const conversationHidden = defineEvent('conversation.hidden', shape({ ...conversation, hidden: flag() }));
export const membersJoined = defineEvent(
  'conversation.members-joined',
  shape({ ...conversation, userIds: list(objectId()) }),
);
export const memberLeft = defineEvent(
  'conversation.member-left',
  shape({ ...conversation, userId: objectId(), newOwnerId: nullable(objectId()) }),
);
/** Someone waits to be let into a group, or no longer does. */
const atTheDoor = shape({ ...conversation, userId: objectId() });
export const joinRequested = defineEvent('conversation.join-requested', atTheDoor);
export const joinWithdrawn = defineEvent('conversation.join-withdrawn', atTheDoor);
export const joinRejected = defineEvent('conversation.join-rejected', atTheDoor);
const invitation = shape({ ...conversation, invitationId: objectId() });
export const invitationCreated = defineEvent('conversation.invitation-created', invitation);
export const invitationRevoked = defineEvent('conversation.invitation-revoked', invitation);
export const memberRoleChanged = defineEvent(
  'conversation.member-role-changed',
  shape({ ...conversation, userId: objectId(), role: oneOf(MEMBER_ROLES) }),
);

export const chatEvents = [
  messageSent,
  messageEdited,
  messageReacted,
  messageMentionsChanged,
  messageDeleted,
  messageHidden,
  receiptsAdvanced,
  conversationCreated,
  conversationRenamed,
  conversationMuted,
  conversationHidden,
  membersJoined,
  memberLeft,
  memberRoleChanged,
  joinRequested,
  joinWithdrawn,
  joinRejected,
  invitationCreated,
  invitationRevoked,
];
