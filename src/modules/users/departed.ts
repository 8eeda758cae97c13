import { type Clock, MINUTE } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type DomainEvent, isEvent } from '../../core/events/event.js';
import { type FeedSubscriber } from '../../core/events/feed.js';
import { Remembered } from '../../core/remembered.js';
import { userDeleted, userErased, userRestored } from './user.events.js';
import { type User } from './user.model.js';

const ALL = 'all';

/**
 * Who has given up the account and is not erased yet. They are few at any time, those of the last month, so that all
 * of them can be remembered and left out of every list.
 */
export class Departed implements FeedSubscriber {
  private readonly remembered: Remembered<ReadonlySet<string>>;

  constructor({ database, clock }: { database: Database; clock: Clock }) {
    this.remembered = new Remembered({
      clock,
      trustMs: 5 * MINUTE,
      most: 1,
      async load() {
        const found = await database
          .collection<User>('users')
          .find({ 'deletion.dueAt': { $exists: true } }, { projection: { _id: 1 } })
          .toArray();
        return new Set(found.map(({ _id }) => _id.toHexString()));
      },
    });
  }

  ids(): Promise<ReadonlySet<string>> {
    return this.remembered.get(ALL);
  }

  /** Drops what is remembered, here and now; the other nodes hear it from the feed. */
  forget(): void {
    this.remembered.forgetAll();
  }

  onEvents(events: DomainEvent[]): void {
    const kinds = [userDeleted, userRestored, userErased];
    if (events.some((event) => kinds.some((kind) => isEvent(event, kind)))) this.forget();
  }

  onGap(): void {
    this.forget();
  }
}
