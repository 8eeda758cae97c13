import { expect } from 'chai';
import { collections, migrations } from '../../src/collections.js';
import { connectDatabase } from '../../src/core/database/database.js';
import { migrate } from '../../src/core/database/migrations.js';
import { createLog } from '../../src/core/observability/log.js';
import { freshUri } from '../support/event-lab.js';

describe('The migration of indexes', () => {
  it('leaves none that earlier versions needed, whoever runs it twice', async () => {
    const database = await connectDatabase(freshUri());
    const migrateAll = () => migrate({ database, owner: 'a node', collections, migrations, log: createLog('silent') });
    const namesOf = async (collection: string) =>
      (await database.collection(collection).indexes()).map(({ name }) => name);
    const names = async () => (await Promise.all(['notifications', 'memberships', 'messages'].map(namesOf))).flat();
    try {
      await migrateAll();
      const wanted = await names();
      await database.collection('notifications').createIndexes([
        { key: { batchId: 1 }, name: 'batchId_1' },
        { key: { 'channels.email.nextAttemptAt': 1 }, name: 'channels.email.nextAttemptAt_1' },
      ]);
      await database.collection('memberships').createIndexes([{ key: { leftAt: 1 }, name: 'leftAt_1' }]);
      await database.collection('messages').createIndexes([{ key: { mentions: 1 }, name: 'mentions_1', sparse: true }]);
      for (let run = 0; run < 2; run += 1) {
        await database.collection('migrations').deleteMany({ _id: /^(0006|0008|0009)-former/ });
        await migrateAll();
        expect(await names()).to.have.members(wanted);
      }
    } finally {
      await database.db.dropDatabase();
      await database.close();
    }
  });
});
