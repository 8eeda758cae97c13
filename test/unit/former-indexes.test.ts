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
    const names = async () => (await database.collection('notifications').indexes()).map(({ name }) => name);
    try {
      await migrateAll();
      const wanted = await names();
      await database.collection('notifications').createIndexes([
        { key: { batchId: 1 }, name: 'batchId_1' },
        { key: { 'channels.email.nextAttemptAt': 1 }, name: 'channels.email.nextAttemptAt_1' },
      ]);
      for (let run = 0; run < 2; run += 1) {
        await database.collection('migrations').deleteOne({ _id: '0006-former-indexes-of-notifications' } as object);
        await migrateAll();
        expect(await names()).to.have.members(wanted);
      }
    } finally {
      await database.db.dropDatabase();
      await database.close();
    }
  });
});
