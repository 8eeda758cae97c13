import { type ObjectId } from 'mongodb';
import { type CollectionDefinition } from '../../../core/database/collections.js';
import { type Stepwise } from '../../../core/jobs/step-worker.js';

/** Something that is gone, and with it whatever was told about it, until all of that is withdrawn. */
export interface Ending extends Stepwise {
  /** The event that says so. */
  _id: ObjectId;
  /** `post:` and the id. */
  about: string;
  /** For whom, if not for everybody. */
  userId?: ObjectId;
  /** The last one that was withdrawn. */
  after?: ObjectId;
}

export const endingCollection: CollectionDefinition = {
  name: 'notificationEndings',
  indexes: [
    // What is due, the longest waiting first.
    { key: { nextAttemptAt: 1 } },
  ],
};
