import { ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { exportedList, type PersonalData } from '../../core/personal-data.js';
import { type Phone, phoneCollection } from './phone.model.js';

/** A user's phone number. */
export function phoneData({ database }: { database: Database }): PersonalData {
  const phones = database.collection<Phone>(phoneCollection.name);
  return {
    name: 'phones',
    collections: [phoneCollection.name],
    export: (userId) =>
      exportedList('phones', phones.find({ _id: new ObjectId(userId) }), ({ number, verifiedAt }) => ({
        number,
        verifiedAt,
      })),
    async erase(userId) {
      await phones.deleteOne({ _id: new ObjectId(userId) });
    },
  };
}
