import { type DomainEvent, isEvent } from '../../core/events/event.js';
import { connectionAccepted, connectionRequested, followStarted } from '../network/index.js';
import { commentCreated, postReacted } from '../posts/index.js';
import { securityTriggers } from './security-triggers.js';
import { type Occasion, trigger, type Trigger } from './trigger.js';

export { type Occasion } from './trigger.js';

/** Who is told of what. A new kind of notification is one entry here, one in the types and its texts. */
export const triggers: Trigger[] = [
  trigger(postReacted, ({ data }) => ({
    type: 'REACTION',
    actorId: data.userId,
    recipientIds: [data.authorId],
    entity: { kind: 'post', id: data.postId },
    deepLink: `/posts/${data.postId}`,
    // Changing or repeating a reaction is no new occurrence.
    dedupeKey: `reaction:${data.postId}:${data.userId}`,
    groupKey: `reaction:${data.postId}`,
    excerpt: data.excerpt,
    about: [{ kind: 'post', id: data.postId }],
    reaction: data.type,
  })),
  trigger(commentCreated, ({ data }) => ({
    type: 'COMMENT',
    actorId: data.comment.author.id,
    recipientIds: [data.authorId],
    entity: { kind: 'comment', id: data.comment.id },
    deepLink: `/posts/${data.postId}#comment-${data.comment.id}`,
    dedupeKey: `comment:${data.comment.id}`,
    groupKey: `comment:${data.postId}`,
    excerpt: data.excerpt,
    about: [{ kind: 'post', id: data.postId }],
  })),
  trigger(connectionRequested, ({ data }) => ({
    type: 'CONNECTION_REQUEST',
    actorId: data.requesterId,
    recipientIds: [data.addresseeId],
    entity: { kind: 'connection', id: data.connectionId },
    deepLink: '/connections/requests',
    // A request that is withdrawn and made again is the same one.
    dedupeKey: `connection-request:${data.connectionId}`,
    groupKey: 'connection-requests',
    excerpt: '',
  })),
  trigger(connectionAccepted, ({ data }) => ({
    type: 'CONNECTION_ACCEPTED',
    actorId: data.addresseeId,
    recipientIds: [data.requesterId],
    entity: { kind: 'connection', id: data.connectionId },
    deepLink: `/profiles/${data.addresseeId}`,
    dedupeKey: `connection-accepted:${data.connectionId}`,
    groupKey: 'connections-accepted',
    excerpt: '',
  })),
  trigger(followStarted, ({ data }) => ({
    type: 'FOLLOW',
    actorId: data.followerId,
    recipientIds: data.kind === 'user' ? [data.target] : [],
    entity: { kind: 'user', id: data.followerId },
    deepLink: `/profiles/${data.followerId}`,
    // Following, leaving and following again is told once.
    dedupeKey: `follow:${data.followerId}`,
    groupKey: 'follows',
    excerpt: '',
  })),
  ...securityTriggers,
];

/** What the event gives occasion to tell, if anything. Nobody is told of what they did themselves. */
export function occasionOf(event: DomainEvent): Occasion | undefined {
  const occasion = triggers.find((each) => isEvent(event, each.event))?.occasion(event);
  if (!occasion) return undefined;
  const recipientIds = occasion.recipientIds.filter((id) => id !== occasion.actorId);
  return recipientIds.length > 0 ? { ...occasion, recipientIds } : undefined;
}
