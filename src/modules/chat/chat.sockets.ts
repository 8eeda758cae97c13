import { notFound } from '../../core/http/problem.js';
import { shape } from '../../core/http/schema.js';
import {
  type ClientEvent,
  clientEvent,
  type Connection,
  type NamespaceDefinition,
} from '../../core/realtime/namespace.js';
import { conversationAnswer, messageAnswer, messageDeletion, receiptAnswer, sent } from './chat.schemas.js';
import { conversationUpdate, type LiveChat } from './chat.live.js';
import { type ConversationList } from './conversation.list.js';
import { type Gate } from './gate.js';
import { type MessageChanges } from './message.changes.js';
import { type MessagePresenter } from './message.presenter.js';
import { type MessageService } from './message.service.js';
import { type Onlookers } from './onlookers.js';
import { type ReceiptService } from './receipt.service.js';
import { conversationRoom, type Typing, typingPayload } from './typing.js';

export interface ChatSocketDeps {
  gate: Gate;
  list: ConversationList;
  messages: MessageService;
  changes: MessageChanges;
  receipts: ReceiptService;
  presenter: MessagePresenter;
  live: LiveChat;
  typing: Typing;
  onlookers: Pick<Onlookers, 'join' | 'leave' | 'ended'>;
}

/** The names by which older clients send the same. */
const ALIASES: Record<string, string> = {
  joinRoom: 'conversation:join',
  sendMessage: 'message:send',
  messageDelivered: 'message:delivered',
  messageRead: 'message:read',
};

/** Conversations live: every socket of a member hears what is said, and says the same as by REST. */
export function messageNamespace(deps: ChatSocketDeps): NamespaceDefinition {
  const events = { ...sendingEvents(deps), ...receiptEvents(deps), ...screenEvents(deps) };
  const aliases = Object.entries(ALIASES).flatMap(([alias, name]) => {
    const event = events[name];
    return event ? [[alias, { ...event, summary: `The same as ${name}.` }] as const] : [];
  });
  return {
    name: '/messages',
    summary: 'Messages, receipts and changes of one’s conversations, on every device at once.',
    clientEvents: { ...events, ...Object.fromEntries(aliases) },
    serverEvents: {
      'message:new': {
        summary:
          'Something was said, by someone who has read what was said before; one’s own come to all of one’s devices.',
        payload: messageAnswer,
      },
      'message:updated': {
        summary: 'A message was edited or reacted to; one that the client does not hold was deleted for oneself.',
        payload: messageAnswer,
      },
      'message:deleted': { summary: 'A message was deleted, for everyone or for oneself.', payload: messageDeletion },
      typing: { summary: 'Someone types in a conversation that is on the screen.', payload: typingPayload },
      receipt: { summary: 'How far a member has received and read.', payload: receiptAnswer },
      'conversation:updated': {
        summary: 'A conversation is new or has changed otherwise than by messages, or is not there any more.',
        payload: conversationUpdate,
      },
    },
    onEvent: (event, emitter) => deps.live.tell(event, emitter),
  };
}

function sendingEvents({ gate, messages, changes, presenter }: ChatSocketDeps): Record<string, ClientEvent> {
  const find = async (userId: string, { conversationId, messageId }: { conversationId: string; messageId: string }) => {
    const entered = await gate.mustEnter(userId, conversationId);
    const message = await messages.find(userId, entered, messageId);
    if (!message) throw notFound('MESSAGE_NOT_FOUND', 'There is no such message.');
    return { entered, message };
  };
  return {
    'message:send': clientEvent({
      summary: 'Sends a message; the same `clientId` again is the same message.',
      payload: sent.message,
      acknowledgement: shape({ message: messageAnswer }),
      async handle({ actor, payload: { conversationId, ...message } }) {
        return { message: presenter.present(await messages.send(actor.id, conversationId, message)) };
      },
    }),
    'message:edit': clientEvent({
      summary: 'Edits a message of one’s own, within 24 hours.',
      payload: sent.edit,
      acknowledgement: shape({ message: messageAnswer }),
      async handle({ actor, payload }) {
        const { entered, message } = await find(actor.id, payload);
        return { message: presenter.present(await changes.edit(actor.id, entered, message, payload), entered.hidden) };
      },
    }),
    'message:delete': clientEvent({
      summary: 'Deletes a message: one’s own for everyone, any for oneself.',
      payload: sent.deletion,
      async handle({ actor, payload }) {
        const { message } = await find(actor.id, payload);
        if (payload.for === 'me') await changes.hide(actor.id, message);
        else await changes.deleteForEveryone(actor.id, message);
        return undefined;
      },
    }),
    'message:react': clientEvent({
      summary: 'Sets one’s reaction to a message; null takes it back.',
      payload: sent.reaction,
      acknowledgement: shape({ message: messageAnswer }),
      async handle({ actor, payload }) {
        const { entered, message } = await find(actor.id, payload);
        return { message: presenter.present(await changes.react(actor.id, message, payload.emoji), entered.hidden) };
      },
    }),
  };
}

function receiptEvents({ gate, receipts }: ChatSocketDeps): Record<string, ClientEvent> {
  const upTo = (kind: 'read' | 'delivered', summary: string): ClientEvent =>
    clientEvent({
      summary,
      payload: sent.upTo,
      async handle({ actor, payload: { conversationId, seq } }) {
        await gate.mustEnter(actor.id, conversationId);
        await receipts.advance({ conversationId, userId: actor.id, kind, seq });
        return undefined;
      },
    });
  return {
    'message:delivered': upTo('delivered', 'Everything up to a place has arrived on this device.'),
    'message:read': upTo('read', 'Everything up to a place was read.'),
  };
}

function screenEvents({ gate, list, typing, onlookers }: ChatSocketDeps): Record<string, ClientEvent> {
  const whenEnded = (connection: Connection): void =>
    connection.onEnd(() => {
      typing.ended(connection.id);
      onlookers.ended(connection.id);
    });
  return {
    'conversation:join': clientEvent({
      summary:
        'A conversation is on the screen: who types in it is told, and no notification tells of what is said in it. ' +
        'Answers with it as it is.',
      payload: sent.conversation,
      acknowledgement: shape({ conversation: conversationAnswer }),
      async handle({ actor, payload: { conversationId }, connection }) {
        await gate.mustEnter(actor.id, conversationId);
        const room = conversationRoom(conversationId);
        connection.join(room);
        // Read once they are in the room: who was taken out before is not there, and whoever is later is put out of it.
        const conversation = await list.one(actor.id, conversationId);
        if (!conversation) {
          connection.leave(room);
          throw notFound('CONVERSATION_NOT_FOUND', 'There is no such conversation.');
        }
        const noted = onlookers.join(actor.id, conversationId, connection.id);
        // After that: a socket that has ended meanwhile is noted as ended in the end.
        whenEnded(connection);
        await noted;
        return { conversation };
      },
    }),
    'conversation:leave': clientEvent({
      summary: 'A conversation is on the screen no more. To leave a group is another matter, done by REST.',
      payload: sent.conversation,
      async handle({ actor, payload: { conversationId }, connection }) {
        connection.leave(conversationRoom(conversationId));
        await onlookers.leave(actor.id, conversationId, connection.id);
        return undefined;
      },
    }),
    'typing:start': clientEvent({
      summary: 'Types, for the next six seconds; to be said again while it goes on.',
      payload: sent.conversation,
      async handle({ actor, payload: { conversationId }, connection, broadcaster }) {
        const entered = await gate.mustEnter(actor.id, conversationId);
        typing.start(actor.id, entered, connection.id, broadcaster);
        whenEnded(connection);
        return undefined;
      },
    }),
    'typing:stop': clientEvent({
      summary: 'Types no more.',
      payload: sent.conversation,
      handle({ payload: { conversationId }, connection }) {
        typing.stop(connection.id, conversationId);
        return Promise.resolve(undefined);
      },
    }),
  };
}
