import { type Collection, ObjectId } from 'mongodb';
import { type Clock, MINUTE } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { isDatabaseUnavailable } from '../../core/database/errors.js';
import { type DomainEvent, isEvent } from '../../core/events/event.js';
import { type FeedSubscriber } from '../../core/events/feed.js';
import { type Log } from '../../core/observability/log.js';
import { Remembered } from '../../core/remembered.js';
import { type Permission, type Permissions, type Visibility } from '../../core/visibility.js';
import { complete, type PrivacySettings, settingsCollection, type StoredSettings } from './settings.model.js';
import { privacyChanged } from './settings.schemas.js';

const TRUST_MS = 5 * MINUTE;
const MOST_USERS = 50_000;
const MOST_PAIRS = 200_000;

/** Who is connected with whom, read now. */
export interface Ties {
  areConnected(oneId: string, otherId: string): Promise<boolean>;
}

export interface PermissionDeps {
  database: Database;
  clock: Clock;
  log: Log;
  visibility: Pick<Visibility, 'areHidden'>;
  ties: Ties;
}

/**
 * Who may do what to or with whom. It remembers the facts and not the answers, so that an event drops exactly what it
 * makes untrue; blocks are remembered by the block list.
 */
export class PermissionService implements Permissions, FeedSubscriber {
  private readonly settings: Remembered<PrivacySettings>;
  private readonly connected: Remembered<boolean>;

  constructor(private readonly deps: PermissionDeps) {
    const { database, clock, ties } = deps;
    const stored: Collection<StoredSettings> = database.collection(settingsCollection.name);
    this.settings = new Remembered({
      clock,
      trustMs: TRUST_MS,
      most: MOST_USERS,
      load: async (userId) => complete(await stored.findOne({ _id: new ObjectId(userId) })),
    });
    this.connected = new Remembered({
      clock,
      trustMs: TRUST_MS,
      most: MOST_PAIRS,
      load: (pair) => {
        const [oneId = '', otherId = ''] = pair.split(' ');
        return ties.areConnected(oneId, otherId);
      },
    });
  }

  async can(actorId: string, permission: Permission, targetId: string): Promise<boolean> {
    if (actorId === targetId) return true;
    try {
      const [hidden, { [permission]: audience }] = await Promise.all([
        this.deps.visibility.areHidden(actorId, targetId),
        this.settings.get(targetId),
      ]);
      if (hidden || audience === 'nobody') return false;
      return audience === 'everyone' || (await this.connected.get(pairKey(actorId, targetId)));
    } catch (error) {
      // A client that is told no believes it, and one that is told to come back does.
      if (isDatabaseUnavailable(error)) throw error;
      this.deps.log.warn({ err: error, permission }, 'privacy: a permission could not be found out and is denied');
      return false;
    }
  }

  /**
   * Whether one user may see when another is here: by the rule for activity, and as long as the other shows it at all.
   * Never throws: it is asked again and again, and nobody waits for the answer.
   */
  async canSeePresence(viewerId: string, userId: string): Promise<boolean> {
    if (viewerId === userId) return true;
    try {
      if (!(await this.can(viewerId, 'viewActivity', userId))) return false;
      return (await this.settings.get(userId)).showActivityStatus;
    } catch (error) {
      this.deps.log.warn({ err: error }, 'privacy: whether presence is shown could not be found out and is denied');
      return false;
    }
  }

  /** Drops a user's settings, here and now; the other nodes hear it from the feed. */
  forget(userId: string): void {
    this.settings.forget(userId);
  }

  /** A block is the block list's to forget; the connection that it ends has an event of its own. */
  onEvents(events: DomainEvent[]): void {
    for (const event of events) {
      if (isEvent(event, privacyChanged)) this.forget(event.data.userId);
      // By what an event is about and not by its type: connections know of privacy, so privacy cannot know of them.
      if (event.entity.kind === 'connection') {
        const [oneId = '', otherId = ''] = event.audience.userIds ?? [];
        this.connected.forget(pairKey(oneId, otherId));
      }
    }
  }

  onGap(): void {
    this.settings.forgetAll();
    this.connected.forgetAll();
  }
}

/** The same for both directions. */
function pairKey(oneId: string, otherId: string): string {
  return oneId < otherId ? `${oneId} ${otherId}` : `${otherId} ${oneId}`;
}
