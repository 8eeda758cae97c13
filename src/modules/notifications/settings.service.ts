import { type ClientSession, ObjectId } from 'mongodb';
import { badRequest } from '../../core/http/problem.js';
import { type Infer } from '../../core/http/schema.js';
import { type UserService } from '../users/index.js';
import { type Grouping, type Preferences, wants } from './channel-decision.js';
import { type DigestFrequency } from './digests/digest-times.js';
import { type Digests } from './digests/digests.js';
import { type NotificationModels } from './notification.model.js';
import { CATEGORIES, CHANNELS } from './notification.types.js';
import { leavesTime, type QuietHours } from './quiet-hours.js';
import { type settingsPatch } from './settings.schemas.js';
import { type WaitingDeliveries } from './waiting-deliveries.js';

/** Who has never said where they live. */
export const DEFAULT_ZONE = 'UTC';

/** What a user has chosen; what is absent follows the defaults. */
export interface ChosenSettings {
  preferences?: Preferences;
  quietHours?: Partial<QuietHours>;
  digest?: DigestFrequency;
  grouping?: Grouping;
}

export interface SettingsDeps {
  settings: NotificationModels['settings'];
  users: UserService;
  waiting: WaitingDeliveries;
  digests: Digests;
}

/** A user's settings, those that were never chosen included. */
export interface NotificationSettings {
  preferences: Preferences;
  quietHours: QuietHours;
  digest: DigestFrequency;
  grouping: Grouping;
  timeZone: string;
}

/** When and where users want to be told. */
export class NotificationSettingsService {
  constructor(private readonly deps: SettingsDeps) {}

  /** A user's settings, defaults included. */
  async read(userId: string): Promise<NotificationSettings> {
    const [chosen, contacts] = await Promise.all([this.of([userId]), this.deps.users.contacts([userId])]);
    const { preferences: own = {}, quietHours, digest = 'off', grouping = {} } = chosen.get(userId) ?? {};
    const preferences = Object.fromEntries(
      CATEGORIES.map((category) => [
        category,
        Object.fromEntries(CHANNELS.map((channel) => [channel, wants(own, category, channel)])),
      ]),
    );
    return {
      preferences,
      quietHours: completed(quietHours),
      digest,
      grouping: Object.fromEntries(CATEGORIES.map((category) => [category, grouping[category] ?? true])),
      timeZone: contacts.get(userId)?.timeZone ?? DEFAULT_ZONE,
    };
  }

  /**
   * Changes what is named and nothing else. What waits for the end of quiet hours is decided again by the new ones, and
   * what has gathered for a digest is sent by the new choice.
   * @throws Problem 400 `SECURITY_ALWAYS_ON`, `QUIET_ALL_WEEK`
   */
  async change(userId: string, patch: Infer<typeof settingsPatch>): Promise<NotificationSettings> {
    const { preferences = {}, quietHours = {}, digest, grouping = {} } = patch;
    const { sms: _sms, ...alwaysOn } = preferences.security ?? {};
    if (Object.values(alwaysOn).includes(false)) {
      throw badRequest('SECURITY_ALWAYS_ON', 'Messages about the security of your account cannot be switched off.');
    }
    if (quietHours.spans && !leavesTime(quietHours.spans)) {
      throw badRequest('QUIET_ALL_WEEK', 'Leave some time of the week; to be told nothing, switch channels off.');
    }
    const changes: (readonly [path: string, value: unknown])[] = [
      ...Object.entries(preferences).flatMap(([category, channels]) =>
        Object.entries(channels).map(([channel, on]) => [`preferences.${category}.${channel}`, on] as const),
      ),
      ...Object.entries(quietHours).map(([name, value]) => [`quietHours.${name}`, value] as const),
      ...Object.entries(grouping).map(([category, on]) => [`grouping.${category}`, on] as const),
      ...(digest === undefined ? [] : [['digest', digest] as const]),
    ];
    if (changes.length > 0) {
      await this.deps.settings.collection.updateOne(
        { _id: new ObjectId(userId) },
        { $set: Object.fromEntries(changes) },
        { upsert: true },
      );
    }
    if (Object.keys(quietHours).length > 0) await this.deps.waiting.decideSoon(userId);
    if (digest !== undefined) await this.rescheduleDigest(userId);
    return this.read(userId);
  }

  /** Has what has gathered for a digest sent at the time that follows from the settings of now. */
  async rescheduleDigest(userId: string, session?: ClientSession): Promise<void> {
    const { digest, timeZone } = await this.read(userId);
    await this.deps.digests.reschedule(userId, digest, timeZone, session);
  }

  /** What users have chosen, by user id, in one query; who never chose is absent. */
  async of(userIds: string[]): Promise<Map<string, ChosenSettings>> {
    const found = await this.deps.settings.collection
      .find<ChosenSettings & { _id: ObjectId }>({ _id: { $in: userIds.map((id) => new ObjectId(id)) } })
      .toArray();
    return new Map(found.map(({ _id, ...chosen }) => [_id.toHexString(), chosen]));
  }
}

/** Quiet hours with what was not said of them. */
export function completed({ spans = [], email = true }: Partial<QuietHours> = {}): QuietHours {
  return { spans, email };
}
