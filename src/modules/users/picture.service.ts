import { type DomainEvent } from '../../core/events/event.js';
import { type Listener } from '../../core/events/listener.js';
import { type Outbox } from '../../core/events/outbox.js';
import { type Storage } from '../../core/storage/storage.js';
import { type PictureKind, pictureKey, pictureName, toPicture } from './picture.js';
import { about, factsOf, userPictureDropped, userUpdated } from './user.events.js';
import { type User } from './user.model.js';
import { type UserService } from './user.service.js';

/** The pictures of profiles. */
export class PictureService {
  constructor(private readonly deps: { users: UserService; storage: Storage; outbox: Outbox }) {}

  /** Makes `file` the user's picture. */
  async set(userId: string, kind: PictureKind, file: Buffer): Promise<User> {
    const { storage } = this.deps;
    const picture = await toPicture(file, kind);
    const name = pictureName(kind, picture);
    const key = pictureKey(userId, name);
    // Before the change: a profile must never name a file that is not there.
    await storage.put(key, picture);
    try {
      return await this.change(userId, kind, { name });
    } catch (error) {
      await storage.remove(key);
      throw error;
    }
  }

  /** Takes the user's picture away; without one nothing changes. */
  remove(userId: string, kind: PictureKind): Promise<User> {
    return this.change(userId, kind, undefined);
  }

  /** The file of that name, if it is the picture of a present user. */
  async read(userId: string, name: string): Promise<Buffer | undefined> {
    const user = await this.deps.users.find(userId);
    if (!user || (user.avatar?.name !== name && user.banner?.name !== name)) return undefined;
    return this.deps.storage.get(pictureKey(userId, name));
  }

  private change(userId: string, kind: PictureKind, picture: User[PictureKind]): Promise<User> {
    const { users, outbox } = this.deps;
    return users.replace(userId, kind, picture, async (session, user, previous) => {
      if (!picture && !previous) return;
      await outbox.record(session, userUpdated, {
        ...about(userId),
        actorId: userId,
        data: { ...factsOf(user), changed: [kind] },
      });
      if (!previous) return;
      await outbox.record(session, userPictureDropped, {
        ...about(userId),
        actorId: userId,
        data: { userId, kind, file: previous.name },
      });
    });
  }
}

/**
 * Removes the files of pictures that were replaced. The one effect here outside the database: the change it follows
 * from is committed, and removing twice is removing once.
 */
export function pictureListener(storage: Storage): Listener {
  return {
    name: 'pictures',
    types: [userPictureDropped],
    async handle(events) {
      for (const { data } of events as DomainEvent<{ userId: string; file: string }>[]) {
        await storage.remove(pictureKey(data.userId, data.file));
      }
    },
  };
}
