import { EventEmitter } from 'node:events';
import { type Collection, type Document, type ObjectId } from 'mongodb';
import { defineEvent, type DomainEvent, isEvent } from '../events/event.js';
import { type Feed } from '../events/feed.js';
import { type EventSource } from '../events/source.js';
import { anything } from '../http/schema.js';
import { adapterCollection } from './collections.js';

/** What a node has told the others in passing: a document of the socket adapter, which alone knows what it says. */
const nodeSpoke = defineEvent('node.spoke', anything());

/** What nodes tell each other comes down the same stream as all events. */
export const adapterSource: EventSource = {
  collection: adapterCollection.name,
  type: nodeSpoke,
  toEvent(document: Document): DomainEvent {
    const { _id } = document as { _id: ObjectId };
    const entity = { kind: 'node', id: String(document['uid']) };
    return { _id, type: nodeSpoke.type, at: _id.getTimestamp(), entity, audience: {}, data: document };
  },
};

/**
 * The adapter's collection as the adapter uses it, but that its change stream is the feed: one of its own would cost the
 * server something for everything that anyone writes.
 * @param uid the name that this node's own documents bear, which it is not to hear
 */
export function heardByFeed(collection: Collection, feed: Pick<Feed, 'subscribe'>, uid: string): Collection {
  const stream = new AdapterStream();
  feed.subscribe({
    onEvents(events) {
      for (const event of events) {
        if (!isEvent(event, nodeSpoke) || event.entity.id === uid) continue;
        stream.emit('change', { operationType: 'insert', fullDocument: event.data });
      }
    },
  });
  const used = { insertOne: (document: Document) => collection.insertOne(document), watch: () => stream };
  return used as unknown as Collection;
}

/** What the adapter takes for a change stream. The feed opens it anew where it breaks. */
class AdapterStream extends EventEmitter {
  readonly closed = false;
  readonly resumeToken = undefined;

  close(): Promise<void> {
    this.removeAllListeners();
    return Promise.resolve();
  }
}
