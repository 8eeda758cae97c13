import { type ClientSession } from 'mongodb';
import { type DomainEvent, type EventType } from './event.js';

/**
 * What a module does because something happened elsewhere: in the consumer's transaction, before it, or both. Either is
 * called with events of the listener's types only, in stream order, never with none.
 */
export interface Listener {
  name: string;
  types: readonly EventType[];
  /**
   * What comes to the same however often, however late and by how many nodes at once it is done: it is done beside the
   * transaction and before it. Nobody has to wait for its locks, and nothing undoes it.
   * @param isBehind whether further events wait already: where not, it may take its time
   */
  beforehand?: (events: DomainEvent[], isBehind: boolean) => Promise<void>;
  /**
   * Inside the transaction that also moves the consumer's checkpoint. It may still meet an event twice (catch-up after
   * lost history reads an overlap): its effects must have natural unique keys. The driver repeats the whole call after
   * a transient error, so it must touch nothing but the database.
   */
  handle?: (events: DomainEvent[], session: ClientSession) => Promise<void>;
}
