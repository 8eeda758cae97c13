import { ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { exportedList, type PersonalData } from '../../core/personal-data.js';
import {
  type Credential,
  type KnownDevice,
  type MailedCode,
  type OneTimeToken,
  type Session,
  type TwoFactor,
} from './auth.models.js';
import { describeDevice } from './device.js';

/** Sessions, devices and what signs a user in. Hashes and tokens are secrets even in one's own export. */
export function authData({ database }: { database: Database }): PersonalData {
  const sessions = database.collection<Session>('sessions');
  const devices = database.collection<KnownDevice>('knownDevices');
  return {
    name: 'sessions',
    collections: ['credentials', 'sessions', 'oneTimeTokens', 'mailedCodes', 'twoFactors', 'knownDevices'],
    async *export(userId) {
      const own = new ObjectId(userId);
      yield* exportedList('sessions', sessions.find({ userId: own }), (session) => ({
        id: session._id.toHexString(),
        device: describeDevice(session.userAgent),
        ...(session.userAgent != null && { userAgent: session.userAgent }),
        ...(session.ip != null && { ip: session.ip }),
        createdAt: session.createdAt,
        lastUsedAt: session.rotatedAt,
        ...(session.endedAt != null && { endedAt: session.endedAt }),
      }));
      yield* exportedList('known-devices', devices.find({ userId: own }), ({ device, firstSeenAt }) => ({
        device,
        firstSeenAt,
      }));
    },
    async erase(userId) {
      const own = new ObjectId(userId);
      await database.collection<Credential>('credentials').deleteOne({ _id: own });
      await database.collection<OneTimeToken>('oneTimeTokens').deleteMany({ userId: own });
      await database.collection<MailedCode>('mailedCodes').deleteMany({ userId: own });
      await database.collection<TwoFactor>('twoFactors').deleteOne({ _id: own });
      await sessions.deleteMany({ userId: own });
      await devices.deleteMany({ userId: own });
    },
  };
}
