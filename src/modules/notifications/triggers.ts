import { type DomainEvent, type EventType, isEvent } from '../../core/events/event.js';
import { commentCreated, postReacted } from '../posts/index.js';
import { type NotificationType } from './notification.types.js';

/** What an event gives occasion to tell, before it is known how each recipient can be reached. */
export interface Occasion {
  type: Exclude<NotificationType, 'SYSTEM'>;
  actorId: string;
  recipientIds: string[];
  entity: { kind: string; id: string };
  deepLink: string;
  /** The same for one occurrence, however often its event is handled. */
  dedupeKey: string;
  /** The same for occurrences that could be told as one. */
  groupKey: string;
  excerpt: string;
  reaction?: string;
}

interface Trigger {
  event: EventType;
  occasion(event: DomainEvent): Occasion;
}

function trigger<Data>(event: EventType<Data>, occasion: (event: DomainEvent<Data>) => Occasion): Trigger {
  return { event, occasion: occasion };
}

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
  })),
];

/** What the event gives occasion to tell, if anything. Nobody is told of what they did themselves. */
export function occasionOf(event: DomainEvent): Occasion | undefined {
  const occasion = triggers.find((each) => isEvent(event, each.event))?.occasion(event);
  if (!occasion) return undefined;
  const recipientIds = occasion.recipientIds.filter((id) => id !== occasion.actorId);
  return recipientIds.length > 0 ? { ...occasion, recipientIds } : undefined;
}
