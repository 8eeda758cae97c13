import { type Collection, ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { type Outbox } from '../../core/events/outbox.js';
import { type Infer } from '../../core/http/schema.js';
import { type UserService } from '../users/index.js';
import { type PermissionService } from './permissions.js';
import { complete, type PrivacySettings, SETTINGS, settingsCollection, type StoredSettings } from './settings.model.js';
import { privacyChanged, type privacyPatch } from './settings.schemas.js';

export interface SettingsDeps {
  database: Database;
  outbox: Outbox;
  users: UserService;
  permissions: PermissionService;
}

/** What users let others do and see. */
export class PrivacySettingsService {
  private readonly settings: Collection<StoredSettings>;

  constructor(private readonly deps: SettingsDeps) {
    this.settings = deps.database.collection(settingsCollection.name);
  }

  /** A user's settings, defaults included. */
  async read(userId: string): Promise<PrivacySettings> {
    return complete(await this.settings.findOne({ _id: new ObjectId(userId) }));
  }

  /** Changes what is named and nothing else; choosing what is chosen already tells nobody. */
  async change(userId: string, patch: Infer<typeof privacyPatch>): Promise<PrivacySettings> {
    const { database, outbox, users, permissions } = this.deps;
    const _id = new ObjectId(userId);
    const settings = await database.inTransaction(async (session) => {
      const before = complete(await this.settings.findOne({ _id }, { session }));
      const changed = SETTINGS.filter((name) => patch[name] !== undefined && patch[name] !== before[name]);
      if (changed.length === 0) return before;
      const change = Object.fromEntries(changed.map((name) => [name, patch[name]]));
      await this.settings.updateOne({ _id }, { $set: change }, { upsert: true, session });
      const after = { ...before, ...change };
      // The picture stands beside all that the user writes, so whoever reads the user must read this with it.
      if (after.showPhoto !== before.showPhoto) await users.showPhoto(userId, after.showPhoto);
      // The directory is searched by it, so whoever searches the users must find it there.
      if (after.viewProfile !== before.viewProfile) await users.shareProfile(userId, after.viewProfile);
      await outbox.record(session, privacyChanged, {
        actorId: userId,
        entity: { kind: 'user', id: userId },
        audience: { userIds: [userId] },
        data: { userId, changed, settings: after },
      });
      return after;
    });
    permissions.forget(userId);
    return settings;
  }
}
