import { type ClientSession, type Collection, type Filter, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type Page, type Pager } from '../../core/http/paging.js';
import { badRequest, conflict, notFound } from '../../core/http/problem.js';
import { type Infer } from '../../core/http/schema.js';
import { type Visibility } from '../../core/visibility.js';
import { type PostService } from '../posts/index.js';
import { type UserService } from '../users/index.js';
import { type Mute, muteCollection } from './mute.model.js';
import { type NotificationSettingsRow } from './notification.model.js';
import { type Mutable, type SubjectKind } from './notification.types.js';
import { type muteBody } from './settings.schemas.js';

/** What a notification is about, and what can be muted of that. */
export interface Subject {
  kind: SubjectKind;
  id: string;
}

/** A notification as far as muting goes. */
export interface Telling {
  userId: string;
  actorIds: readonly string[];
  /** The keys of what it is about. */
  about: readonly string[];
  /** Where its mail goes, if not to the recipient's address. */
  mailTo?: string | null | undefined;
  /** Where its SMS goes, if not to the recipient's number. */
  smsTo?: string | null | undefined;
}

export interface MuteDeps {
  database: Database;
  pager: Pager;
  clock: Clock;
  users: UserService;
  posts: Pick<PostService, 'find'>;
  visibility: Visibility;
}

interface PageQuery {
  limit: number;
  cursor?: string | undefined;
}

/** More than anyone looks through; bounds what is asked for each notification, and what one account can fill up. */
export const MOST_MUTES = 1_000;

/** What users do not want to be called by for a while, or for good. */
export class MuteService {
  private readonly mutes: Collection<Mute>;

  constructor(private readonly deps: MuteDeps) {
    this.mutes = deps.database.collection(muteCollection.name);
  }

  /**
   * Mutes a post or a user; doing it again sets the end anew.
   * @throws Problem 400 `CANNOT_MUTE_YOURSELF`, `MUTE_HAS_ENDED`, 404 `NOTHING_TO_MUTE`, 409 `TOO_MANY_MUTES`
   */
  async mute(userId: string, { kind, id, until }: Infer<typeof muteBody>): Promise<Mute> {
    const { database, clock } = this.deps;
    const now = clock.now();
    if (kind === 'user' && id === userId) throw badRequest('CANNOT_MUTE_YOURSELF', 'You are not told of yourself.');
    if (until && until <= now) throw badRequest('MUTE_HAS_ENDED', 'The end of the mute is in the past.');
    if (!(await this.mayKnow(userId, { kind, id }))) throw notFound('NOTHING_TO_MUTE', 'There is no such thing.');
    const mine = { userId: new ObjectId(userId), key: subjectKey({ kind, id }) };
    return database.inTransaction(async (session) => {
      if (!(await this.mutes.findOne({ ...mine, ...this.inForce() }, { session })))
        await this.makeRoom(session, userId);
      const muted = await this.mutes.findOneAndUpdate(
        mine,
        { $setOnInsert: { createdAt: now }, ...(until ? { $set: { until } } : { $unset: { until: 1 } }) },
        { upsert: true, returnDocument: 'after', session },
      );
      if (!muted) throw new Error('an upsert answers with what it wrote');
      return muted;
    });
  }

  /** Ends a mute; without one nothing changes. */
  async unmute(userId: string, subject: Subject): Promise<void> {
    await this.mutes.deleteOne({ userId: new ObjectId(userId), key: subjectKey(subject) });
  }

  /** What the user has muted, the newest first; users who are hidden by now are left out. */
  async list(userId: string, page: PageQuery): Promise<Page<Mute>> {
    const hidden = [...(await this.deps.visibility.hiddenFrom(userId))];
    return this.deps.pager.page<Mute>({
      collection: this.mutes,
      filter: {
        userId: new ObjectId(userId),
        key: { $nin: hidden.map((id) => subjectKey({ kind: 'user', id })) },
        ...this.inForce(),
      },
      sort: [['_id', -1]],
      scope: `mutes of ${userId}`,
      ...page,
    });
  }

  /** Which of the tellings their recipients have muted, in one query; none where nothing of it can be muted. */
  async among(tellings: readonly Telling[]): Promise<(telling: Telling) => boolean> {
    const keys = [...new Set(tellings.flatMap(keysOf))];
    if (keys.length === 0) return () => false;
    const userIds = [...new Set(tellings.map(({ userId }) => userId))].map((id) => new ObjectId(id));
    const found = await this.mutes
      .find({ key: { $in: keys }, userId: { $in: userIds }, ...this.inForce() }, { projection: { userId: 1, key: 1 } })
      .toArray();
    const muted = new Set(found.map(({ userId, key }) => `${userId.toHexString()} ${key}`));
    return (telling) => keysOf(telling).some((key) => muted.has(`${telling.userId} ${key}`));
  }

  /**
   * Makes sure that one more may be added. It writes to the user's settings, so that of several requests at once each
   * waits for the one before it, and counts what that has added.
   */
  private async makeRoom(session: ClientSession, userId: string): Promise<void> {
    const { database, clock } = this.deps;
    const _id = new ObjectId(userId);
    const $set = { mutedAt: clock.now() };
    await database
      .collection<NotificationSettingsRow>('notificationSettings')
      .updateOne({ _id }, { $set }, { upsert: true, session });
    const count = await this.mutes.countDocuments({ userId: _id, ...this.inForce() }, { session, limit: MOST_MUTES });
    if (count === MOST_MUTES) {
      throw conflict('TOO_MANY_MUTES', `You have muted ${MOST_MUTES} posts and people. End some of these mutes first.`);
    }
  }

  private inForce(): Filter<Mute> {
    // The database removes what has ended only now and then.
    return { $or: [{ until: { $exists: false } }, { until: { $gt: this.deps.clock.now() } }] };
  }

  /** Only what the user may know of can be muted: whether something exists must not be found out by it. */
  private async mayKnow(userId: string, { kind, id }: Subject): Promise<boolean> {
    const { users, posts, visibility } = this.deps;
    const whose = kind === 'user' ? (await users.find(id))?._id : (await posts.find(id))?.authorId;
    return whose !== undefined && !(await visibility.areHidden(userId, whose.toHexString()));
  }
}

/** How a subject is stored and compared. */
export function subjectKey({ kind, id }: Subject): string {
  return `${kind}:${id}`;
}

/** What a mute is of. */
export function subjectOf(key: string): Subject & { kind: Mutable } {
  const [kind = '', id = ''] = key.split(':');
  return { kind: kind as Mutable, id };
}

function keysOf({ actorIds, about }: Telling): string[] {
  return [...about, ...actorIds.map((id) => subjectKey({ kind: 'user', id }))];
}
