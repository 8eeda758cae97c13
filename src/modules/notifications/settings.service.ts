import { ObjectId } from 'mongodb';
import { badRequest } from '../../core/http/problem.js';
import { type Preferences, wants } from './channel-decision.js';
import { type NotificationModels } from './notification.model.js';
import { CATEGORIES, CHANNELS } from './notification.types.js';

/** What users have switched on or off. */
export class NotificationSettingsService {
  constructor(private readonly settings: NotificationModels['settings']) {}

  /** A user's choice for every category and channel, defaults included. */
  async read(userId: string): Promise<Preferences> {
    const own = (await this.preferencesOf([userId])).get(userId) ?? {};
    return Object.fromEntries(
      CATEGORIES.map((category) => [
        category,
        Object.fromEntries(CHANNELS.map((channel) => [channel, wants(own, category, channel)])),
      ]),
    );
  }

  /**
   * Changes what is named and nothing else.
   * @throws Problem 400 `SECURITY_ALWAYS_ON`
   */
  async change(userId: string, preferences: Preferences): Promise<Preferences> {
    const changes = Object.entries(preferences).flatMap(([category, channels]) =>
      Object.entries(channels).map(([channel, on]) => [`preferences.${category}.${channel}`, on] as const),
    );
    if (Object.values(preferences.security ?? {}).includes(false)) {
      throw badRequest('SECURITY_ALWAYS_ON', 'Messages about the security of your account cannot be switched off.');
    }
    if (changes.length > 0) {
      await this.settings.collection.updateOne(
        { _id: new ObjectId(userId) },
        { $set: Object.fromEntries(changes) },
        { upsert: true },
      );
    }
    return this.read(userId);
  }

  /** What users have chosen, by user id, in one query; who never chose is absent. */
  async preferencesOf(userIds: string[]): Promise<Map<string, Preferences>> {
    const found = await this.settings.collection
      .find<{ _id: ObjectId; preferences?: Preferences }>({ _id: { $in: userIds.map((id) => new ObjectId(id)) } })
      .toArray();
    return new Map(found.map(({ _id, preferences }) => [_id.toHexString(), preferences ?? {}]));
  }
}
