import { type DomainEvent, type EventType, isEvent } from '../../core/events/event.js';
import { excerptOf } from '../../core/excerpt.js';
import { callAnswered, callEnded, callInitiated, callMissed, callRejected } from '../calls/index.js';
import { messageDeleted, messageHidden, messageReacted } from '../chat/index.js';
import {
  connectionAccepted,
  connectionRemoved,
  connectionRequested,
  followEnded,
  followStarted,
} from '../network/index.js';
import { commentCreated, commentDeleted, postDeleted, postReacted, postUnreacted } from '../posts/index.js';
import { securityTriggers } from './security-triggers.js';
import {
  ending,
  type EndingEvent,
  type Gone,
  type Occasion,
  trigger,
  type Trigger,
  type Undone,
  undoneBy,
} from './trigger.js';

export { type Occasion } from './trigger.js';

/** The keys of occurrences, by which they are found again when they are undone. */
const keyOf = {
  // Changing or repeating a reaction is no new occurrence.
  reaction: ({ postId, userId }: { postId: string; userId: string }) => `reaction:${postId}:${userId}`,
  messageReaction: (messageId: string, userId: string) => `reaction:${messageId}:${userId}`,
  comment: (commentId: string) => `comment:${commentId}`,
  // A request that is withdrawn and made again is the same one.
  request: ({ connectionId }: { connectionId: string }) => `connection-request:${connectionId}`,
  accepted: ({ connectionId }: { connectionId: string }) => `connection-accepted:${connectionId}`,
  // Following, leaving and following again is told once.
  follow: ({ followerId }: { followerId: string }) => `follow:${followerId}`,
  call: (callId: string) => `call-incoming:${callId}`,
};

/** Who is told of what, and what undoes it. A new kind is one entry here, one in the types and its texts. */
export const triggers: Trigger[] = [
  trigger(
    postReacted,
    ({ data }) => ({
      type: 'REACTION',
      actorId: data.userId,
      recipientIds: [data.authorId],
      entity: { kind: 'post', id: data.postId },
      deepLink: `/posts/${data.postId}`,
      dedupeKey: keyOf.reaction(data),
      groupKey: `reaction:${data.postId}`,
      excerpt: data.excerpt,
      about: [{ kind: 'post', id: data.postId }],
      reaction: data.type,
    }),
    undoneBy(postUnreacted, ({ data }) => ({ dedupeKey: keyOf.reaction(data), recipientIds: [data.authorId] })),
  ),
  trigger(
    messageReacted,
    ({ data, actorId }) => {
      const { id, conversationId, senderId, body, attachments, reactions } = data;
      const attached = body === '' ? attachments?.[0]?.type : undefined;
      const reaction = reactions.find(({ userId }) => userId === actorId)?.emoji;
      if (actorId === undefined || reaction === undefined || senderId === null) return undefined;
      return {
        type: 'REACTION',
        actorId,
        recipientIds: [senderId],
        entity: { kind: 'message', id },
        deepLink: `/conversations/${conversationId}#message-${id}`,
        dedupeKey: keyOf.messageReaction(id, actorId),
        groupKey: `reaction:${id}`,
        excerpt: excerptOf(body),
        ...(attached && { attached }),
        about: [
          { kind: 'message', id },
          { kind: 'conversation', id: conversationId },
        ],
        reaction,
        reactedTo: 'message',
      };
    },
    undoneBy(messageReacted, ({ data: { id, senderId, reactions }, actorId }) => {
      const isSet = reactions.some(({ userId }) => userId === actorId);
      if (actorId === undefined || isSet || senderId === null) return undefined;
      return { dedupeKey: keyOf.messageReaction(id, actorId), recipientIds: [senderId] };
    }),
  ),
  trigger(
    commentCreated,
    ({ data }) => ({
      type: 'COMMENT',
      actorId: data.comment.author.id,
      recipientIds: [data.authorId],
      entity: { kind: 'comment', id: data.comment.id },
      deepLink: `/posts/${data.postId}#comment-${data.comment.id}`,
      dedupeKey: keyOf.comment(data.comment.id),
      groupKey: `comment:${data.postId}`,
      excerpt: data.excerpt,
      about: [{ kind: 'post', id: data.postId }],
    }),
    undoneBy(commentDeleted, ({ data }) => ({
      dedupeKey: keyOf.comment(data.commentId),
      recipientIds: [data.authorId],
    })),
  ),
  trigger(
    connectionRequested,
    ({ data }) => ({
      type: 'CONNECTION_REQUEST',
      actorId: data.requesterId,
      recipientIds: [data.addresseeId],
      entity: { kind: 'connection', id: data.connectionId },
      deepLink: '/connections/requests',
      dedupeKey: keyOf.request(data),
      groupKey: 'connection-requests',
      excerpt: '',
    }),
    // A request that became a connection is no request any more when that ends, either.
    undoneBy(connectionRemoved, ({ data }) => ({ dedupeKey: keyOf.request(data), recipientIds: [data.addresseeId] })),
  ),
  trigger(
    connectionAccepted,
    ({ data }) => ({
      type: 'CONNECTION_ACCEPTED',
      actorId: data.addresseeId,
      recipientIds: [data.requesterId],
      entity: { kind: 'connection', id: data.connectionId },
      deepLink: `/profiles/${data.addresseeId}`,
      dedupeKey: keyOf.accepted(data),
      groupKey: 'connections-accepted',
      excerpt: '',
    }),
    undoneBy(connectionRemoved, ({ data }) => ({ dedupeKey: keyOf.accepted(data), recipientIds: [data.requesterId] })),
  ),
  trigger(
    followStarted,
    ({ data }) => ({
      type: 'FOLLOW',
      actorId: data.followerId,
      recipientIds: data.kind === 'user' ? [data.target] : [],
      entity: { kind: 'user', id: data.followerId },
      deepLink: `/profiles/${data.followerId}`,
      dedupeKey: keyOf.follow(data),
      groupKey: 'follows',
      excerpt: '',
    }),
    undoneBy(followEnded, ({ data }) =>
      data.kind === 'user' ? { dedupeKey: keyOf.follow(data), recipientIds: [data.target] } : undefined,
    ),
  ),
  trigger(
    callInitiated,
    ({ data: { call, userIds } }) => ({
      type: 'CALL_INCOMING',
      actorId: call.callerId,
      recipientIds: userIds,
      entity: { kind: 'call', id: call.id },
      deepLink: '/calls',
      dedupeKey: keyOf.call(call.id),
      groupKey: `call:${call.id}`,
      excerpt: '',
      // It wakes devices up: what is read later tells of the missed call.
      channels: ['webPush', 'mobilePush'],
    }),
    // Whoever has answered, or has not in time, need not be rung any more.
    ...[callAnswered, callRejected, callMissed, callEnded].map((event) =>
      undoneBy(event, ({ data: { call, userIds } }) => ({ dedupeKey: keyOf.call(call.id), recipientIds: userIds })),
    ),
  ),
  trigger(callMissed, ({ data: { call, userIds } }) => ({
    type: 'CALL_MISSED',
    actorId: call.callerId,
    recipientIds: userIds,
    entity: { kind: 'call', id: call.id },
    deepLink: '/calls',
    dedupeKey: `call-missed:${call.id}`,
    groupKey: `calls-missed:${call.callerId}`,
    excerpt: '',
  })),
  ...securityTriggers,
];

/** What is gone when. Its notifications are those that say in `about` that they are about it. */
const endings: EndingEvent[] = [
  ending(postDeleted, ({ data }) => ({ kind: 'post', id: data.postId })),
  ending(messageDeleted, ({ data }) => ({ kind: 'message', id: data.messageId })),
  ending(messageHidden, ({ data: { userId, message } }) => ({ kind: 'message', id: message.messageId, userId })),
];

/** Every event after which something is gone. */
export const endingEvents: EventType[] = endings.map(({ event }) => event);

/** What is gone with the event, if anything. */
export function goneWith(event: DomainEvent): Gone | undefined {
  return endings.find((each) => isEvent(event, each.event))?.gone(event);
}

/** What the event gives occasion to tell, if anything. Nobody is told of what they did themselves. */
export function occasionOf(event: DomainEvent): Occasion | undefined {
  const occasion = triggers.find((each) => isEvent(event, each.event))?.occasion(event);
  if (!occasion) return undefined;
  const recipientIds = occasion.recipientIds.filter((id) => id !== occasion.actorId);
  return recipientIds.length > 0 ? { ...occasion, recipientIds } : undefined;
}

/** What the event takes back: one event may undo several occasions. */
export function undoneOf(event: DomainEvent): Undone[] {
  return triggers
    .flatMap((each) => each.undoneBy)
    .flatMap((undoing) => (isEvent(event, undoing.event) ? (undoing.undone(event) ?? []) : []));
}

/** Every event that gives occasion to tell something, or takes it back. */
export const triggeringEvents: EventType[] = [
  ...new Set(triggers.flatMap(({ event, undoneBy: undoings }) => [event, ...undoings.map((each) => each.event)])),
];
