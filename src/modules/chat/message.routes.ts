import { type Actor, type Route, route, signedIn } from '../../core/http/route.js';
import {
  described,
  flag,
  list,
  named,
  objectId,
  perhaps,
  shape,
  text,
  whole,
  withDefault,
} from '../../core/http/schema.js';
import {
  conversationAnswer,
  conversationParams,
  deletionQuery,
  messageAnswer,
  messageBody,
  messageGone,
  messageParams,
  messagePatch,
  messageQuery,
  messageReactionBody,
  messagesAnswer,
  readBody,
  receiptAnswer,
} from './chat.schemas.js';
import { type Gate } from './gate.js';
import { type MessageChanges } from './message.changes.js';
import { type MessagePresenter } from './message.presenter.js';
import { type MessageService } from './message.service.js';
import { type ReceiptService } from './receipt.service.js';
import { type SyncService } from './sync.service.js';

export interface MessageRouteDeps {
  gate: Gate;
  messages: MessageService;
  changes: MessageChanges;
  receipts: ReceiptService;
  sync: SyncService;
  presenter: MessagePresenter;
}

const tag = 'messages';
const MAX_POSITION = 1_024;

const syncAnswer = named(
  'MissedChanges',
  shape({
    position: described(text(), 'What to ask with the next time.'),
    hasMore: described(flag(), 'Ask again at once, with the position.'),
    conversations: described(
      list(conversationAnswer),
      'New ones and those that have changed otherwise than by messages.',
    ),
    removed: described(list(objectId()), 'Conversations that are not there any more.'),
    messages: described(list(messageAnswer), 'New, edited, deleted for everyone, or reacted to, as they are now.'),
    gone: described(list(messageGone), 'Messages that one has deleted for oneself.'),
    receipts: described(
      list(receiptAnswer),
      'Of others the newest 2,000; how far the members of a group have read is said by the list of them.',
    ),
  }),
);

export function messageRoutes({ gate, messages, changes, receipts, sync, presenter }: MessageRouteDeps): Route[] {
  const inConversation = {
    tag,
    access: signedIn,
    params: conversationParams,
    load: ({ actor, params }: { actor: Actor; params: { id: string } }) => gate.enter(actor.id, params.id),
    missing: 'CONVERSATION_NOT_FOUND',
  } as const;
  const ofMessage = {
    tag,
    access: signedIn,
    params: messageParams,
    async load({ actor, params }: { actor: Actor; params: { id: string; messageId: string } }) {
      const entered = await gate.enter(actor.id, params.id);
      const message = entered && (await messages.find(actor.id, entered, params.messageId));
      return message && { entered, message };
    },
    missing: 'MESSAGE_NOT_FOUND',
  } as const;
  return [
    route({
      method: 'get',
      path: '/sync',
      tag,
      summary: 'What one’s conversations have changed by since a position',
      description:
        'Without `since`: where a client stands that now begins to read everything. With it: all that has changed, as ' +
        'it is now; what the client has already may be among it. A conversation that is new to the client is read from ' +
        'its messages. After thirty days a position is too old, and everything has to be read anew.',
      access: signedIn,
      query: shape({
        since: perhaps(text({ max: MAX_POSITION })),
        limit: described(withDefault(whole({ min: 1, max: 100 }), 100), 'Of messages; the rest comes whole.'),
      }),
      problems: ['INVALID_POSITION', 'POSITION_TOO_OLD'],
      answer: { status: 200, body: syncAnswer },
      handle: ({ actor, query: { since, limit } }) =>
        since === undefined ? Promise.resolve(sync.begin()) : sync.changes(actor.id, since, limit),
    }),
    route({
      ...inConversation,
      method: 'get',
      path: '/conversations/:id/messages',
      summary: 'Messages in their order',
      description:
        'The newest ones, or the newest before a place (`before`), or the first after one (`after`). Those that were ' +
        'deleted for everyone keep their place, empty.',
      query: messageQuery,
      answer: { status: 200, body: messagesAnswer },
      handle: ({ actor, resource, query }) => messages.page(actor.id, resource, query),
      present: ({ messages: page, hasMore }, { resource: { hidden } }) => ({
        data: page.map((message) => presenter.present(message, hidden)),
        hasMore,
      }),
    }),
    route({
      ...inConversation,
      method: 'post',
      path: '/conversations/:id/messages',
      summary: 'Sends a message',
      description: 'Sent again with the same `clientId`, here or over a socket, it is the same message.',
      body: messageBody,
      problems: [
        ...['CANNOT_MESSAGE_USER', 'UNKNOWN_REPLY', 'UNKNOWN_MENTION', 'UNKNOWN_ATTACHMENT'],
        ...['CLIENT_ID_REUSED', 'OVERLOADED'],
      ],
      answer: { status: 201, body: messageAnswer },
      handle: ({ actor, params, body }) => messages.send(actor.id, params.id, body),
      present: (message) => presenter.present(message),
    }),
    route({
      ...ofMessage,
      method: 'patch',
      path: '/conversations/:id/messages/:messageId',
      summary: 'Edits a message of one’s own, within 24 hours',
      description: 'Whom it names for the first time is told so; from whom it names no longer that is taken back.',
      body: messagePatch,
      problems: ['NOT_YOUR_MESSAGE', 'UNKNOWN_MENTION', 'EDIT_TOO_LATE', 'MESSAGE_DELETED'],
      answer: { status: 200, body: messageAnswer },
      handle: ({ actor, body, resource: { entered, message } }) => changes.edit(actor.id, entered, message, body),
      present: (message, { resource: { entered } }) => presenter.present(message, entered.hidden),
    }),
    route({
      ...ofMessage,
      method: 'delete',
      path: '/conversations/:id/messages/:messageId',
      summary: 'Deletes a message: one’s own for everyone, any for oneself',
      query: deletionQuery,
      problems: ['NOT_YOUR_MESSAGE'],
      answer: { status: 204 },
      handle: ({ actor, query, resource: { message } }) =>
        query.for === 'me' ? changes.hide(actor.id, message) : changes.deleteForEveryone(actor.id, message),
    }),
    route({
      ...ofMessage,
      method: 'post',
      path: '/conversations/:id/messages/:messageId/reactions',
      summary: 'Sets one’s reaction to a message',
      body: messageReactionBody,
      problems: ['MESSAGE_DELETED'],
      answer: { status: 200, body: messageAnswer },
      handle: ({ actor, body, resource: { message } }) => changes.react(actor.id, message, body.emoji),
      present: (message, { resource: { entered } }) => presenter.present(message, entered.hidden),
    }),
    route({
      ...ofMessage,
      method: 'delete',
      path: '/conversations/:id/messages/:messageId/reactions',
      summary: 'Takes one’s reaction back',
      problems: ['MESSAGE_DELETED'],
      answer: { status: 200, body: messageAnswer },
      handle: ({ actor, resource: { message } }) => changes.react(actor.id, message, null),
      present: (message, { resource: { entered } }) => presenter.present(message, entered.hidden),
    }),
    route({
      ...inConversation,
      method: 'put',
      path: '/conversations/:id/read',
      summary: 'Has read everything up to a place',
      body: readBody,
      problems: ['OVERLOADED'],
      answer: { status: 204 },
      handle: ({ actor, params, body }) =>
        receipts.advance({ conversationId: params.id, userId: actor.id, kind: 'read', seq: body.seq }),
    }),
  ];
}
