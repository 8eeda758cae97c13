import { type ClientSession } from 'mongodb';
import { type DomainEvent, type EventType } from './event.js';

/**
 * What a module does because something happened elsewhere.
 *
 * It runs inside the transaction that also moves the consumer's checkpoint, and it may still meet an event twice
 * (catch-up after lost history reads an overlap): its effects must have natural unique keys. The driver repeats the
 * whole call after a transient error, so it must touch nothing but the database.
 */
export interface Listener {
  name: string;
  types: readonly EventType[];
  /** @param events of the listener's types only, in stream order, never empty */
  handle(events: DomainEvent[], session: ClientSession): Promise<void>;
}
