import { type ClientSession, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { isDuplicateKey } from '../../core/database/errors.js';
import { type Outbox } from '../../core/events/outbox.js';
import { conflict, notFound } from '../../core/http/problem.js';
import { type Infer } from '../../core/http/schema.js';
import { type PictureKind } from './picture.js';
import { type preferencesPatch } from './preferences.schemas.js';
import { type placementBody, type profilePatch } from './profile.schemas.js';
import { about, factsOf, userCreated, userPlaced, userUpdated } from './user.events.js';
import { keysOf, type Locale, type ProfileAudience, type Role, type User, type UserModel } from './user.model.js';
import { summarise, SUMMARY_FIELDS, type Summarised, type UserSummary } from './user.presenter.js';
import { type userPatch } from './user.schemas.js';

/** What messages to a user are made from. */
export type Contact = Pick<User, '_id' | 'name' | 'email' | 'locale' | 'timeZone'>;

/** An account that was given up is as if it were gone, for everyone. */
export const PRESENT = { deletion: null } as const;

type Patch = Infer<typeof userPatch> & Infer<typeof profilePatch> & Infer<typeof preferencesPatch>;

export interface UserServiceDeps {
  database: Database;
  users: UserModel;
  outbox: Outbox;
  clock: Clock;
}

export class UserService {
  constructor(private readonly deps: UserServiceDeps) {}

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
    const user: User = { _id: new ObjectId(), ...input, keys: keysOf(input), createdAt: now, updatedAt: now };
    try {
      await users.collection.insertOne(user, { session });
    } catch (error) {
      if (isDuplicateKey(error)) throw conflict('EMAIL_TAKEN', 'There is an account with this e-mail address.');
      throw error;
    }
    const userId = user._id.toHexString();
    await outbox.record(session, userCreated, { ...about(userId), actorId: userId, data: factsOf(user) });
    return user;
  }

  /** A user whose account has not been given up. */
  async find(id: string): Promise<User | undefined> {
    return (await this.deps.users.findOne({ _id: id, ...PRESENT }).lean<User>()) ?? undefined;
  }

  /**
   * One’s own account.
   * @throws Problem 404 `USER_NOT_FOUND`
   */
  async get(id: string): Promise<User> {
    const user = await this.find(id);
    if (!user) throw notFound('USER_NOT_FOUND', 'There is no such user.');
    return user;
  }

  /** Whoever can sign in with that address: also who gave the account up and may still come back. */
  async findByEmail(email: string): Promise<User | undefined> {
    return (await this.deps.users.findOne({ email, 'deletion.startedAt': null }).lean<User>()) ?? undefined;
  }

  /** The same, of someone who has begun to sign in. */
  async findSigningIn(id: ObjectId): Promise<User | undefined> {
    return (await this.deps.users.findOne({ _id: id, 'deletion.startedAt': null }).lean<User>()) ?? undefined;
  }

  /** Changes a user's own account or profile: what is named and nothing else; null takes something away. */
  async update(id: string, patch: Patch): Promise<User> {
    const changed = Object.keys(patch);
    return this.change(id, updateOf(patch), async (session, user) => {
      if (changed.length === 0) return;
      await this.deps.outbox.record(session, userUpdated, {
        ...about(id),
        actorId: id,
        data: { ...factsOf(user), changed },
      });
    });
  }

  /** Says where a user has found a position; saying the same again tells nobody. */
  async place(id: string, placement: Infer<typeof placementBody>): Promise<User> {
    const { outbox } = this.deps;
    return this.deps.database.inTransaction(async (session) => {
      const before = await this.find(id);
      return this.change(id, { $set: { placement } }, async (_session, user) => {
        const previous = before?.placement;
        if (previous && isSamePlacement(previous, placement)) return;
        const { campus, department, graduationYear } = user;
        await outbox.record(session, userPlaced, {
          ...about(id),
          actorId: id,
          data: {
            ...factsOf(user),
            placement,
            ...(previous && { previous }),
            ...(campus !== undefined && { campus }),
            ...(department !== undefined && { department }),
            ...(graduationYear !== undefined && { graduationYear }),
          },
        });
      });
    });
  }

  /**
   * Changes a present user, what follows from the change, and whatever `also` adds, in one transaction.
   * @throws Problem 404 `USER_NOT_FOUND`
   */
  async change(
    id: string,
    update: { $set?: object; $unset?: object },
    also: (session: ClientSession, user: User) => Promise<void>,
  ): Promise<User> {
    const { database, users, clock } = this.deps;
    return database.inTransaction(async (session) => {
      const changes = { ...update, $set: { ...update.$set, updatedAt: clock.now() } };
      const user = await users
        .findOneAndUpdate({ _id: id, ...PRESENT }, changes, { returnDocument: 'after', session })
        .lean<User>();
      if (!user) throw notFound('USER_NOT_FOUND', 'There is no such user.');
      const keys = keysOf(user);
      if (JSON.stringify(keys) !== JSON.stringify(user.keys)) {
        await users.updateOne({ _id: user._id }, { $set: { keys } }, { session });
      }
      await also(session, user);
      return user;
    });
  }

  /** Puts another picture in the place of the one there is; `also` is told which one that was. */
  replace(
    id: string,
    kind: PictureKind,
    picture: User[PictureKind],
    also: (session: ClientSession, user: User, previous: User[PictureKind]) => Promise<void>,
  ): Promise<User> {
    return this.deps.database.inTransaction(async () => {
      const before = await this.find(id);
      const update = picture ? { $set: { [kind]: picture } } : { $unset: { [kind]: 1 } };
      return this.change(id, update, (session, user) => also(session, user, before?.[kind]));
    });
  }

  /** Lets others see the user's avatar, or no longer. */
  showPhoto(id: string, shown: boolean): Promise<User> {
    const update = shown ? { $unset: { photoHidden: 1 } } : { $set: { photoHidden: true } };
    return this.change(id, update, (session, user) =>
      this.deps.outbox.record(session, userUpdated, {
        ...about(id),
        actorId: id,
        data: { ...factsOf(user), changed: ['avatar'] },
      }),
    );
  }

  /** Lets the directory find the user by what the profile says for those only who may view it. */
  async shareProfile(id: string, audience: ProfileAudience): Promise<void> {
    const update =
      audience === 'everyone' ? { $unset: { profileAudience: 1 } } : { $set: { profileAudience: audience } };
    // Whoever keeps something of the user keeps nothing that follows from this.
    await this.change(id, update, () => Promise.resolve());
  }

  /** The address of an account in whatever state, until nothing is left of it. */
  async addressOf(id: string): Promise<string | undefined> {
    return (await this.deps.users.findOne({ _id: id }, { email: 1 }).lean<Pick<User, 'email'>>())?.email;
  }

  /** Summaries by user id, in one query; who is not there for anyone is absent. */
  async summaries(ids: Iterable<string>): Promise<Map<string, UserSummary>> {
    const found = await this.read<Summarised>(ids, SUMMARY_FIELDS);
    return new Map(found.map((user) => [user._id.toHexString(), summarise(user)]));
  }

  /** Contacts by user id, in one query; who is not there for anyone is absent. */
  async contacts(ids: Iterable<string>): Promise<Map<string, Contact>> {
    const found = await this.read<Contact>(ids, { name: 1, email: 1, locale: 1, timeZone: 1 });
    return new Map(found.map((user) => [user._id.toHexString(), user]));
  }

  /** Which of these there are. */
  async existing(ids: Iterable<string>): Promise<Set<string>> {
    const found = await this.read<Pick<Contact, '_id'>>(ids, { _id: 1 });
    return new Set(found.map(({ _id }) => _id.toHexString()));
  }

  /** By the driver and not by Mongoose, so that a listener's reads stay outside its transaction. */
  private read<T extends Pick<Contact, '_id'> | Summarised>(
    ids: Iterable<string>,
    projection: Record<string, 1>,
  ): Promise<T[]> {
    const _ids = [...new Set(ids)].map((id) => new ObjectId(id));
    return this.deps.users.collection.find({ _id: { $in: _ids }, ...PRESENT }, { projection }).toArray() as Promise<
      unknown[]
    > as Promise<T[]>;
  }
}

/** Each language of a text is a change of its own, so that naming one leaves the other alone. */
function updateOf({ about: texts = {}, ...rest }: Patch): { $set: object; $unset?: object } {
  const named = Object.entries(rest as Record<string, unknown>).filter(([, value]) => value !== undefined);
  const removed = named.filter(([, value]) => value === null).map(([key]) => [key, 1]);
  const set = [
    ...named.filter(([, value]) => value !== null),
    ...Object.entries(texts).map(([locale, text]) => [`about.${locale}`, text]),
  ];
  return {
    $set: Object.fromEntries(set) as object,
    ...(removed.length > 0 && { $unset: Object.fromEntries(removed) as object }),
  };
}

/** Whether it is the same position, said once more. */
export function isSamePlacement(one: Infer<typeof placementBody>, other: Infer<typeof placementBody>): boolean {
  return one.company === other.company && one.position === other.position && one.startDate === other.startDate;
}
