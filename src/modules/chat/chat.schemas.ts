import {
  described,
  flag,
  instant,
  list,
  matching,
  named,
  nullable,
  objectId,
  oneOf,
  oneOrOther,
  perhaps,
  shape,
  text,
  whole,
  withDefault,
} from '../../core/http/schema.js';
import { attachmentAnswer, attachmentFacts } from '../media/index.js';
import { userSummary } from '../users/index.js';
import { CONVERSATION_TYPES, MEMBER_ROLES } from './conversation.model.js';

export const MOST_CHARACTERS = 5_000;
/** Of one request; more are added afterwards. */
const MOST_AT_ONCE = 100;
const MOST_MENTIONS = 50;
const MOST_ATTACHMENTS = 10;
const MOST_MESSAGES = 100;
const seq = whole({ min: 1 });
const place = whole({ min: 0 });
const title = text({ min: 1, max: 100, multiline: false });
const body = text({ min: 1, max: MOST_CHARACTERS });
const userIds = list(objectId(), { min: 1, max: MOST_AT_ONCE, unique: true });

export const conversationParams = shape({ id: objectId() });
export const messageParams = shape({ id: objectId(), messageId: objectId() });
export const memberParams = shape({ id: objectId(), userId: objectId() });

export const conversationBody = named('NewConversation', shape({ userIds }, { title }));
export const conversationPatch = named('ConversationChange', shape({ title }));
export const membersBody = named('NewMembers', shape({ userIds }));
export const roleBody = named('MemberRole', shape({ role: oneOf(MEMBER_ROLES) }));
export const muteBody = named(
  'ConversationMute',
  shape({ until: described(nullable(instant()), 'Null ends it. A time long ahead is as good as for ever.') }),
);

export const memberAnswer = named(
  'ConversationMember',
  shape({
    user: nullable(userSummary),
    userId: objectId(),
    role: oneOf(MEMBER_ROLES),
    joinedAt: instant(),
    lastReadSeq: place,
    lastDeliveredSeq: place,
  }),
);

const lastMessageAnswer = named(
  'LastMessage',
  shape({
    ...{ id: objectId(), seq, senderId: nullable(objectId()), createdAt: instant() },
    excerpt: described(text({ min: 0 }), 'Where it has no words but something attached, what that is.'),
  }),
);

export const conversationAnswer = named(
  'Conversation',
  shape(
    {
      id: objectId(),
      type: oneOf(CONVERSATION_TYPES),
      memberCount: whole({ min: 0 }),
      members: described(
        list(memberAnswer),
        'Of a direct conversation both; those of a group have a list of their own.',
      ),
      role: described(oneOf(MEMBER_ROLES), 'One’s own.'),
      lastSeq: place,
      lastReadSeq: described(place, 'One’s own.'),
      unreadCount: whole({ min: 0 }),
      lastMessage: nullable(lastMessageAnswer),
      createdAt: instant(),
      updatedAt: instant(),
    },
    {
      title: text(),
      mutedUntil: instant(),
      requestCount: described(whole({ min: 0 }), 'Of a group that one leads: how many wait to be let in.'),
    },
  ),
);

const written = {
  clientId: text({ min: 1, max: 100, multiline: false }),
  body: withDefault(text({ min: 0, max: MOST_CHARACTERS }), ''),
};
const more = {
  replyTo: seq,
  mentions: list(objectId(), { max: MOST_MENTIONS, unique: true }),
  attachments: described(
    list(objectId(), { max: MOST_ATTACHMENTS, unique: true }),
    'Ids of media that one has uploaded oneself.',
  ),
};
export const messageBody = named('NewMessage', oneOrOther(shape(written, more), ['body', 'attachments']));
const otherMentions = {
  mentions: described(more.mentions, 'Whom it names from now on; without this they stay.'),
};
export const messagePatch = named('MessageChange', shape({ body }, otherMentions));

const EMOJI =
  /^(?:\p{Extended_Pictographic}|\p{Regional_Indicator}{2})[\p{Extended_Pictographic}\p{Emoji_Modifier}\u200d\ufe0f]*$/u;
const emoji = matching(EMOJI, { max: 32, message: 'must be an emoji' });
export const messageReactionBody = named('MessageReaction', shape({ emoji }));

const said = {
  id: objectId(),
  conversationId: objectId(),
  seq,
  senderId: described(nullable(objectId()), 'Null where the account is gone.'),
  clientId: text(),
  body: described(text({ min: 0 }), 'Empty where it was deleted, or has nothing but attachments.'),
  mentions: list(objectId()),
  reactions: list(shape({ userId: objectId(), emoji: text() })),
  createdAt: instant(),
};
const saidPerhaps = { replyTo: seq, editedAt: instant(), deletedAt: instant() };

export const messageAnswer = named(
  'Message',
  shape(
    {
      ...said,
      attachments: described(
        list(attachmentAnswer),
        'Their links end after 15 minutes: then the message is read anew.',
      ),
    },
    saidPerhaps,
  ),
);

/** As events keep it: with what is attached, and no links to it, which end. */
export const messageFacts = shape(said, { ...saidPerhaps, attachments: list(attachmentFacts) });

const limit = withDefault(whole({ min: 1, max: MOST_MESSAGES }), 50);
export const messageQuery = shape({ limit, before: perhaps(seq), after: perhaps(place) });
export const messagesAnswer = named('Messages', shape({ data: list(messageAnswer), hasMore: flag() }));
export const deletionQuery = shape({ for: withDefault(oneOf(['me', 'everyone'] as const), 'everyone') });

export const readBody = named('ReadUpTo', shape({ seq: place }));
export const receiptAnswer = named(
  'Receipt',
  shape({ conversationId: objectId(), userId: objectId(), lastReadSeq: place, lastDeliveredSeq: place }),
);
const gone = { conversationId: objectId(), messageId: objectId(), seq };
export const messageGone = named('MessageGone', shape(gone));
export const messageDeletion = named(
  'MessageDeletion',
  shape({ ...gone, forEveryone: described(flag(), 'Then its place stays, empty; else it is gone for oneself alone.') }),
);

const inConversation = { conversationId: objectId() };
const ofMessage = { conversationId: objectId(), messageId: objectId() };
/** What sockets send: the same as by REST, with the ids that stand in the path there. */
export const sent = {
  conversation: shape(inConversation),
  message: oneOrOther(shape({ ...inConversation, ...written }, more), ['body', 'attachments']),
  edit: shape({ ...ofMessage, body }, otherMentions),
  deletion: shape({ ...ofMessage, for: withDefault(oneOf(['me', 'everyone'] as const), 'everyone') }),
  reaction: shape({ ...ofMessage, emoji: nullable(emoji) }),
  upTo: shape({ ...inConversation, seq: place }),
};
