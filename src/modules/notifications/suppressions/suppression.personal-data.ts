import { type Filter, ObjectId } from 'mongodb';
import { type Database } from '../../../core/database/database.js';
import { exportedList, type PersonalData } from '../../../core/personal-data.js';
import { type PhoneService } from '../../phones/index.js';
import { type UserService } from '../../users/index.js';
import { hashOfAddress, type Suppression, suppressionCollection } from './suppression.model.js';

export interface SuppressionDataDeps {
  database: Database;
  users: Pick<UserService, 'addressOf'>;
  phones: Pick<PhoneService, 'numbersOf'>;
  key: Buffer;
}

/**
 * Which of a user's addresses get no mail or SMS, and why. Erasing takes away the address and whose it was, and leaves the
 * hash: whoever asked not to be written to must not be written to because they have left.
 */
export function suppressionData({ database, users, phones, key }: SuppressionDataDeps): PersonalData {
  const suppressions = database.collection<Suppression>(suppressionCollection.name);

  /** Those of former addresses, too; and those that admins added before the address was anyone's. */
  const ofUser = async (userId: string): Promise<Filter<Suppression>> => {
    const [address, numbers] = await Promise.all([users.addressOf(userId), phones.numbersOf([userId])]);
    const known = [address, numbers.get(userId)].flatMap((each) => each ?? []);
    const addressHash = { $in: known.map((each) => hashOfAddress(key, each)) };
    return { $or: [{ userId: new ObjectId(userId) }, { addressHash }] };
  };

  return {
    name: 'suppressions',
    collections: [suppressionCollection.name],
    async *export(userId) {
      const found = suppressions.find(await ofUser(userId));
      yield* exportedList('mail-suppressions', found, ({ address, reason, createdAt }) => ({
        ...(address !== undefined && { address }),
        reason,
        createdAt,
      }));
    },
    async erase(userId) {
      await suppressions.updateMany(await ofUser(userId), { $unset: { address: 1, userId: 1 } });
    },
  };
}
