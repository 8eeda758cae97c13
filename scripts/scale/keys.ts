import { collections } from '../../src/collections.js';

/** By what a collection would be divided among shards, and why by that. */
const KEYS: readonly { collection: string; key: string; why: string }[] = [
  { collection: 'messages', key: 'conversationId', why: 'a page, and the next place in it, are of one conversation' },
  { collection: 'memberships', key: 'conversationId', why: 'members and receipts are asked for by conversation' },
  { collection: 'messageNews', key: 'conversationId', why: 'one of a conversation' },
  { collection: 'notifications', key: 'userId', why: 'a list, an inbox and its changes are of one user' },
  { collection: 'notificationInboxes', key: '_id', why: 'the user, so that it is beside the notifications' },
  { collection: 'reactions', key: 'postId', why: 'reactions are counted and listed by post' },
  { collection: 'comments', key: 'postId', why: 'a page is of one post' },
  { collection: 'posts', key: 'authorId', why: 'a page is of one author' },
  { collection: 'sessions', key: 'userId', why: 'a user’s sessions end together' },
  { collection: 'presences', key: '_id', why: 'a user each' },
  { collection: 'events', key: '_id', why: 'hashed: they are read in the order of commits, by nobody’s key' },
  { collection: 'rateLimits', key: 'key', why: 'hashed: always asked for by its key' },
];

export interface KeyCheck {
  collection: string;
  key: string;
  why: string;
  /** Unique indexes that would have to begin with the key, and do not. */
  barred: string[];
  /** Indexes whose queries do not name the key: every shard is asked. */
  scattered: string[];
  /** Indexes whose queries name it: one shard answers. */
  targeted: string[];
}

/** Holds each key against the indexes that there are, each of which serves a query. */
export function checkKeys(): KeyCheck[] {
  return KEYS.map(({ collection, key, why }) => {
    const definition = collections.find(({ name }) => name === collection);
    if (!definition) throw new Error(`there is no collection ${collection}`);
    const check: KeyCheck = { collection, key, why, barred: [], scattered: [], targeted: [] };
    for (const { key: fields, options } of definition.indexes) {
      // What ends by itself is looked for by each shard anyway.
      if (options?.expireAfterSeconds !== undefined) continue;
      const names = Object.keys(fields);
      const shown = names.join(', ');
      if (options?.unique === true && names[0] !== key) check.barred.push(shown);
      if (names.includes(key)) check.targeted.push(shown);
      else check.scattered.push(shown);
    }
    return check;
  });
}
