import { type ObjectId } from 'mongodb';
import { type Infer, type Schema } from '../http/schema.js';
import { type Origin } from '../observability/request-context.js';
import { type Traced } from '../observability/tracing.js';

/** What a thing is and which: `{ kind: 'post', id }`. */
export interface EntityRef {
  kind: string;
  id: string;
}

/** To whom an event matters. The hub and the listeners read this and nothing else to know whom to tell. */
export interface EventAudience {
  userIds?: string[];
  conversationId?: string;
  postId?: string;
  roles?: string[];
}

/** Something that happened, as it is stored in `events`: the outbox that everything else follows from. */
export interface DomainEvent<Data = unknown> extends Traced {
  _id: ObjectId;
  type: string;
  at: Date;
  actorId?: string;
  entity: EntityRef;
  audience: EventAudience;
  /** Small and complete: a listener need not read anything back to know what to do. */
  data: Data;
  requestId?: string;
  /** Only of kinds that are traced. */
  origin?: Origin;
}

/** A kind of event: its name (`thing.happened`) and the shape of its data. */
export interface EventType<Data = unknown> {
  readonly type: string;
  readonly schema: Schema<Data>;
  /** Whether it is kept from where it was caused: only of what the audit asks that of. */
  readonly traced: boolean;
}

/** Declares a kind of event; the schema gives both its type and its validation. */
export function defineEvent<S extends Schema>(
  type: string,
  schema: S,
  { traced = false }: { traced?: boolean } = {},
): EventType<Infer<S>> {
  return { type, schema: schema as Schema<Infer<S>>, traced };
}

/** Narrows an event to the data of its kind. */
export function isEvent<Data>(event: DomainEvent, kind: EventType<Data>): event is DomainEvent<Data> {
  return event.type === kind.type;
}
