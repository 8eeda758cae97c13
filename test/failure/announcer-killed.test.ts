import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { Scene } from '../delivery/scene.js';
import { type Json } from '../support/api.js';
import { Campus, SWEPT_OFTEN } from '../support/campus.js';
import { holderOf, startWorker } from '../support/processes.js';
import { until } from '../support/until.js';

const CROWD = 5_000;

describe('A worker that is killed in the midst of an announcement', function () {
  // Starting processes takes long on a busy machine.
  this.timeout(120_000);

  let campus: Campus;
  before(async () => {
    campus = await Campus.open(SWEPT_OFTEN);
  });
  after(() => campus.close());

  it('is followed by another, which goes on where it was: everyone gets it, and nobody twice', async () => {
    const api = await campus.startNode({ env: { ROLE: 'api' } });
    const admin = await api.admin();
    const people = await new Scene(campus, api).crowd(CROWD);
    const workers = await Promise.all([startWorker(campus), startWorker(campus)]);
    const { body } = await admin.post('/admin/announcements', {
      ...{ title: { en: 'To all', ar: 'للجميع' }, body: { en: 'Hello', ar: 'مرحبًا' } },
      ...{ audience: { everyone: true, exclude: { roles: ['admin'] } }, channels: ['inApp'] },
    });
    const id = body.id as string;
    const read = async (): Promise<Json> => (await admin.get(`/admin/announcements/${id}`)).body;
    await until(read, ({ progress }) => progress.processed > 0);
    const holder = await holderOf(campus, workers, 'announcements');
    await holder.kill();
    const { status, progress } = await read();
    expect(status).to.equal('sending');
    expect(progress.processed).to.be.below(CROWD);

    const done = await until(read, (now) => now.status === 'sent', 60_000);
    const numbers = { total: CROWD, processed: CROWD, created: CROWD, channels: { inApp: CROWD } };
    expect(done.progress).to.deep.include(numbers);
    const notifications = campus.db.collection('notifications');
    expect(await notifications.countDocuments({ batchId: new ObjectId(id) })).to.equal(CROWD);
    const recipients = await notifications.distinct('userId', { batchId: new ObjectId(id) });
    expect(recipients.map(String).sort()).to.deep.equal(people.map((one) => one.id).sort());
  });
});
