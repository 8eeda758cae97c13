import { type Database } from '../../core/database/database.js';
import { type Migration } from '../../core/database/migrations.js';
import { type Membership, membershipCollection } from './conversation.model.js';
import { type Message, messageCollection } from './message.model.js';

/** The index of those who have left held everybody, so that the database took it for one of those who are there. */
const formerIndexOfDeparted: Migration = {
  id: '0008-former-index-of-departed-members',
  async up(database: Database) {
    const memberships = database.collection<Membership>(membershipCollection.name);
    const former = 'leftAt_1';
    if (await memberships.indexExists(former)) await memberships.dropIndex(former);
  },
};

/** Who is named where is asked with the conversation now. */
const formerIndexOfMentions: Migration = {
  id: '0009-former-index-of-mentions',
  async up(database: Database) {
    const messages = database.collection<Message>(messageCollection.name);
    const former = 'mentions_1';
    if (await messages.indexExists(former)) await messages.dropIndex(former);
  },
};

export const chatMigrations = [formerIndexOfDeparted, formerIndexOfMentions];
