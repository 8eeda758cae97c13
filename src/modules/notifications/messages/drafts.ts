import { type ObjectId } from 'mongodb';
import { excerptOf } from '../../../core/excerpt.js';
import { type UnreadMember } from '../../chat/index.js';
import { type Draft } from '../notification.writer.js';
import { groupTitleOf, textOf } from '../texts.js';
import { type Heard, type News } from './news-rules.js';
import { type MessageFacts } from './news.model.js';

/** Where something was said that is told of. */
export interface Place {
  conversationId: ObjectId;
  /** Of a group. */
  chat: MessageFacts['chat'];
}

/** What was said up to a place, told to one of those who have not read it. */
export function newsDraft(
  { conversationId, chat, seq, isMany }: Place & { seq: number; isMany: boolean },
  { userId, readSeq, knownSeq }: UnreadMember,
  { newest, count }: News,
): Draft {
  const id = conversationId.toHexString();
  const facts: MessageFacts = {
    ...{ conversationId: id, readSeq, fromSeq: knownSeq + 1, seq },
    ...{ messageId: newest._id.toHexString(), ...quoteOf(newest) },
    ...(chat && { chat }),
  };
  return {
    userId: userId.toHexString(),
    type: 'MESSAGE',
    actorId: newest.senderId.toHexString(),
    entity: { kind: 'conversation', id },
    deepLink: `/conversations/${id}`,
    dedupeKey: `message:${id}:${seq}`,
    groupKey: `message:${id}`,
    data: { ...facts },
    occurrences: count,
    unreadIn: conversationId,
    // Of many the deliveries wait in the slow lane.
    ...(isMany && { bulk: true }),
    text(recipient, actor) {
      const said = { ...facts, actor: actor?.name ?? '' };
      const text = textOf('MESSAGE', recipient.locale, said);
      if (count === 1) return text;
      return { ...text, title: groupTitleOf('MESSAGE', recipient.locale, said.actor, count - 1, said) };
    },
  };
}

/** One message, told to a member whom it names: like news of it alone, so that it is read and taken back with that. */
export function mentionDraft(
  { conversationId, chat }: Place,
  { userId, readSeq }: UnreadMember,
  message: Heard,
): Draft {
  const { _id, seq, senderId } = message;
  const [id, messageId] = [conversationId.toHexString(), _id.toHexString()];
  const facts: MessageFacts = {
    // Who has read it already may be told of it since it was edited: they read it when they read on.
    ...{ conversationId: id, readSeq: Math.max(readSeq, seq - 1), fromSeq: seq, seq },
    ...{ messageId, ...quoteOf(message) },
    ...(chat && { chat }),
  };
  return {
    userId: userId.toHexString(),
    type: 'MENTION',
    actorId: senderId.toHexString(),
    entity: { kind: 'message', id: messageId },
    deepLink: `/conversations/${id}#message-${messageId}`,
    dedupeKey: mentionKey(messageId),
    groupKey: `mention:${id}`,
    data: { ...facts },
    unreadIn: conversationId,
    about: [{ kind: 'message', id: messageId }],
    text: (recipient, actor) => textOf('MENTION', recipient.locale, { ...facts, actor: actor?.name ?? '' }),
  };
}

export type Quote = Pick<MessageFacts, 'excerpt' | 'attached'>;

/** What is shown of what a message says, or of what it has attached where it has no words. */
export function quoteOf({ body, attachments }: Pick<Heard, 'body' | 'attachments'>): Quote {
  const attached = body === '' ? attachments?.[0]?.type : undefined;
  return { excerpt: excerptOf(body), ...(attached && { attached }) };
}

/** A text names somebody once, however often it is edited. */
export function mentionKey(messageId: string): string {
  return `mention:${messageId}`;
}
