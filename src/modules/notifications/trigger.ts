import { type DomainEvent, type EventType } from '../../core/events/event.js';
import { type Subject } from './mute.service.js';
import { type Channel, type NotificationType } from './notification.types.js';
import { type SecurityFacts } from './security-texts.js';
import { type TextFacts } from './texts.js';

/** What an event gives occasion to tell, before it is known how each recipient can be reached. */
export interface Occasion {
  type: Exclude<NotificationType, 'SYSTEM'>;
  /** Whoever caused it; absent where nobody else has, as in what concerns one's own account. */
  actorId?: string;
  recipientIds: string[];
  entity: { kind: string; id: string };
  deepLink: string;
  /** The same for one occurrence, however often its event is handled. */
  dedupeKey: string;
  /** The same for occurrences that could be told as one. */
  groupKey: string;
  excerpt: string;
  attached?: TextFacts['attached'];
  /** What it is about, as far as that can be muted or come to an end; whoever caused it can always be muted. */
  about?: readonly Subject[];
  reaction?: string;
  reactedTo?: TextFacts['reactedTo'];
  security?: SecurityFacts;
  /** Only these channels, where not all are fit for it. */
  channels?: readonly Channel[];
  /** Where its mail goes, if not to the recipient's address of then. */
  mailTo?: string;
  /** Where its SMS goes, if not to the recipient's number of then. */
  smsTo?: string;
}

/** What an event takes back. */
export interface Undone {
  /** That of the occasion. */
  dedupeKey: string;
  recipientIds: string[];
}

export interface Undoing {
  event: EventType;
  /** What it takes back, if anything. */
  undone(event: DomainEvent): Undone | undefined;
}

export interface Trigger {
  event: EventType;
  /** What it gives occasion to tell, if anything. */
  occasion(event: DomainEvent): Occasion | undefined;
  /** What takes it back. */
  undoneBy: readonly Undoing[];
}

/** An event after which something is gone. */
export interface EndingEvent {
  event: EventType;
  gone(event: DomainEvent): Gone;
}

/** Something that is gone, for one user or for everybody. */
export interface Gone extends Subject {
  userId?: string;
}

/** Ties an event to what is gone with it: whatever was told about that is withdrawn. */
export function ending<Data>(event: EventType<Data>, gone: (event: DomainEvent<Data>) => Gone): EndingEvent {
  return { event, gone };
}

/** Ties an event to what it gives occasion to tell, and to what takes that back; each event's data has its own type. */
export function trigger<Data>(
  event: EventType<Data>,
  occasion: (event: DomainEvent<Data>) => Occasion | undefined,
  ...undoings: Undoing[]
): Trigger {
  return { event, occasion, undoneBy: undoings };
}

/** An event after which an occasion never was: its notifications are cancelled where that is possible, and withdrawn. */
export function undoneBy<Data>(
  event: EventType<Data>,
  undone: (event: DomainEvent<Data>) => Undone | undefined,
): Undoing {
  return { event, undone };
}
