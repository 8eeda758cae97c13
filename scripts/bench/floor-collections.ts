import { type ObjectId } from 'mongodb';

/** What the floor writes: a counter, a row, an event; and in answer to the event one more row. */
export const FLOOR = {
  posts: 'floorPosts',
  reactions: 'floorReactions',
  events: 'floorEvents',
  notes: 'floorNotes',
  messages: 'floorMessages',
  chat: 'floorChat',
  notifications: 'floorNotifications',
  inboxes: 'floorInboxes',
  outbox: 'floorOutbox',
};

export interface FloorEvent {
  _id: ObjectId;
  /** Numbers the operation, so that its end is told from others'. */
  operation: number;
  authorId: ObjectId;
  text: string;
}

/** What both floor processes connect with: the durability of the product, without anything else of it. */
export const MAJORITY = { writeConcern: { w: 'majority' as const }, retryWrites: true };

export function databaseUri(): string {
  const uri = process.env['MONGODB_URI'];
  if (uri === undefined) throw new Error('MONGODB_URI names the database of the benchmark');
  return uri;
}
