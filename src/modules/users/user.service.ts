import { type ClientSession, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { isDuplicateKey } from '../../core/database/errors.js';
import { type Outbox } from '../../core/events/outbox.js';
import { conflict, notFound } from '../../core/http/problem.js';
import { type Infer } from '../../core/http/schema.js';
import { userCreated, userUpdated } from './user.events.js';
import { type Locale, type Role, type User, type UserModel } from './user.model.js';
import { summarise, type UserSummary } from './user.presenter.js';
import { type profilePatch, type userPatch } from './user.schemas.js';

/** What messages to a user are made from. */
export type Contact = Pick<User, '_id' | 'name' | 'email' | 'locale'>;

export class UserService {
  constructor(private readonly deps: { database: Database; users: UserModel; outbox: Outbox; clock: Clock }) {}

  /**
   * Creates a user within the caller's transaction.
   * @throws Problem 409 `EMAIL_TAKEN`
   */
  async create(
    session: ClientSession,
    input: { name: string; email: string; role: Role; locale: Locale },
  ): Promise<User> {
    const { users, outbox, clock } = this.deps;
    const now = clock.now();
    const user: User = { _id: new ObjectId(), ...input, createdAt: now, updatedAt: now };
    try {
      await users.collection.insertOne(user, { session });
    } catch (error) {
      if (isDuplicateKey(error)) throw conflict('EMAIL_TAKEN', 'There is an account with this e-mail address.');
      throw error;
    }
    await outbox.record(session, userCreated, { ...eventOf(user), actorId: user._id.toHexString() });
    return user;
  }

  async find(id: string): Promise<User | undefined> {
    return (await this.deps.users.findById(id).lean<User>()) ?? undefined;
  }

  async findByEmail(email: string): Promise<User | undefined> {
    return (await this.deps.users.findOne({ email }).lean<User>()) ?? undefined;
  }

  /** Changes a user's own account or profile. */
  async update(id: string, patch: Infer<typeof userPatch> & Infer<typeof profilePatch>): Promise<User> {
    const { database, users, outbox, clock } = this.deps;
    return database.inTransaction(async (session) => {
      const user = await users
        .findByIdAndUpdate(
          id,
          { $set: { ...changesOf(patch), updatedAt: clock.now() } },
          { returnDocument: 'after', session },
        )
        .lean<User>();
      if (!user) throw notFound('USER_NOT_FOUND', 'There is no such user.');
      await outbox.record(session, userUpdated, { ...eventOf(user), actorId: id });
      return user;
    });
  }

  /** Summaries by user id, in one query; unknown ids are absent. */
  async summaries(ids: Iterable<string>): Promise<Map<string, UserSummary>> {
    const found = await this.read(ids, { name: 1, role: 1, headline: 1 });
    return new Map(found.map((user) => [user._id.toHexString(), summarise(user)]));
  }

  /** Contacts by user id, in one query; unknown ids are absent. */
  async contacts(ids: Iterable<string>): Promise<Map<string, Contact>> {
    const found = await this.read(ids, { name: 1, email: 1, locale: 1 });
    return new Map(found.map((user) => [user._id.toHexString(), user]));
  }

  /** By the driver and not by Mongoose, so that a listener's reads stay outside its transaction. */
  private read(ids: Iterable<string>, projection: Record<string, 1>): Promise<User[]> {
    const _ids = [...new Set(ids)].map((id) => new ObjectId(id));
    return this.deps.users.collection.find<User>({ _id: { $in: _ids } }, { projection }).toArray();
  }
}

/** Each language of a text is a change of its own, so that naming one leaves the other alone. */
function changesOf({ about = {}, ...rest }: Infer<typeof profilePatch>): Record<string, unknown> {
  const texts = Object.entries(about).map(([locale, text]) => [`about.${locale}`, text] as const);
  return { ...rest, ...Object.fromEntries(texts) };
}

function eventOf(user: User) {
  const userId = user._id.toHexString();
  return {
    entity: { kind: 'user', id: userId },
    audience: { userIds: [userId] },
    data: { userId, name: user.name, role: user.role, locale: user.locale },
  };
}
