import { type ClientSession, type Collection, ObjectId } from 'mongodb';
import { type Clock } from '../clock.js';
import { type Database } from '../database/database.js';
import { currentRequest } from '../observability/request-context.js';
import { eventWritten } from '../observability/tracing.js';
import { eventsCollection } from './collections.js';
import { type DomainEvent, type EntityRef, type EventAudience, type EventType } from './event.js';

/** What a writer says of an event; the rest is known here. */
export interface NewEvent<Data> {
  actorId?: string;
  entity: EntityRef;
  audience?: EventAudience;
  data: Data;
}

/** An event of any kind, as `ofKind` makes it. */
export interface EventOfKind {
  type: EventType;
  event: NewEvent<unknown>;
}

/** An event with its kind, for writing it together with events of other kinds. */
export function ofKind<Data>(type: EventType<Data>, event: NewEvent<Data>): EventOfKind {
  return { type, event };
}

export interface OutboxOptions {
  database: Database;
  clock: Clock;
  /** Checks every event against its schema: on in tests, where a wrong event should fail its writer. */
  validate: boolean;
}

/** Records events with the writes that cause them. */
export class Outbox {
  private readonly events: Collection<DomainEvent>;

  constructor(private readonly options: OutboxOptions) {
    this.events = options.database.collection<DomainEvent>(eventsCollection.name);
  }

  /**
   * Writes the event in the transaction of the change it tells of, so that it can be neither lost nor invented.
   * @throws Error where validation is on and the data does not fit the event's schema
   */
  async record<Data>(session: ClientSession, type: EventType<Data>, event: NewEvent<Data>): Promise<void> {
    await this.events.insertOne(this.toDocument(type, event), { session });
  }

  /** Writes several events of one kind in one round trip. */
  recordAll<Data>(session: ClientSession, type: EventType<Data>, events: NewEvent<Data>[]): Promise<void> {
    return this.recordTogether(
      session,
      events.map((event) => ofKind(type, event)),
    );
  }

  /** Writes events of several kinds in one round trip, in their order. */
  async recordTogether(session: ClientSession, events: readonly EventOfKind[]): Promise<void> {
    if (events.length === 0) return;
    await this.events.insertMany(
      events.map(({ type, event }) => this.toDocument(type, event)),
      { session },
    );
  }

  /** Writes an event that tells of nothing but itself (the heartbeat), outside any transaction. */
  async announce<Data>(type: EventType<Data>, event: NewEvent<Data>): Promise<void> {
    await this.events.insertOne(this.toDocument(type, event));
  }

  private toDocument<Data>(type: EventType<Data>, event: NewEvent<Data>): DomainEvent<Data> {
    if (this.options.validate) {
      const { error } = type.schema.validate(event.data, { convert: false });
      if (error) throw new Error(`event ${type.type} does not fit its schema: ${error.message}`);
    }
    const { requestId, origin } = currentRequest() ?? {};
    return {
      _id: new ObjectId(),
      type: type.type,
      at: this.options.clock.now(),
      ...(event.actorId !== undefined && { actorId: event.actorId }),
      entity: event.entity,
      audience: event.audience ?? {},
      data: event.data,
      ...(requestId !== undefined && { requestId }),
      ...(type.traced && origin && { origin }),
      ...eventWritten(type.type),
    };
  }
}
