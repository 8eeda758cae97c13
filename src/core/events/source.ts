import { type Document } from 'mongodb';
import { type DomainEvent, type EventType } from './event.js';

/**
 * A collection whose documents are events by themselves: what matters of them is that they were written, so that a
 * second row in `events`, and the transaction that would join the two, are spared. Its writers insert with a majority.
 */
export interface EventSource {
  collection: string;
  /** The kind of event that each of its documents is. */
  type: EventType;
  /** The event that a document is, as it was inserted; it has the document's id. */
  toEvent(document: Document): DomainEvent;
}
